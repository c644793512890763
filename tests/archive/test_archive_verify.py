"""Verify finds each kind of damage and names the file."""

import datetime as dt
import json
import shutil
import uuid
import zlib

import pytest

from archive import open_archive, verify
from archive.orc import read_table
from archive.tables import SPECS
from archive.write import write_orc
from tests.support.archives import make_archive

FILES = {"README": b"hello\n", "src/a.c": b"int a;\n", "src/b.c": b"int b;\n"}


@pytest.fixture
def path(tmp_path):
    return make_archive(tmp_path, {"https://example.org/a": FILES})


def damage(path):
    return [(item.file, item.problem) for item in verify(open_archive(str(path))).damage]


def rewrite(path, table, change):
    """Replace the rows of `table` by what `change` makes of them."""
    archive = open_archive(str(path))
    rows = read_table(archive.store, archive.files(table), table=table, columns=SPECS[table].schema.names).to_pylist()
    for info in archive.files(table):
        (path / info.key).unlink()
    times = [name for name, kind in SPECS[table].columns if kind == "timestamp"]
    changed = [change(dict(row)) for row in rows]
    for row in changed:
        for name in times:
            if isinstance(row[name], dt.datetime):
                row[name] = (int(row[name].timestamp()), row[name].microsecond * 1000)
    folder = path / "graph" / archive.export / "orc" / table
    write_orc(folder / f"{table}-x.orc", table, [tuple(row.values()) for row in changed], uuid.UUID(int=1))
    return f"graph/{archive.export}/orc/{table}/{table}-x.orc"


def test_a_sound_archive_is_sound(path):
    report = verify(open_archive(str(path)))
    assert report.sound and report.checked == {"content": 3, "directory": 2, "revision": 1, "snapshot": 1}


def test_each_damaged_object_is_named_with_its_problem(path):
    objects = sorted((path / "content").iterdir())
    objects[0].write_bytes(bytes(40))
    objects[1].write_bytes(zlib.compress(b"other bytes", wbits=31))
    objects[2].unlink()
    assert damage(path) == [
        (f"content/{objects[0].name}", "nul_filled"),
        (f"content/{objects[1].name}", "hash_mismatch"),
        (f"content/{objects[2].name}", "missing"),
    ]


def test_objects_that_no_table_names_are_hashed_too(path):
    (path / "content" / ("ab" * 20)).write_bytes(zlib.compress(b"stray", wbits=31))
    assert damage(path) == [(f"content/{'ab' * 20}", "hash_mismatch")]


@pytest.mark.parametrize("column", ["sha256", "blake2s256", "length", "sha1_git"])
def test_a_wrong_name_in_the_content_table(path, column):
    value = {"length": 99}.get(column, "00" * 20)
    key = rewrite(path, "content", lambda row: {**row, column: value} if row["length"] == 6 else row)
    assert damage(path) == [(key, f"{column} differ from the object's bytes")]


@pytest.mark.parametrize(
    ("column", "value"), [("name", b"renamed"), ("perms", 0o100755), ("target", "12" * 20), ("target", "not hex")]
)
def test_a_changed_directory_entry(path, column, value):
    key = rewrite(path, "directory_entry", lambda row: {**row, column: value} if row["name"] == b"README" else row)
    ((file, problem),) = damage(path)
    assert file == key and problem.startswith("its rows give")


def test_a_missing_directory_is_noticed_where_it_is_named(path):
    archive = open_archive(str(path))
    entries = read_table(
        archive.store, archive.files("directory_entry"), table="directory_entry", columns=["name", "target"]
    ).to_pylist()
    below = next(row["target"] for row in entries if row["name"] == b"src")
    rewrite(path, "directory", lambda row: {**row, "id": "00" * 20} if row["id"] == below else row)
    problems = [problem for _, problem in damage(path)]
    assert f"its directory {below} is missing" in problems and "has entries but no row in table directory" in problems


def test_a_changed_branch_unless_the_export_left_branches_out(path):
    key = rewrite(path, "snapshot_branch", lambda row: {**row, "name": row["name"] + b"x"})
    assert [file for file, _ in damage(path)] == [key]
    meta = path / "graph" / "2025-06-01" / "meta"
    meta.mkdir()
    (meta / "export.json").write_text(json.dumps({"orc": {"remove_pull_requests": True}}))
    assert damage(path) == []


def test_a_revision_without_its_root(path):
    key = rewrite(path, "revision", lambda row: {**row, "directory": "34" * 20})
    assert damage(path) == [(key, f"its directory {'34' * 20} is missing")]


def test_a_cut_table_is_damage_and_the_rest_is_still_checked(path):
    (file,) = (path / "graph" / "2025-06-01" / "orc" / "snapshot_branch").iterdir()
    file.write_bytes(file.read_bytes()[:-30])
    next(iter(sorted((path / "content").iterdir()))).unlink()
    found = damage(path)
    assert len(found) == 2 and any(str(file.relative_to(path)) in name for name, _ in found)


def test_a_bit_flipped_anywhere_in_a_content_is_found(path):
    whole = path.parent / "whole"
    shutil.copytree(path / "content", whole)
    for file in sorted(whole.iterdir()):
        data = file.read_bytes()
        for at in range(10, len(data), 7):  # gzip's header holds bits that mean nothing
            (path / "content" / file.name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert [name for name, _ in damage(path)] == [f"content/{file.name}"]
        (path / "content" / file.name).write_bytes(data)
