"""Damage: verify names the damaged file, and reading never returns wrong rows."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from foundation.errors import ConfigError, IntegrityError
from manifests import load_manifest, open_release, verify


def _flip(path: Path, bit: int) -> None:
    """Flip one bit in place and put the old time stamps back."""
    stamp = path.stat()
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << (bit % 8)
    with path.open("r+b") as stream:
        stream.write(data)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def _kinds(release: Path) -> set[tuple[str, str]]:
    return {(problem.file, problem.kind) for problem in verify(release).problems}


def test_a_flipped_bit_anywhere_names_the_file_and_gives_no_wrong_row(copied: Path, rows: pl.DataFrame) -> None:
    rng = random.Random(20)
    files = sorted(path for path in copied.rglob("*") if path.is_file())
    named = [path for path in files if path.suffix != ".parquet"]
    for _ in range(50):
        path = rng.choice(named if rng.random() < 0.4 else files)
        bit = rng.randrange(path.stat().st_size * 8)
        _flip(path, bit)
        damaged = path.relative_to(copied).as_posix()
        assert {problem.file for problem in verify(copied).problems} == {damaged}
        try:
            read = open_release(copied).read()
        except IntegrityError as error:
            assert str(path) in str(error)
        else:
            assert path.suffix != ".parquet"
            assert damaged != "manifest.json"
            assert_frame_equal(read, rows)
        _flip(path, bit)
    assert verify(copied).ok
    assert_frame_equal(open_release(copied).read(), rows)


def test_damage_after_the_first_read_is_noticed(copied: Path) -> None:
    release = open_release(copied)
    shard = copied / release.manifest.shards[0].path
    release.scan().collect()
    _flip(shard, 8 * 40)
    with pytest.raises(IntegrityError, match="is damaged"):
        release.scan()
    with pytest.raises(IntegrityError, match="is damaged"):
        release.read(columns=["path"])


def test_only_the_shards_needed_are_read(copied: Path, rows: pl.DataFrame) -> None:
    release = open_release(copied)
    for shard in release.manifest.shards:
        if shard.language != "Python":
            (copied / shard.path).unlink()
    expected = rows.filter(pl.col("language") == "Python")
    assert_frame_equal(release.scan(languages="python").collect(), expected)
    with pytest.raises(IntegrityError, match="cannot read"):
        release.scan(languages="C#")


def test_the_levels_of_checking(copied: Path) -> None:
    manifest = load_manifest(copied)
    _flip(copied / "README.md", 9)
    assert open_release(copied).read(columns=["path"]).height == manifest.totals.rows
    with pytest.raises(IntegrityError, match=r"README\.md \(hash\)"):
        open_release(copied, verify="full")
    size = (copied / manifest.shards[0].path).stat().st_size
    _flip(copied / manifest.shards[0].path, 8 * (size // 2))
    assert not open_release(copied, verify="none").checked
    with pytest.raises(IntegrityError, match=r"part-00000\.parquet"):
        open_release(copied).read(columns=["path"])


def test_every_kind_of_damage_is_told_apart(copied: Path, tmp_path: Path) -> None:
    shards = [shard.path for shard in load_manifest(copied).shards]
    (copied / shards[0]).unlink()
    (copied / shards[1]).write_bytes((copied / shards[1]).read_bytes()[:-1])
    _flip(copied / shards[2], 4000)
    (copied / "data" / "extra.parquet").write_bytes(b"x")
    (copied / ".hidden").write_bytes(b"")
    (copied / shards[3]).unlink()
    (copied / shards[3]).symlink_to(shutil.copy(copied / shards[4], tmp_path / "outside"))
    (copied / "stats" / "funnel.csv").unlink()
    assert _kinds(copied) == {
        (shards[0], "missing"),
        (shards[1], "size"),
        (shards[2], "hash"),
        (shards[3], "unreadable"),
        (shards[3], "missing"),
        ("data/extra.parquet", "extra"),
        (".hidden", "extra"),
        ("stats/funnel.csv", "missing"),
    }


def test_a_damaged_manifest_does_not_hide_other_damage(copied: Path) -> None:
    shard = load_manifest(copied).shards[5].path
    _flip(copied / shard, 4000)
    (copied / "manifest.json").write_bytes(b"{}")
    assert _kinds(copied) == {("manifest.json", "manifest"), (shard, "hash")}
    (copied / "manifest.json").unlink()
    assert _kinds(copied) == {("manifest.json", "missing"), (shard, "hash")}


def test_damaged_and_hostile_checksum_files(copied: Path) -> None:
    sums = (copied / "SHA256SUMS").read_bytes()
    (copied / "SHA256SUMS").write_bytes(sums[: len(sums) // 2])
    assert _kinds(copied) == {("SHA256SUMS", "sums")}
    (copied / "SHA256SUMS").write_bytes(b"")
    assert _kinds(copied) == {("SHA256SUMS", "sums")}
    (copied / "SHA256SUMS").unlink()
    assert _kinds(copied) == {("SHA256SUMS", "missing")}
    (copied / "manifest.json").write_bytes(b"{}")
    (copied / "SHA256SUMS").write_bytes(sums + b"0" * 64 + b"  ../../../secret\n\xff\xfe\n")
    found = _kinds(copied)
    assert found == {("manifest.json", "manifest"), ("SHA256SUMS", "sums")}
    assert len(verify(copied).problems) == 3


def test_what_is_no_release_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a release"):
        verify(tmp_path / "absent")
