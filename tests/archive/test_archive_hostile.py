"""Archives made to do harm: nothing leaves the tree, nothing fills the disk, and each refusal is said."""

import io
import stat
import tarfile
import zipfile
import zlib

import pytest

from archive import ingest, open_archive, verify
from archive.orc import read_table
from archive.sources import Limits
from tests.support.archives import VISIT_DATE


def entries_of(path):
    """Every file's path, from the root down."""
    archive = open_archive(str(path))
    columns = ["directory_id", "name", "type", "target", "perms"]
    rows = read_table(
        archive.store, archive.files("directory_entry"), table="directory_entry", columns=columns
    ).to_pylist()
    branches = read_table(
        archive.store, archive.files("snapshot_branch"), table="snapshot_branch", columns=["name", "target"]
    ).to_pylist()
    root = next(row["target"] for row in branches if row["name"] == b"HEAD")
    found, waiting = {}, [(b"", root)]
    while waiting:
        prefix, directory = waiting.pop()
        for row in rows:
            if row["directory_id"] == directory:
                if row["type"] == "dir":
                    waiting.append((prefix + row["name"] + b"/", row["target"]))
                else:
                    found[prefix + row["name"]] = row["perms"]
    return found


def tar(path, members):
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape") as file:
        for name, kind, value in members:
            info = tarfile.TarInfo(name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size, info.mode = len(value), 0o755
                file.addfile(info, io.BytesIO(value))
            else:
                info.linkname = value
                file.addfile(info)
    return path


def run(tmp_path, path, **options):
    (source,) = ingest([path], tmp_path / "out", visit_date=VISIT_DATE, **options).sources
    return source


def test_tar_entries_that_would_escape_are_refused_one_by_one(tmp_path):
    path = tar(tmp_path / "evil.tar.gz", [
        ("ok/file", tarfile.REGTYPE, b"fine"),
        ("ok/copy", tarfile.LNKTYPE, "ok/file"),
        ("ok/link", tarfile.SYMTYPE, "../ok/file"),
        ("./ok/./dotted", tarfile.REGTYPE, b"dots"),
        ("empty", tarfile.DIRTYPE, ""),
        ("../outside", tarfile.REGTYPE, b"x"),
        ("ok/../../outside", tarfile.REGTYPE, b"x"),
        ("/etc/passwd", tarfile.REGTYPE, b"x"),
        ("ok/.git/config", tarfile.REGTYPE, b"x"),
        ("ok/.git", tarfile.DIRTYPE, ""),
        ("out-link", tarfile.SYMTYPE, "../outside"),
        ("absolute-link", tarfile.SYMTYPE, "/etc/passwd"),
        ("hard", tarfile.LNKTYPE, "../../etc/passwd"),
        ("device", tarfile.CHRTYPE, ""),
        ("pipe", tarfile.FIFOTYPE, ""),
        ("ok/file/below", tarfile.REGTYPE, b"x"),
        ("ok", tarfile.REGTYPE, b"x"),
    ])  # fmt: skip
    source = run(tmp_path, path)
    assert source.status == "full"
    assert entries_of(tmp_path / "out") == {
        b"ok/file": 0o100755, b"ok/copy": 0o100755, b"ok/link": 0o120000, b"ok/dotted": 0o100755,
    }  # fmt: skip
    assert {note.path for note in source.notes} == {
        "../outside", "ok/../../outside", "/etc/passwd", "ok/.git/config", "ok/.git", "out-link", "absolute-link",
        "hard", "device", "pipe", "ok/file/below", "ok",
    }  # fmt: skip
    assert not (tmp_path / "outside").exists()
    assert verify(open_archive(str(tmp_path / "out"))).sound


def test_strange_names_are_kept_as_bytes(tmp_path):
    names = [b"latin-\xe9", b"line\nend", b"\x1b[31mred", b"a" * 4000, b"-rf", b"%s{}$(id)", b"deep/" * 700 + b"x"]
    source = run(tmp_path, tar(tmp_path / "odd.tar.gz", [(name, tarfile.REGTYPE, b"x") for name in names]))
    assert source.status == "full" and not source.notes
    assert set(entries_of(tmp_path / "out")) == set(names)
    assert verify(open_archive(str(tmp_path / "out"))).sound


def test_zip_names_links_modes_and_encryption(tmp_path):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, mode, data in [
            ("run.sh", stat.S_IFREG | 0o755, b"#!/bin/sh\n"),
            ("caf\u00e9.txt", stat.S_IFREG | 0o644, b"utf-8 name"),
            ("link", stat.S_IFLNK | 0o777, b"run.sh"),
            ("evil-link", stat.S_IFLNK | 0o777, b"../../etc/passwd"),
            ("long-link", stat.S_IFLNK | 0o777, b"x" * 70_000),
            ("../up", stat.S_IFREG | 0o644, b"x"),
            ("/abs", stat.S_IFREG | 0o644, b"x"),
            ("fifo", stat.S_IFIFO | 0o644, b""),
            ("cp437-X", stat.S_IFREG | 0o644, b"raw byte name"),
            ("nul-Y", stat.S_IFREG | 0o644, b"x"),
            ("locked", stat.S_IFREG | 0o644, b"x"),
        ]:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            file.writestr(info, data)
    data = path.read_bytes().replace(b"cp437-X", b"cp437-\xe9").replace(b"nul-Y", b"nul-\0")
    central = data.index(b"PK\x01\x02")
    at = data.rindex(b"PK\x01\x02", central, data.rindex(b"locked"))
    data = data[: at + 8] + b"\x01\x00" + data[at + 10 :]  # the flag "encrypted"
    path.write_bytes(data)
    source = run(tmp_path, path)
    assert source.status == "full", source.problem
    assert entries_of(tmp_path / "out") == {
        b"run.sh": 0o100755, "caf\u00e9.txt".encode(): 0o100644, b"link": 0o120000, b"cp437-\xe9": 0o100644,
    }  # fmt: skip
    reasons = {note.path: note.reason for note in source.notes}
    assert set(reasons) == {"evil-link", "long-link", "../up", "/abs", "fifo", "nul-\0", "locked"}
    assert reasons["locked"] == "encrypted entry"


def bomb(path, size):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("zeros", "w", force_zip64=True) as stream:
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return path


SMALL = Limits(total_bytes=50 << 20, entries=100, ratio=20, ratio_floor=1 << 20)


def test_a_zip_bomb_is_refused_as_a_whole(tmp_path):
    source = run(tmp_path, bomb(tmp_path / "bomb.zip", 64 << 20), limits=SMALL)
    assert source.status == "failed" and "bomb.zip would unpack to more than 1,3" in source.problem
    assert not list((tmp_path / "out" / "content").glob("*"))


def test_a_lying_size_does_not_get_past_the_limit(tmp_path):
    path = bomb(tmp_path / "bomb.zip", 64 << 20)
    data = path.read_bytes().replace((64 << 20).to_bytes(8, "little"), (10).to_bytes(8, "little"))
    data = data.replace((64 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    assert run(tmp_path, path, limits=SMALL).status == "failed"


@pytest.mark.parametrize("kind", ["entries", "bytes", "header", "sparse"])
def test_tar_bombs(tmp_path, kind):
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo("zeros")
        if kind == "entries":
            for number in range(200):
                file.addfile(tarfile.TarInfo(f"f{number}"))
        elif kind == "bytes":
            info.size = 20 << 20
            file.addfile(info, io.BytesIO(bytes(info.size)))
        elif kind == "header":
            info.pax_headers = {"comment": "x" * (40 << 20)}
            file.addfile(info)
        else:
            info.pax_headers = {
                "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(1 << 40),
                "GNU.sparse.map": "0,0",
            }  # fmt: skip
            file.addfile(info)
    source = run(tmp_path, path, limits=SMALL)
    assert source.status == "failed" and "would unpack to more than" in source.problem


def test_archives_inside_are_contents_like_any_other(tmp_path):
    inner = bomb(tmp_path / "inner.zip", 16 << 20).read_bytes()
    source = run(tmp_path, tar(tmp_path / "outer.tar.gz", [("inner.zip", tarfile.REGTYPE, inner)]), limits=SMALL)
    assert source.status == "full" and entries_of(tmp_path / "out") == {b"inner.zip": 0o100755}


def test_every_cut_of_an_archive_fails_or_keeps_its_tree_sound(tmp_path):
    whole = tar(tmp_path / "whole.tar.gz", [(f"f{at}", tarfile.REGTYPE, bytes([at]) * 600) for at in range(20)])
    plain = zlib.decompress(whole.read_bytes(), 31)
    for number, (name, data) in enumerate(
        [("cut.tar.gz", whole.read_bytes()[:size]) for size in (0, 5, 200)]
        + [("cut.tar", plain[:size]) for size in (100, 700, 3000)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_bytes(data)
        source = run(folder, folder / name)
        assert source.status == "failed" and name in source.problem
