"""Writing a repository as a tree: strangers' paths stay inside it, and what is left out is named."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import polars as pl
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from foundation.errors import GristmillError, StorageError, UsageError
from manifests import repository, write_tree
from manifests.tree import refusal
from pipeline.cli import release as release_command
from pipeline.cli.output import report
from tests.manifests import listings
from tests.manifests.listings import FORK, Listed

REFUSED = [
    b"/etc/passwd",
    b"//x",
    b"",
    b"a//b",
    b"a/",
    b"..",
    b"a/../../b",
    b"./a",
    b"a/.",
    b"a\0b",
    b".git/config",
    b"a/.GIT/hooks/post-checkout",
    b".git ",
    b".git...",
    b".Git . ./x",
    b"git~1/config",
    b".git::$INDEX_ALLOCATION/config",
    b".git\\config",
    ".g\u200cit/config".encode(),
]
HARMLESS = [
    b".gitignore",
    b".github/x",
    b"...",
    b"a..b",
    b"git",
    b"x.git",
    b"-rf",
    b"~",
    b"$(touch x)",
    b"a\\b",
    b"\xff\n",
]
HOSTILE = "https://hostile.example/a/b"


@pytest.fixture(scope="module")
def listed(tools, tmp_path_factory: pytest.TempPathFactory) -> Listed:
    """One ordinary fork, and a repository of hostile paths, each standing for a row."""
    rows: pl.DataFrame = tools("make_rows")(40, seed=11)
    paths = listings.made_paths(rows, seed=2)
    held = rows.row(0, named=True)
    own = [*REFUSED, *HARMLESS, b"n" * 300, b"file", b"file/below", b"near", b"empty/__init__.py"]
    vias = {b"near": "near_duplicate", b"empty/__init__.py": "empty"}
    paths += [listings._row(HOSTILE, path, vias.get(path, "identical"), held) for path in own]
    paths.sort(key=lambda row: (row["origin"], row["path"]))
    return listings.make(tmp_path_factory.mktemp("tree"), tools, rows, paths)


def _run(*arguments: object) -> Result:
    app = typer.Typer()
    release_command.register(app)
    return CliRunner().invoke(app, ["release", *(str(argument) for argument in arguments)])


def _code(result: Result) -> int:
    return result.exception.exit_code if isinstance(result.exception, GristmillError) else result.exit_code


def _tree(folder: Path) -> dict[bytes, bytes]:
    root = os.fsencode(folder)
    return {
        os.path.relpath(os.path.join(at, name), root): Path(os.fsdecode(os.path.join(at, name))).read_bytes()
        for at, _, names in os.walk(root)
        for name in names
    }


@pytest.mark.parametrize("path", REFUSED)
def test_paths_that_could_leave_the_folder_are_refused(path: bytes) -> None:
    assert refusal(path)


@pytest.mark.parametrize("path", HARMLESS)
def test_odd_paths_that_cannot_are_not(path: bytes) -> None:
    assert refusal(path) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"..", b".", b"", b"a", b".git", b".GiT ", b"b\0", b"c"]), max_size=6))
def test_what_is_not_refused_names_a_file_below(parts: list[bytes]) -> None:
    path = b"/".join(parts)
    if refusal(path) is None:
        joined = os.path.normpath(b"/out/" + path)
        assert joined == b"/out/" + path
        assert b".git" not in joined.lower()
        assert b"\0" not in joined


def test_a_repository_is_written_as_it_was(listed: Listed, tmp_path: Path) -> None:
    view = repository(listed.release, FORK)
    for near in (False, True):
        written = write_tree(view, tmp_path / f"deep/{near}", near=near)
        wanted = [row for row in listed.of(FORK) if row["via"] and (near or row["via"] != "near_duplicate")]
        texts = {row["path"]: b"" if row["kept"] is None else listed.text(row["kept"]).encode() for row in wanted}
        assert _tree(tmp_path / f"deep/{near}") == texts
        assert (written.files, written.bytes, written.not_written) == (len(texts), sum(map(len, texts.values())), ())
    assert [path.name for path in (tmp_path / "deep").iterdir() if path.name.startswith(".")] == []
    for row in wanted:
        mode = os.stat(os.path.join(os.fsencode(tmp_path / "deep/True"), row["path"])).st_mode
        assert bool(mode & stat.S_IXUSR) == (row["mode"] == 0o100755)


def test_hostile_paths_stay_out_and_are_named(listed: Listed, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    written = write_tree(repository(listed.release, HOSTILE), tmp_path / "a" / "out")
    assert sorted(os.listdir(tmp_path)) == ["a"]
    assert os.listdir(tmp_path / "a") == ["out"]
    found = set(_tree(tmp_path / "a" / "out"))
    assert found - {b"file", b"file/below"} == {*HARMLESS, b"empty/__init__.py"}
    assert len(found & {b"file", b"file/below"}) == 1
    assert len(written.not_written) == len(REFUSED) + 2
    assert {item.why for item in written.not_written} >= {"it is absolute", "it holds a NUL", "File name too long"}


def test_a_folder_that_holds_something_is_not_touched(listed: Listed, tmp_path: Path) -> None:
    view = repository(listed.release, FORK)
    full, file, link = tmp_path / "full", tmp_path / "file", tmp_path / "link"
    full.mkdir()
    (full / "mine").write_text("mine")
    file.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (full, file, link):
        with pytest.raises(UsageError, match="is not an empty folder"):
            write_tree(view, taken)
    assert (full / "mine").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "empty").mkdir()
    assert write_tree(view, tmp_path / "empty").files
    with pytest.raises(StorageError):
        write_tree(view, file / "below")
    with pytest.raises(UsageError, match="is inside the release"):
        write_tree(view, listed.release / "paths" / "tree")


def test_a_damaged_shard_leaves_no_tree(listed: Listed, tmp_path: Path) -> None:
    import shutil

    from foundation.errors import IntegrityError

    release = Path(shutil.copytree(listed.release, tmp_path / "release"))
    view = repository(release, FORK)
    for shard in (release / "data").rglob("*.parquet"):
        data = bytearray(shard.read_bytes())
        data[40] ^= 1
        shard.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"part-00000\.parquet"):
        write_tree(view, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["release"]


def test_the_listing_says_how_each_path_is_present(listed: Listed) -> None:
    shown = _run("repository", listed.release.parents[2], "forks/numpy")
    assert _code(shown) == 0
    view = repository(listed.release, FORK)
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines[: len(listed.of(FORK))]] == [
        str(row["via"] or "missing") for row in listed.of(FORK)
    ]
    assert f"completeness {view.completeness:.2%}" in shown.stdout
    assert "\x1b" not in shown.stdout
    document = json.loads(_run("repository", listed.release, FORK, "--json").stdout)
    assert document["counts"]["missing"] == view.counts.missing
    assert [row["via"] for row in document["listing"]] == [row["via"] for row in listed.of(FORK)]
    assert "text" not in document["listing"][0]


def test_writing_says_what_was_written_and_exits_4_when_something_was_not(listed: Listed, tmp_path: Path) -> None:
    fine = _run("repository", listed.release, FORK, "--out", tmp_path / "fine", "--near", "--json")
    assert _code(fine) == 0
    assert json.loads(fine.stdout)["written"]["files"] == len(_tree(tmp_path / "fine"))
    partly = _run("repository", listed.release, HOSTILE, "--out", tmp_path / "partly")
    assert _code(partly) == 4
    assert "not written: a/../../b: it has a component '..'" in partly.stdout
    assert (tmp_path / "partly" / ".gitignore").is_file()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["https://nowhere.example/x"], 1), ([FORK, "--near"], 2), (["twin/same"], 2), ([""], 2)],
)
def test_exit_codes(listed: Listed, published: Path, arguments: list[str], code: int) -> None:
    failed = _run("repository", listed.release, *arguments)
    assert (_code(failed), failed.stdout) == (code, "")
    assert _code(_run("repository", published, FORK)) == 3
    assert isinstance(failed.exception, GristmillError)
    assert report(failed.exception, as_json=True) == code
