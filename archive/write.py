"""Writing an archive: content objects first, then tables, children before parents.

`Rows` collects the table rows of one source; `ArchiveWriter` puts contents into `content/<sha1>` as they
come and, at `commit`, new ORC files into `graph/<export>/orc/<table>/`. Invariants:
- a file under its final name is whole; nothing refers to an object that is not yet durable;
- an ORC file's name is a UUID made from its rows, so the same rows again are the same file;
- objects that the archive already has get no second row.

Memory: the rows not yet committed (see OBJECTS_BEFORE_COMMIT); contents above STREAM_BYTES never whole.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import itertools
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeAlias
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyorc
from pyorc.converters import ORCConverter
from pyorc.enums import CompressionKind, TypeKind

from archive import contents, orc
from archive.objects import Branch, Entry, Hasher, Hashes, Moment, directory_id, hashes_of, snapshot_id
from archive.tables import REQUIRED, SPECS
from foundation.canonical import canonical_json
from foundation.errors import ConflictError, IntegrityError, StorageError
from foundation.storage import remove_stale, sync_all, write_atomically
from foundation.storage.atomic import storage_error
from foundation.storage.local import LocalStore

Row: TypeAlias = tuple[Any, ...]

OBJECTS_BEFORE_COMMIT = 200_000
STREAM_BYTES = 8 << 20  # contents above this are hashed and compressed block by block
_BLOCK = 1 << 20
_TOO_LARGE = "Content too large"  # Software Heritage's own words
_COLLISION = "Hash collision: another content has the same sha1"

# Children before parents; relations before the table they extend.
COMMIT_ORDER = (
    "content",
    "skipped_content",
    "directory_entry",
    "directory",
    "revision_history",
    "revision_extra_headers",
    "revision",
    "release",
    "snapshot_branch",
    "snapshot",
    "origin",
    "origin_visit",
    "origin_visit_status",
)
_MAIN = tuple(table for table in COMMIT_ORDER if not SPECS[table].extends)
_VISITS = ("origin_visit", "origin_visit_status")


class SourceChangedError(IntegrityError):
    """A source file changed or ended early while it was read."""


class Rows:
    """Rows of every table, each object once; main tables by id, relation rows by the id they extend."""

    def __init__(self) -> None:
        self.main: dict[str, dict[str, Row]] = {table: {} for table in _MAIN}
        self.related: dict[str, dict[str, list[Row]]] = {table: {} for table, spec in SPECS.items() if spec.extends}

    def __len__(self) -> int:
        """How many objects there are (rows of main tables)."""
        return sum(map(len, self.main.values()))

    def update(self, other: Rows) -> None:
        """Take over the rows of `other`; what is known stays."""
        for table, rows in other.main.items():
            for key, row in rows.items():
                self.main[table].setdefault(key, row)
        for table, groups in other.related.items():
            for key, group in groups.items():
                self.related[table].setdefault(key, group)

    def content(self, hashes: Hashes, *, skipped: str = "") -> None:
        """A content: archived, or with the reason why it was `skipped`."""
        names = dataclasses.astuple(hashes)
        if skipped:
            self.main["skipped_content"][hashes.sha256] = (*names, "absent", skipped)
        else:
            self.main["content"][hashes.sha1] = (*names, "visible", None)

    def directory(self, entries: Sequence[Entry], raw_manifest: bytes | None = None) -> str:
        """A directory; returns its id."""
        name = directory_id(entries, raw_manifest)
        if name not in self.main["directory"]:
            self.main["directory"][name] = (name, raw_manifest)
            self.related["directory_entry"][name] = [
                (name, entry.name, entry.type, entry.target, entry.mode) for entry in sorted(entries)
            ]
        return name

    def snapshot(self, branches: Mapping[bytes, Branch]) -> str:
        """A snapshot; returns its id. Alias targets are stored as hex of the branch name, as the exporter does."""
        name = snapshot_id(sorted(branches.items()))
        self.main["snapshot"][name] = (name,)
        self.related["snapshot_branch"][name] = [
            (name, branch, to.target.hex() if isinstance(to.target, bytes) else to.target, to.target_type)
            for branch, to in sorted(branches.items())
        ]
        return name

    def release(
        self,
        name_id: str,
        *,
        name: bytes,
        message: bytes | None,
        target: tuple[str, str],
        author: bytes | None = None,
        date: Moment | None = None,
    ) -> None:
        """A release with its id; `target` is (id, type), `author` a full name, kept as its SHA-256 only."""
        self.main["release"][name_id] = (name_id, name, message, *target, _person(author), *_when(date), None)

    def revision(
        self,
        name_id: str,
        *,
        directory: str,
        message: bytes | None,
        author: tuple[bytes | None, Moment | None],
        committer: tuple[bytes | None, Moment | None],
        parents: Sequence[str] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """A git revision with its id; people's names are kept as SHA-256 only."""
        self.main["revision"][name_id] = (
            name_id,
            message,
            _person(author[0]),
            *_when(author[1]),
            _person(committer[0]),
            *_when(committer[1]),
            directory,
            "git",
            None,
        )
        history = [(name_id, parent, rank) for rank, parent in enumerate(parents)]
        self.related["revision_history"][name_id] = history
        self.related["revision_extra_headers"][name_id] = [(name_id, key, value) for key, value in headers]

    def visit(self, *, origin: str, visit: int, date: int, visit_type: str, snapshot: str | None, status: str) -> None:
        """A finished visit at `date` (microseconds since 1970): its origin, the visit, and both status rows.

        The `created` row lies one microsecond before, so that the final status is the latest by date alone.
        """
        key, when = f"{origin} {visit}", _micro(date)
        self.main["origin"][origin] = (hashlib.sha1(origin.encode(), usedforsecurity=False).hexdigest(), origin)
        self.main["origin_visit"][key] = (origin, visit, when, visit_type)
        self.main["origin_visit_status"][key + " created"] = (
            origin,
            visit,
            _micro(date - 1),
            "created",
            None,
            visit_type,
        )
        self.main["origin_visit_status"][key] = (origin, visit, when, status, snapshot, visit_type)


def _person(full_name: bytes | None) -> bytes | None:
    return None if full_name is None else hashlib.sha256(full_name).digest()


def _when(moment: Moment | None) -> tuple[tuple[int, int] | None, int | None, bytes | None]:
    if moment is None or abs(moment.seconds) >= 2**62:
        return None, None, None
    return (moment.seconds, 0), moment.offset, moment.raw_offset


def _micro(date: int) -> tuple[int, int]:
    seconds, rest = divmod(date, 1_000_000)
    return seconds, rest * 1000


class ArchiveWriter:
    """Appends to the archive folder `out` (made if need be), export `export`; a context that holds its lock."""

    def __init__(self, out: str | Path, *, export: str, max_content_bytes: int) -> None:
        self.out, self.export, self.max_content_bytes = Path(out), export, max_content_bytes
        self.contents_written = 0
        self._lock: BinaryIO | None = None

    def __enter__(self) -> ArchiveWriter:
        folder = self.out / "graph" / self.export
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = open(folder / ".lock", "wb")
        except OSError as error:
            raise storage_error(error, folder) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise ConflictError(
                f"another process writes to {self.out}", hint="wait until it has finished, then run this again"
            ) from error
        remove_stale(self.out / contents.FOLDER)
        remove_stale(folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    def add(self, rows: Rows, data: bytes) -> Hashes:
        """Store a content that is in memory and note its row; one above the limit is noted as skipped."""
        hashes = hashes_of(data)
        if len(data) > self.max_content_bytes:
            rows.content(hashes, skipped=_TOO_LARGE)
        else:
            rows.content(hashes, skipped="" if self._store(hashes, data) else _COLLISION)
        return hashes

    def add_stream(self, rows: Rows, stream: BinaryIO, length: int) -> Hashes:
        """Store `length` bytes from `stream`, in blocks when they are many; SourceChangedError if it ends early."""
        if length <= min(STREAM_BYTES, self.max_content_bytes):
            data = _read_exactly(stream, length)
            return self.add(rows, data)
        blocks = _Hashed(_blocks(stream, length), length)
        if length > self.max_content_bytes:
            for _ in blocks:
                pass
            rows.content(blocks.result(), skipped=_TOO_LARGE)
            return blocks.result()
        # the final name is known only at the end: the object waits under a temp name of its own
        waiting = self.out / contents.FOLDER / f".tmp-{uuid.uuid4().hex}"
        try:
            with write_atomically(waiting, sync=False) as temp, open(temp, "wb") as file:
                for block in _gzip(blocks):
                    file.write(block)
            hashes = blocks.result()
            path = self.out / contents.key_of(hashes.sha1)
            self.contents_written += not path.exists()
            waiting.replace(path)
        except StorageError:
            raise
        except OSError as error:
            raise storage_error(error, waiting) from error
        finally:
            waiting.unlink(missing_ok=True)
        rows.content(hashes)
        return hashes

    def commit(self, rows: Rows) -> None:
        """Append what is new of `rows` to the tables; afterwards the visits in it can be read."""
        sync_all()
        store = LocalStore.at(str(self.out))
        for table in _MAIN:
            fresh = self._fresh(store, table, rows.main[table])
            batch = uuid_of(table, fresh, {name: rows.related[name] for name in _relations(table)})
            for relation in _relations(table):
                groups = rows.related[relation]
                self._write(relation, batch, [row for key in sorted(fresh) for row in groups.get(key, ())])
            self._write(table, batch, [fresh[key] for key in sorted(fresh)])

    def _store(self, hashes: Hashes, data: bytes) -> bool:
        """Write the object unless it is there whole; False if another content with the same sha1 is."""
        path = self.out / contents.key_of(hashes.sha1)
        if path.is_file():
            held, _ = contents.inflate(path.read_bytes(), max_bytes=self.max_content_bytes)
            if held == data:
                return True
            if held is not None and hashes_of(held).sha1 == hashes.sha1:
                return False
        with write_atomically(path, sync=False) as temp:
            temp.write_bytes(b"".join(_gzip([data])))
        self.contents_written += 1
        return True

    def _fresh(self, store: LocalStore, table: str, rows: Mapping[str, Row]) -> dict[str, Row]:
        """The rows whose id the archive's table does not have yet."""
        if table in _VISITS or not rows:
            return dict(rows)
        column = {"content": "sha1", "skipped_content": "sha256", "origin": "url"}.get(table, "id")
        wanted, known = pa.array(sorted(rows), pa.string()), set()
        for batch in orc.read_batches(store, self._files(store, table), table=table, columns=[column]):
            found = batch[column]
            known.update(found.filter(pc.is_in(found, value_set=wanted)).to_pylist())
        return {key: row for key, row in rows.items() if key not in known}

    def _files(self, store: LocalStore, table: str) -> list[Any]:
        return [info for info in store.list(f"graph/{self.export}/orc/{table}") if info.key.endswith(".orc")]

    def _write(self, table: str, batch: uuid.UUID, rows: Sequence[Row]) -> None:
        folder = self.out / "graph" / self.export / "orc" / table
        path = folder / f"{table}-{batch}.orc"
        # an empty file says only that the table exists; a required table gets one, once
        useless = not rows and (table not in REQUIRED or (folder.is_dir() and any(folder.glob("*.orc"))))
        if not useless and not path.exists():
            write_orc(path, table, rows, batch)


def write_orc(path: Path, table: str, rows: Iterable[Row], batch: uuid.UUID) -> None:
    """One ORC file as Software Heritage's exporter writes it; timestamps in `rows` are (seconds, nanoseconds)."""
    spec = SPECS[table]
    with write_atomically(path) as temp, open(temp, "wb") as stream:
        writer = pyorc.Writer(
            stream,
            spec.orc_type,
            compression=CompressionKind.ZSTD,
            bloom_filter_columns=list(spec.bloom) or None,
            converters={TypeKind.TIMESTAMP: _Pair},
        )
        writer.set_user_metadata(swh_object_type=table.encode(), swh_uuid=str(batch).encode())
        writer.writerows(rows)
        writer.close()


class _Pair(ORCConverter):
    """Timestamps handed over as (seconds, nanoseconds), so that any year can be written."""

    @staticmethod
    def from_orc(*args: Any, **kwargs: Any) -> Any:
        """Never called: this converter only writes."""
        raise NotImplementedError

    @staticmethod
    def to_orc(obj: tuple[int, int], timezone: ZoneInfo) -> tuple[int, int]:  # noqa: ARG004
        """pyorc's hook."""
        return obj


def uuid_of(table: str, rows: Mapping[str, Row], related: Mapping[str, Mapping[str, Sequence[Row]]]) -> uuid.UUID:
    """A UUID named by the rows of a main table and its relations: equal rows, equal UUID."""
    digest = hashlib.sha256(table.encode())
    for key in sorted(rows):
        groups = [rows[key], *itertools.chain.from_iterable(groups.get(key, ()) for groups in related.values())]
        for row in groups:
            digest.update(canonical_json([_spelled(value) for value in row]))
    return uuid.UUID(bytes=digest.digest()[:16], version=5)


def _spelled(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _relations(table: str) -> list[str]:
    return [name for name in COMMIT_ORDER if SPECS[name].extends == table]


class _Hashed:
    """Passes blocks on and hashes them on the way."""

    def __init__(self, blocks: Iterable[bytes], length: int) -> None:
        self._blocks, self._hasher = blocks, Hasher(length)

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._hasher.update(block)
            yield block

    def result(self) -> Hashes:
        """The hashes, once every block has passed."""
        return self._hasher.result()


def _blocks(stream: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left:
        block = _checked(stream, min(left, _BLOCK))
        if not block:
            raise SourceChangedError(f"a file ended {left} bytes early", hint="did it change while it was read?")
        left -= len(block)
        yield block


def _read_exactly(stream: BinaryIO, length: int) -> bytes:
    return b"".join(_blocks(stream, length))


def _checked(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:  # not to be taken for a failure of the archive's disk
        raise SourceChangedError(f"cannot read a source file: {error}", hint="check the file and its disk") from error


def _gzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """gzip as Software Heritage's object storage writes it: zlib, default level, no name, no time."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    for block in blocks:
        yield packer.compress(block)
    yield packer.flush()
