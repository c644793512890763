"""What ingest writes for each kind of source, and what it does when called again."""

import datetime as dt
import hashlib
import io
import os
import socket
import tarfile
import zipfile
import zlib

import pytest

from archive import ingest, list_origins, open_archive, verify
from archive.orc import read_table
from archive.sources.git import public_url
from archive.tables import SPECS
from foundation.errors import ConflictError, UsageError
from tests.support.archives import AUTHOR, VISIT_DATE, make_archive, make_git_repository

LATER = VISIT_DATE + dt.timedelta(days=30)


def rows(path, table):
    archive = open_archive(str(path))
    return read_table(archive.store, archive.files(table), table=table, columns=SPECS[table].schema.names).to_pylist()


def files_of(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def heads(path):
    return {
        row.origin: (row.visits, row.visit_type, row.status, row.head) for row in list_origins(open_archive(str(path)))
    }


def pack(path, entries, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def test_every_kind_of_source_becomes_an_origin(tmp_path):
    make_git_repository(tmp_path / "project", {"a.py": b"print(1)\n"}, remote="git@github.com:acme/project.git")
    make_git_repository(tmp_path / "tagged.git", {"a.py": b"print(2)\n"}, bare=True, tag="v1")
    make_git_repository(tmp_path / "detached", {"a.py": b"print(3)\n"}, detached=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "b.c").write_bytes(b"int main;\n")
    pack(tmp_path / "Left_Pad-1.3.0.tar.gz", {"Left_Pad-1.3.0/PKG-INFO": b"x", "Left_Pad-1.3.0/pad.py": b"y"})
    pack(tmp_path / "left-pad-1.3.0.tgz", {"package/package.json": b"{}", "package/index.js": b"z"})
    pack(tmp_path / "sources.tar.xz", {"top/file": b"w"}, "w:xz")
    with zipfile.ZipFile(tmp_path / "demo_pkg-2.0-py3-none-any.whl", "w") as file:
        file.writestr("demo_pkg/__init__.py", b"")
    names = ["project", "tagged.git", "detached", "plain", "Left_Pad-1.3.0.tar.gz", "left-pad-1.3.0.tgz",
             "sources.tar.xz", "demo_pkg-2.0-py3-none-any.whl"]  # fmt: skip
    report = ingest([tmp_path / name for name in names], tmp_path / "out", visit_date=VISIT_DATE)
    assert [source.status for source in report.sources] == ["full"] * 8
    assert heads(tmp_path / "out") == {
        "https://github.com/acme/project": (1, "git", "full", "refs/heads/main"),
        "https://local.invalid/archive/sources.tar.xz": (1, "tarball-directory", "full", "HEAD"),
        "https://local.invalid/directory/plain": (1, "directory", "full", "HEAD"),
        "https://local.invalid/git/detached": (1, "git", "full", "HEAD"),
        "https://local.invalid/git/tagged": (1, "git", "full", "HEAD"),
        "https://local.invalid/npm/left-pad-1.3.0": (1, "npm", "full", "releases/1.3.0"),
        "https://local.invalid/pypi/demo-pkg-2.0": (1, "pypi", "full", "releases/2.0"),
        "https://local.invalid/pypi/left-pad-1.3.0": (1, "pypi", "full", "releases/1.3.0"),
    }
    checked = verify(open_archive(str(tmp_path / "out")))
    assert checked.sound and checked.checked["release"] == 4


def test_people_are_kept_as_hashes_only_and_other_fields_whole(tmp_path):
    make_git_repository(tmp_path / "r", {"a": b"1"}, message=b"subject\n\nbody \xff\n", parents=[b"34" * 20], tag="v1")
    ingest([tmp_path / "r"], tmp_path / "out", visit_date=VISIT_DATE)
    (revision,) = rows(tmp_path / "out", "revision")
    (release,) = rows(tmp_path / "out", "release")
    digest = hashlib.sha256(AUTHOR).digest()
    assert revision["author"] == revision["committer"] == release["author"] == digest
    assert revision["message"] == b"subject\n\nbody \xff\n" and revision["date_raw_offset_bytes"] == b"+0200"
    assert release["name"] == b"v1" and release["target"] == revision["id"] and release["target_type"] == "revision"
    assert rows(tmp_path / "out", "revision_history") == [
        {"id": revision["id"], "parent_id": "34" * 20, "parent_rank": 0}
    ]
    assert all(AUTHOR not in data for data in files_of(tmp_path / "out").values())


@pytest.mark.parametrize("seconds", [0, 253_402_300_800, 10**15])
def test_dates_beyond_pyarrow_s_reach_are_written_and_read(tmp_path, seconds):
    make_git_repository(tmp_path / "r", {"a": b"1"}, seconds=seconds)
    ingest([tmp_path / "r"], tmp_path / "out", visit_date=VISIT_DATE)
    archive = open_archive(str(tmp_path / "out"))
    table = read_table(archive.store, archive.files("revision"), table="revision", columns=["date", "id"])
    expected = seconds * 10**6 if seconds * 10**6 < 2**63 else None
    assert table["date"].cast("int64").to_pylist() == [expected]


def test_contents_are_stored_as_software_heritage_stores_them(tmp_path):
    data = b"some text\n" * 10
    make_archive(tmp_path, {"https://example.org/a/b": {"f": data}})
    stored = (tmp_path / "archive" / "content" / hashlib.sha1(data).hexdigest()).read_bytes()
    assert stored[:10] == bytes.fromhex("1f8b0800000000000003") and zlib.decompress(stored, 31) == data


def test_the_same_visit_again_adds_nothing_and_a_later_one_adds_a_visit(tmp_path):
    make_git_repository(tmp_path / "r", {"a": b"1", "d/b": b"2"})
    sources, out = [tmp_path / "r"], tmp_path / "out"
    ingest(sources, out, visit_date=VISIT_DATE)
    before = files_of(out)
    again = ingest(sources, out, visit_date=VISIT_DATE)
    assert again.sources[0].status == "unchanged" and again.contents_written == 0
    assert files_of(out) == before
    later = ingest(sources, out, visit_date=LATER)
    assert (later.sources[0].status, later.sources[0].visit) == ("full", 2)
    added = {name.split("/")[3] for name in files_of(out) if name not in before}
    assert added == {"origin_visit", "origin_visit_status"}
    assert len(rows(out, "content")) == 2 and len(rows(out, "directory")) == 2
    assert verify(open_archive(str(out))).sound


def test_a_changed_source_adds_only_what_is_new(tmp_path):
    make_archive(tmp_path, {"https://example.org/a": {"a": b"1", "b": b"2"}})
    out = make_archive(tmp_path, {"https://example.org/a": {"a": b"1", "b": b"3"}}, visit_date=LATER)
    assert sorted(row["length"] for row in rows(out, "content")) == [1, 1, 1]
    assert heads(out) == {"https://example.org/a": (2, "git", "full", "refs/heads/main")}
    statuses = sorted((row["visit"], row["status"], row["date"]) for row in rows(out, "origin_visit_status"))
    moment = dt.timedelta(microseconds=1)
    assert statuses == [
        (1, "created", VISIT_DATE - moment), (1, "full", VISIT_DATE), (2, "created", LATER - moment),
        (2, "full", LATER),
    ]  # fmt: skip


def test_the_archive_s_bytes_depend_on_the_sources_alone(tmp_path):
    sources = {f"https://example.org/{number}": {"f": b"%d" % number, "same": b"x"} for number in range(4)}
    first = make_archive(tmp_path / "one", sources)
    second = make_archive(tmp_path / "two", dict(reversed(sources.items())))
    assert files_of(first) == files_of(second)


def test_ids_that_a_later_source_shares_are_not_written_twice(tmp_path):
    shared = {"lib/x.c": b"int x;\n", "lib/y.c": b"int y;\n"}
    out = make_archive(
        tmp_path, {"https://example.org/a": {**shared, "a": b"a"}, "https://example.org/b": {**shared, "b": b"b"}}
    )
    for table, key in (("content", "sha1"), ("directory", "id")):
        names = [row[key] for row in rows(out, table)]
        assert len(names) == len(set(names)) == {"content": 4, "directory": 3}[table]


def test_unborn_head_falls_back_to_a_branch_that_is_there(tmp_path):
    commit = make_git_repository(tmp_path / "r", {"a": b"1"}, branch="develop")
    (tmp_path / "r" / ".git" / "HEAD").write_text("ref: refs/heads/gone\n")
    report = ingest([tmp_path / "r"], tmp_path / "out", visit_date=VISIT_DATE)
    assert report.sources[0].status == "full"
    branches = {row["name"]: row["target"] for row in rows(tmp_path / "out", "snapshot_branch")}
    assert branches == {b"HEAD": b"refs/heads/gone".hex(), b"refs/heads/develop": commit.decode()}
    assert verify(open_archive(str(tmp_path / "out"))).sound


def test_a_repository_that_lost_an_object_is_a_partial_visit(tmp_path):
    make_git_repository(tmp_path / "r", {"a": b"kept", "b": b"lost"})
    blob = hashlib.sha1(b"blob 4\0lost").hexdigest()
    (tmp_path / "r" / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    (source,) = ingest([tmp_path / "r"], tmp_path / "out", visit_date=VISIT_DATE).sources
    assert source.status == "partial"
    assert [note.path for note in source.notes] == ["b"] and "missing" in source.notes[0].reason
    assert verify(open_archive(str(tmp_path / "out"))).sound


def test_sources_that_cannot_be_read_fail_alone(tmp_path):
    make_git_repository(tmp_path / "good", {"a": b"1"})
    make_git_repository(tmp_path / "empty", {"a": b"1"})
    for ref in (tmp_path / "empty" / ".git" / "refs" / "heads").iterdir():
        ref.unlink()
    broken = make_git_repository(tmp_path / "broken", {"a": b"1"}).decode()
    (tmp_path / "broken" / ".git" / "objects" / broken[:2] / broken[2:]).chmod(0o644)
    (tmp_path / "broken" / ".git" / "objects" / broken[:2] / broken[2:]).write_bytes(b"no zlib")
    (tmp_path / "cut.tar.gz").write_bytes(pack(tmp_path / "whole.tar.gz", {"f": os.urandom(5000)}).read_bytes()[:3000])
    (tmp_path / "not.zip").write_bytes(b"no zip at all")
    names = ["good", "empty", "broken", "cut.tar.gz", "not.zip"]
    report = ingest([tmp_path / name for name in names], tmp_path / "out", visit_date=VISIT_DATE)
    assert [source.status for source in report.sources] == ["full", "failed", "failed", "failed", "failed"]
    for source, name in zip(report.sources[1:], names[1:], strict=True):
        assert name in source.problem
    assert list(heads(tmp_path / "out")) == ["https://local.invalid/git/good"]
    assert verify(open_archive(str(tmp_path / "out"))).sound


def test_two_sources_of_one_origin_are_told_apart(tmp_path):
    for parent in ("x", "y"):
        (tmp_path / parent / "src").mkdir(parents=True)
    report = ingest([tmp_path / "x" / "src", tmp_path / "y" / "src"], tmp_path / "out", visit_date=VISIT_DATE)
    assert [source.status for source in report.sources] == ["full", "failed"]
    assert "--origin" in report.sources[1].problem


def test_special_files_and_nested_repositories_are_left_out_and_said(tmp_path):
    source = tmp_path / "s"
    make_git_repository(source / "inner", {"ignored": b"in the object store"})
    (source / "inner" / "kept").write_bytes(b"kept")
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as end:
        here = os.getcwd()
        os.chdir(source)
        try:
            end.bind("socket")
        finally:
            os.chdir(here)
        (report,) = ingest([source], tmp_path / "out", visit_date=VISIT_DATE).sources
    assert report.status == "full"
    assert {note.path: note.reason.split()[0] for note in report.notes} == {
        "inner/.git": "refused", "pipe": "special", "socket": "special",
    }  # fmt: skip
    assert {row["name"] for row in rows(tmp_path / "out", "directory_entry")} == {b"inner", b"kept"}


def test_large_files_stream_and_too_large_ones_are_noted(tmp_path):
    source = tmp_path / "s"
    source.mkdir()
    (source / "large").write_bytes(b"x" * (9 << 20))
    (source / "too-large").write_bytes(b"y" * (10 << 20))
    report = ingest([source], tmp_path / "out", visit_date=VISIT_DATE, max_content_bytes=(9 << 20) + 5)
    assert report.contents_written == 1
    (content,), (skipped,) = rows(tmp_path / "out", "content"), rows(tmp_path / "out", "skipped_content")
    assert content["length"] == 9 << 20 and content["sha1"] == hashlib.sha1(b"x" * (9 << 20)).hexdigest()
    assert (skipped["length"], skipped["status"], skipped["reason"]) == (10 << 20, "absent", "Content too large")
    assert skipped["sha256"] == hashlib.sha256(b"y" * (10 << 20)).hexdigest()
    assert verify(open_archive(str(tmp_path / "out"))).sound


def test_a_100_mb_line_is_never_held_whole(tmp_path):
    import tracemalloc

    source = tmp_path / "s"
    source.mkdir()
    with open(source / "line", "wb") as stream:
        for _ in range(95):
            stream.write(b"z" * 1_000_000)
    tracemalloc.start()
    report = ingest([source], tmp_path / "out", visit_date=VISIT_DATE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.contents_written == 1 and peak < 20 << 20


def test_arguments_that_cannot_be(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "f.txt").write_bytes(b"")
    for sources, out, options, message in [
        (["s"], "s/archive", {}, "lies inside its source"),
        (["nothing"], "out", {}, "there is no"),
        (["f.txt"], "out", {}, "cannot ingest the file"),
        (["s"], "out", {"export_name": "../x"}, "not an export name"),
        (["s"], "out", {"visit_date": dt.datetime(2025, 1, 1)}, "no time zone"),  # noqa: DTZ001
        (["s"], "out", {"origins": {"s": "https://user:pw@example.org/x"}}, "user name or password"),
        (["s"], "out", {"origins": {"s": "no url"}}, "not an origin URL"),
    ]:
        with pytest.raises(UsageError, match=message):
            ingest([tmp_path / name for name in sources], tmp_path / out, **{"visit_date": VISIT_DATE, **options})
    assert not (tmp_path / "out").exists() and not (tmp_path / "s" / "archive").exists()


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://user:token@github.com/acme/x.git", "https://github.com/acme/x"),
        ("git@github.com:acme/x.git", "https://github.com/acme/x"),
        ("ssh://git@example.org:2222/acme/x y", "https://example.org/acme/x%20y"),
        ("/srv/git/x.git", ""),
        ("file:///srv/git/x.git", ""),
        ("../x", ""),
        ("", ""),
    ],
)
def test_remotes_lose_credentials(remote, url):
    assert public_url(remote) == url


def test_only_one_writer_at_a_time(tmp_path):
    from archive.write import ArchiveWriter

    (tmp_path / "s").mkdir()
    out = tmp_path / "out"
    with (
        ArchiveWriter(out, export="2025-06-01", max_content_bytes=10),
        pytest.raises(ConflictError, match="another process"),
    ):
        ingest([tmp_path / "s"], out, visit_date=VISIT_DATE, export_name="2025-06-01")
