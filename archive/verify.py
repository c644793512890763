"""Verify: every content re-hashed, every id that can be recomputed recomputed.

Checked: each `content` row's object (sha1, sha1_git, sha256, blake2s256, length) and each object no row
names (sha1); directories (git tree, or raw manifest) and that the directories below them are there;
snapshots; releases without author, revisions and releases with a raw manifest. Other revisions cannot
be recomputed, as an export hides people's names; their root directory must be there. Snapshots of an
export made without pull requests cannot either, and are not judged.

Cost: one read of everything. Memory: ids of all directories, and one table file's rows at a time.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from archive import contents, orc
from archive.objects import Branch, Entry, directory_id, hashes_of, release_manifest, snapshot_id
from archive.reader import Archive
from foundation.errors import ArchiveError
from foundation.storage import ObjectInfo
from foundation.swhid import git_object_id

_BATCH = 1024
_MAX_OBJECT_BYTES = 2 << 30


@dataclasses.dataclass(frozen=True, order=True)
class Damage:
    """One thing that is not what it should be: the file (key in the archive), the object in it, and what is wrong."""

    file: str
    object: str
    problem: str


@dataclasses.dataclass(frozen=True)
class VerifyReport:
    """Objects checked by kind, and all damage found, sorted."""

    checked: dict[str, int]
    damage: tuple[Damage, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damage


def verify(archive: Archive, *, workers: int = 8) -> VerifyReport:
    """Check everything in `archive`; damage is reported, storage failures raise."""
    check = _Check(archive, workers)
    check.contents()
    check.directories()
    check.snapshots()
    check.releases()
    check.revisions()
    return VerifyReport(dict(sorted(check.checked.items())), tuple(sorted(set(check.damage))))


class _Check:
    def __init__(self, archive: Archive, workers: int) -> None:
        self.archive, self.store, self.workers = archive, archive.store, workers
        self.checked: dict[str, int] = {}
        self.damage: list[Damage] = []
        self.directory_ids: set[bytes] = set()

    def contents(self) -> None:
        """Objects of the content table, then objects that it does not name."""
        columns = ["sha1", "sha1_git", "sha256", "blake2s256", "length", "status"]
        seen: set[bytes] = set()
        for info, table in self._files("content", columns):
            rows = [row for row in table.to_pylist() if row["status"] == "visible"]
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                objects = contents.read_objects(self.store, [row["sha1"] for row in batch], workers=self.workers)
                for row, stored in zip(batch, objects, strict=True):
                    self._content(info, row, stored)
            seen.update(_digest(row["sha1"]) for row in rows)
        names = [info.key.rpartition("/")[2] for info in self.store.list(contents.FOLDER)]
        rest = [name for name in names if _digest(name) not in seen]
        for name, stored in zip(rest, contents.read_objects(self.store, rest, workers=self.workers), strict=True):
            self._count("content (in no table)")
            raw, problem = _inflated(stored)
            if problem or raw is None or hashes_of(raw).sha1 != name:
                self._bad(contents.key_of(name), name, problem or contents.HASH_MISMATCH)

    def _content(self, info: ObjectInfo, row: dict[str, Any], stored: bytes | FileNotFoundError) -> None:
        self._count("content")
        raw, problem = _inflated(stored)
        if raw is None:
            self._bad(contents.key_of(row["sha1"]), f"swh:1:cnt:{row['sha1_git']}", str(problem))
            return
        found = dataclasses.asdict(hashes_of(raw))
        wrong = [name for name, value in found.items() if row[name] is not None and row[name] != value]
        if "sha1" in wrong:
            self._bad(contents.key_of(row["sha1"]), f"swh:1:cnt:{row['sha1_git']}", contents.HASH_MISMATCH)
        elif wrong:
            self._bad(info.key, f"content {row['sha1']}", f"{', '.join(wrong)} differ from the object's bytes")

    def directories(self) -> None:
        """Ids from entries or raw manifests; then that every directory below is there."""
        manifests: dict[bytes, tuple[str, bytes | None]] = {}
        for info, table in self._files("directory", ["id", "raw_manifest"]):
            for row in table.to_pylist():
                manifests[_digest(row["id"])] = (info.key, row["raw_manifest"])
        self.directory_ids = set(manifests)
        empty = set(manifests)
        columns = ["directory_id", "name", "type", "target", "perms"]
        for info, table in self._files("directory_entry", columns):
            for name, rows in _groups(table, "directory_id"):
                empty.discard(_digest(name))
                _, raw = manifests.get(_digest(name), ("", None))
                self._directory(info.key, name, rows, raw)
        for digest in sorted(empty):
            self._directory(manifests[digest][0], digest.hex(), [], manifests[digest][1])

    def _directory(self, key: str, name: str, rows: Sequence[dict[str, Any]], raw: bytes | None) -> None:
        self._count("directory")
        entries = {Entry(row["name"], row["perms"] & 0xFFFFFFFF, row["target"]) for row in rows}
        self._compare(key, f"swh:1:dir:{name}", name, partial(directory_id, entries, raw))
        if _digest(name) not in self.directory_ids:
            self._bad(key, f"swh:1:dir:{name}", "has entries but no row in table directory")
        for row in rows:
            if row["type"] == "dir" and _digest(row["target"]) not in self.directory_ids:
                self._bad(key, f"swh:1:dir:{name}", f"its directory {row['target']} is missing")

    def snapshots(self) -> None:
        """Ids from branches, unless the export left branches out."""
        if self._without_pull_requests():
            return
        columns = ["snapshot_id", "name", "target", "target_type"]
        for info, table in self._files("snapshot_branch", columns):
            for name, rows in _groups(table, "snapshot_id"):
                self._count("snapshot")
                self._compare(info.key, f"swh:1:snp:{name}", name, partial(_snapshot_id, rows))

    def releases(self) -> None:
        """Ids of releases whose manifest holds no person."""
        columns = ["id", "name", "message", "target", "target_type", "author", "raw_manifest"]
        for info, table in self._files("release", columns):
            for row in table.to_pylist():
                self._count("release")
                if row["raw_manifest"] is not None:
                    self._compare(info.key, f"swh:1:rel:{row['id']}", row["id"], partial(_raw_id, row))
                elif row["author"] is None:
                    self._compare(info.key, f"swh:1:rel:{row['id']}", row["id"], partial(_release_id, row))

    def revisions(self) -> None:
        """Ids of raw manifests, and that root directories are there."""
        for info, table in self._files("revision", ["id", "directory", "raw_manifest"]):
            for row in table.to_pylist():
                self._count("revision")
                if row["raw_manifest"] is not None:
                    self._compare(info.key, f"swh:1:rev:{row['id']}", row["id"], partial(_raw_id, row))
                if _digest(row["directory"]) not in self.directory_ids:
                    self._bad(info.key, f"swh:1:rev:{row['id']}", f"its directory {row['directory']} is missing")

    def _files(self, table: str, columns: Sequence[str]) -> Iterator[tuple[ObjectInfo, pa.Table]]:
        """Each readable file of `table`, whole; unreadable ones are damage."""
        for info in self.archive.files(table):
            try:
                yield info, orc.read_table(self.store, [info], table=table, columns=columns)
            except ArchiveError as error:
                self._bad(info.key, "", error.message)

    def _compare(self, key: str, swhid: str, expected: str, compute: Callable[[], str]) -> None:
        try:
            found = compute()
        except (ValueError, TypeError, KeyError, AttributeError):  # hashes that are not hex, nulls
            found = "nothing that can be hashed"
        if found != expected:
            self._bad(key, swhid, f"its rows give {found}")

    def _without_pull_requests(self) -> bool:
        try:
            config = json.loads(self.store.read(f"graph/{self.archive.export}/meta/export.json"))
        except (FileNotFoundError, ValueError):
            return False
        options = [config, config.get("orc")] if isinstance(config, dict) else []
        return any(isinstance(part, dict) and part.get("remove_pull_requests") for part in options)

    def _count(self, kind: str) -> None:
        self.checked[kind] = self.checked.get(kind, 0) + 1

    def _bad(self, key: str, name: str, problem: str) -> None:
        self.damage.append(Damage(key, name, problem))


def _digest(name: str | None) -> bytes:
    """The id as 20 bytes, to keep many; what is not hex is kept as it is."""
    try:
        return bytes.fromhex(name or "")
    except ValueError:
        return (name or "").encode("utf-8", "surrogateescape")


def _inflated(stored: bytes | FileNotFoundError) -> tuple[bytes | None, str | None]:
    if not isinstance(stored, bytes):
        return None, contents.MISSING
    return contents.inflate(stored, max_bytes=_MAX_OBJECT_BYTES)


def _groups(table: pa.Table, column: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Rows by the value of `column`, in its order."""
    rows = table.sort_by(column).to_pylist()
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at][column] != rows[start][column]:
            yield rows[start][column], rows[start:at]
            start = at


def _snapshot_id(rows: Sequence[dict[str, Any]]) -> str:
    branches: dict[bytes, Branch] = {}
    for row in rows:
        target, kind = row["target"], row["target_type"]
        branches[row["name"]] = Branch(bytes.fromhex(target) if kind == "alias" else target, kind)
    return snapshot_id(sorted(branches.items()))


def _release_id(row: dict[str, Any]) -> str:
    manifest = release_manifest(
        target=row["target"], target_type=row["target_type"], name=row["name"], message=row["message"]
    )
    return git_object_id("tag", manifest)


def _raw_id(row: dict[str, Any]) -> str:
    return hashes_of(row["raw_manifest"]).sha1
