"""Attribution of a release: complete, in order, found by repository; damage and disagreement are named."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from foundation.errors import AnswerIsNo, ConfigError, IntegrityError, InternalError
from manifests import attribution, load_manifest, open_release, verify
from pipeline.cli.main import application
from tests.manifests import crediting

NUMPY = "https://host.example:8443/numpy/numpy"


@pytest.fixture(scope="module")
def tables(rows: pl.DataFrame) -> dict[str, list[crediting.Row]]:
    return crediting.made_tables(rows)


@pytest.fixture(scope="module")
def release(tools, rows: pl.DataFrame, tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crediting.make(tmp_path_factory.mktemp("credited"), tools, rows, tables)


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "out" / "releases" / "demo" / "1.0.0"))


def _run(*arguments: object):
    return CliRunner().invoke(application(), [str(item) for item in arguments])


def test_entries_are_all_there_in_order(release: Path, tables, rows: pl.DataFrame) -> None:
    entries = list(attribution(release).entries())
    assert len(entries) == len(tables["attribution"])
    assert [entry.origin for entry in entries] == sorted(entry.origin for entry in entries)
    assert sum(entry.leading for entry in entries) == rows.height
    assert {entry.origin for entry in entries} == set(rows["origin"])
    assert entries == list(attribution(release).entries())


def test_texts_are_canonical_ones_by_name_then_those_found(release: Path) -> None:
    texts = list(attribution(release).texts())
    assert [text.licence for text in texts if text.licence] == ["Apache-2.0", "BSD-3-Clause", "GPL-2.0-only", "MIT"]
    assert [text.kind for text in texts] == ["canonical"] * 4 + ["found"] * 3
    assert {text.text for text in texts if not text.licence} == {crediting.text_of(name) for name in crediting.HOLDERS}


@pytest.mark.parametrize("asked", [NUMPY, "numpy/numpy", "NumPy/numpy", "host.example:8443/numpy/numpy.git"])
def test_one_repository_has_its_entries_and_their_texts(release: Path, asked: str) -> None:
    found = attribution(release, asked)
    entries = list(found.entries())
    assert entries == [entry for entry in attribution(release).entries() if entry.origin == NUMPY]
    texts = list(found.texts())
    assert {text.text_sha256 for text in texts if text.kind == "found"} == {
        entry.text_sha256 for entry in entries if entry.text_sha256
    }
    named = " ".join(entry.licence_expression or "" for entry in entries)
    assert all(text.licence in named for text in texts if text.licence)


def test_an_unknown_repository_is_a_no_with_a_hint(release: Path) -> None:
    with pytest.raises(AnswerIsNo, match="has no row of 'numpi/numpy'"):
        attribution(release, "numpi/numpy")


def test_a_release_without_the_table_says_so(published: Path) -> None:
    with pytest.raises(ConfigError, match="has no attribution table"):
        attribution(published)


def test_a_flipped_bit_names_the_file_and_gives_no_wrong_entry(copy: Path) -> None:
    rng = random.Random(5)
    names = ("attribution", "licences", "languages")
    files = sorted(path for name in names for path in (copy / name).iterdir())
    right = (list(attribution(copy).entries()), list(attribution(copy).texts()))
    for path in files:
        data = path.read_bytes()
        at = rng.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        assert {problem.file for problem in verify(copy).problems} == {path.relative_to(copy).as_posix()}
        try:
            found = attribution(copy)
            assert (list(found.entries()), list(found.texts())) == right
        except IntegrityError as error:
            assert str(path) in str(error)
        path.write_bytes(data)
    assert verify(copy).ok


def test_missing_and_added_parts_are_named(copy: Path) -> None:
    gone = next(table for table in load_manifest(copy).tables if table.name == "licences").files[0].path
    (copy / gone).unlink()
    (copy / "languages" / "part-00007.parquet").write_bytes(b"x")
    problems = {(item.file, item.kind) for item in verify(copy).problems}
    assert problems == {(gone, "missing"), ("languages/part-00007.parquet", "extra")}


def test_a_text_that_is_nowhere_is_an_error_that_names_it(tools, rows: pl.DataFrame, tables, tmp_path: Path) -> None:
    fewer = {**tables, "licences": [row for row in tables["licences"] if row["kind"] != "found"]}
    made = crediting.make(tmp_path, tools, rows, fewer)
    lost = next(entry for entry in attribution(made).entries() if entry.text_sha256)
    with pytest.raises(IntegrityError, match=r"licences/part-0000\d\.parquet lacks licence text"):
        list(attribution(made, lost.origin).texts())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tables: tables["attribution"].pop(0), r"attribution leads \d+ rows, the release has 200"),
        (lambda tables: tables.pop("licences"), "tables attribution and licences belong together"),
        (lambda tables: tables["languages"].pop(), "does not have all of 6 languages"),
    ],
)
def test_tables_that_disagree_are_not_published(tools, rows: pl.DataFrame, tmp_path: Path, change, message) -> None:
    tables = crediting.made_tables(rows)
    change(tables)
    with pytest.raises(InternalError, match=message):
        crediting.make(tmp_path, tools, rows, tables)


def test_a_part_of_the_wrong_number_is_not_published(tools, rows: pl.DataFrame, tables, tmp_path: Path) -> None:
    folder = tmp_path / "staging"
    tools("stage")(folder, rows)
    crediting.stage_tables(folder, tables)
    wrong = {**crediting.PARTS, "licences": 5}
    with pytest.raises(InternalError, match="holds a text_sha256 of another part"):
        open_release(crediting.publish(folder, tmp_path, tools("make_facts")(rows.height, table_parts=wrong)))


def test_the_command_prints_one_document(release: Path) -> None:
    shown = _run("release", "attribution", release)
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    assert "Copyright (c) 2020 Ada Mill" in shown.stdout
    assert "BSD-3-Clause, canonical text" in shown.stdout
    assert "        Permission is hereby granted." in shown.stdout
    without = _run("release", "attribution", release, "--no-texts", "--origin", "numpy/numpy")
    assert "canonical text" not in without.stdout
    assert "Torvalds" not in without.stdout


def test_the_command_prints_json(release: Path) -> None:
    document = json.loads(_run("release", "attribution", release, "--format", "json").stdout)
    assert len(document["entries"]) == len(list(attribution(release).entries()))
    assert len(document["texts"]) == 7
    assert document["entries"][0].keys() >= {"origin", "licence_expression", "text_sha256", "copyrights", "files"}
    empty = json.loads(_run("release", "attribution", release, "--format", "json", "--no-texts").stdout)
    assert empty["texts"] == []


@pytest.mark.parametrize(("arguments", "code"), [(["--format", "xml"], 2), (["--origin", "no/where"], 1)])
def test_exit_codes(release: Path, arguments: list[str], code: int) -> None:
    found = _run("release", "attribution", release, *arguments).exception
    assert getattr(found, "exit_code", None) == code


def test_the_card_and_the_summary_tell_of_it(release: Path) -> None:
    card = (release / "README.md").read_text()
    assert "## Attribution" in card
    assert "3 found in the repositories and 4 canonical ones" in card
    assert 'data_files: "attribution/*.parquet"' in card
    assert "3 licence texts found, 4 canonical" in _run("release", "show", release).stdout
