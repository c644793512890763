"""`gristmill archive`: data on stdout, the rest on stderr, exit codes."""

import json

import pytest
from typer.testing import CliRunner

from foundation.errors import GristmillError
from pipeline.cli.archive import app
from tests.support.archives import make_archive, make_git_repository


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, GristmillError):
        return result.exception.exit_code, result.stdout, result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_ingest_ls_verify_from_end_to_end(tmp_path):
    make_git_repository(tmp_path / "r", {"a": b"1"})
    out = tmp_path / "out"
    code, stdout, stderr = run(
        "ingest", tmp_path / "r", "--out", out, "--origin", "https://example.org/r", "--visit-date", "2026-01-31"
    )
    assert code == 0 and stdout.startswith("full") and "1 new contents" in stderr
    code, stdout, stderr = run("ls", out, "--json")
    (row,) = json.loads(stdout)
    assert (row["origin"], row["visits"], row["date"]) == ("https://example.org/r", 1, "2026-01-31T00:00:00Z")
    assert row["target"].startswith("swh:1:rev:") and stderr == ""
    code, stdout, _ = run("verify", out)
    assert code == 0 and stdout.startswith("ok: ")


def test_damage_is_listed_and_exits_6(tmp_path):
    out = make_archive(tmp_path, {"https://example.org/a": {"f": b"1"}})
    (file,) = (out / "content").iterdir()
    file.write_bytes(b"\0\0")
    code, stdout, _ = run("verify", out, "--json")
    document = json.loads(stdout)
    assert code == 6 and document["sound"] is False
    assert [item["file"] for item in document["damage"]] == [f"content/{file.name}"]
    code, stdout, _ = run("verify", out)
    assert code == 6 and file.name in stdout


def test_a_source_that_fails_exits_4_and_keeps_the_others(tmp_path):
    make_git_repository(tmp_path / "r", {"a": b"1"})
    (tmp_path / "x.zip").write_bytes(b"no")
    code, stdout, stderr = run(
        "ingest", tmp_path / "r", tmp_path / "x.zip", "--out", tmp_path / "out", "--json", "--quiet"
    )
    assert code == 4 and stderr == ""
    assert [source["status"] for source in json.loads(stdout)["sources"]] == ["full", "failed"]


def test_hostile_names_cannot_drive_the_terminal(tmp_path):
    (tmp_path / "s" / "\x1b[2Jx" / ".git").mkdir(parents=True)
    _, stdout, _ = run("ingest", tmp_path / "s", "--out", tmp_path / "out")
    assert "left out" in stdout and "\x1b" not in stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ls", "nowhere"], 2),
        (["ingest", "nowhere", "--out", "x"], 2),
        (["ingest", ".", "--out", "x", "--visit-date", "yesterday"], 2),
        (["ingest", "a", "b", "--out", "x", "--origin", "https://example.org"], 2),
        (["verify", "s3:///"], 2),
    ],
)
def test_usage_errors(arguments, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments)[0] == code


@pytest.mark.parametrize("command", ["ingest", "ls", "verify"])
def test_help_has_examples(command):
    code, stdout, _ = run(command, "--help")
    assert code == 0 and "gristmill archive" in stdout
