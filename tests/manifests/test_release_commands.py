"""The commands query, explain and release: data on stdout, the rest on stderr, stable exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from foundation.errors import GristmillError
from pipeline.cli import explain, query, release


def _run(*arguments: object) -> Result:
    app = typer.Typer()
    for module in (query, explain, release):
        module.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _code(result: Result) -> int:
    if isinstance(result.exception, GristmillError):
        return result.exception.exit_code
    return result.exit_code


def test_verify_is_quiet_about_a_whole_release_and_names_damage(copied: Path) -> None:
    fine = _run("release", "verify", copied)
    assert _code(fine) == 0
    assert fine.stdout.startswith("ok: ")
    (copied / "README.md").write_text("x")
    damaged = _run("release", "verify", copied, "--json")
    assert _code(damaged) == 6
    assert [item["file"] for item in json.loads(damaged.stdout)["problems"]] == ["README.md"]
    assert _run("release", "verify", copied).stdout.startswith("README.md: hash: ")


def test_an_output_folder_with_one_release_will_do(copied: Path) -> None:
    assert _code(_run("release", "verify", copied.parents[2])) == 0
    shown = _run("release", "show", copied.parents[2])
    assert "demo@1.0.0" in shown.stdout
    assert "long_lines" in shown.stdout
    assert json.loads(_run("release", "show", copied, "--json").stdout)["totals"]["rows"] == 200


def test_query_in_every_format(published: Path, rows: pl.DataFrame, tmp_path: Path) -> None:
    asked = ["query", published, "--language", "c++", "--license", "permissive"]
    expected = rows.filter((pl.col("language") == "C++") & (pl.col("license_type") == "permissive"))
    table = _run(*asked)
    assert _code(table) == 0
    assert len(table.stdout.splitlines()) == expected.height + 1
    assert f"matched {expected.height}" in table.stderr
    as_json = _run(*asked, "--json", "--limit", 2)
    assert [row["swhid"] for row in json.loads(as_json.stdout)] == expected["swhid"].head(2).to_list()
    assert "content" not in json.loads(as_json.stdout)[0]
    assert "truncated" in as_json.stderr
    as_csv = _run(*asked, "--format", "csv", "--columns", "path, content")
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == expected.select("path", "content").to_dicts()
    out = tmp_path / "deep" / "rows.parquet"
    written = _run(*asked, "--out", out)
    assert (_code(written), written.stdout) == (0, "")
    assert pl.read_parquet(out)["swhid"].to_list() == expected["swhid"].to_list()


def test_hostile_names_do_not_reach_the_terminal(published: Path) -> None:
    shown = _run("query", published, "--repo", "evil/*")
    assert shown.stdout.strip()
    assert "\x1b" not in shown.stdout
    explained = _run(
        "explain", published, json.loads(_run("query", published, "--repo", "evil/*", "--json").stdout)[0]["swhid"]
    )
    assert _code(explained) == 0
    assert "\x1b" not in explained.stdout
    assert "\\x1b[31mred\\nline" in explained.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["query", "--format", "parquet"], 2),
        (["query", "--format", "xml"], 2),
        (["query", "--json", "--format", "csv"], 2),
        (["query", "--language", "Pyhton"], 2),
        (["query", "--out", "rows.txt"], 2),
        (["explain", "swh:1:cnt:" + "0" * 40], 1),
        (["explain", "nonsense"], 1),
    ],
)
def test_exit_codes(published: Path, arguments: list[str], code: int) -> None:
    assert _code(_run(arguments[0], published, *arguments[1:])) == code


def test_what_is_no_release_is_a_configuration_error(tmp_path: Path) -> None:
    for command in (["query"], ["release", "verify"], ["release", "show"]):
        assert _code(_run(*command, tmp_path)) == 3
