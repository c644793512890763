"""Opening an archive: which export, which files, and an identity that does not depend on where it lies."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping

from archive import metadata as repositories
from archive.contents import FOLDER
from archive.tables import REQUIRED, SPECS
from foundation.canonical import Json, fingerprint, sha256_bytes
from foundation.errors import ArchiveError, UsageError
from foundation.storage import ObjectInfo, S3Settings, Store, open_store
from foundation.storage.threads import ordered_map

# An ORC file's tail holds its footer and the statistics of its columns and stripes: enough to tell files apart.
TAIL_BYTES = 16 << 10
_WORKERS = 8


@dataclasses.dataclass(frozen=True)
class Archive:
    """One export in an archive: `store` for its files and contents, `tables` by name, URI of the metadata file."""

    uri: str
    export: str
    store: Store = dataclasses.field(repr=False)
    tables: Mapping[str, tuple[ObjectInfo, ...]] = dataclasses.field(repr=False)
    metadata: str | None = None
    s3: S3Settings | None = None

    def files(self, table: str) -> tuple[ObjectInfo, ...]:
        """The ORC files of `table`, by key; empty when the export has none."""
        if table not in SPECS:
            raise UsageError(f"Software Heritage has no table {table!r}", hint=f"one of {', '.join(sorted(SPECS))}")
        return self.tables.get(table, ())

    def identity(self) -> Json:
        """What the archive is, as JSON: the same for the same bytes from a folder or a bucket, in any order.

        For each table: how many files, their bytes, and the SHA-256 over the sorted (size, SHA-256 of
        the last 16 KiB) of its files. Contents need no part in it: their names are their hashes.
        """
        named = [(table, info) for table in sorted(self.tables) for info in self.tables[table]]
        tags = list(ordered_map(lambda pair: _tail(self.store, pair[1]), named, workers=_WORKERS))
        by_table: dict[str, list[tuple[int, str]]] = {table: [] for table in sorted(self.tables)}
        for (table, info), tag in zip(named, tags, strict=True):
            by_table[table].append((info.size, tag))
        tables: dict[str, Json] = {
            table: {
                "files": len(files),
                "bytes": sum(size for size, _ in files),
                "sha256": fingerprint([[size, tag] for size, tag in sorted(files)]),
            }
            for table, files in by_table.items()
            if files
        }
        digest = None if self.metadata is None else sha256_bytes(repositories.read_bytes(self.metadata, s3=self.s3))
        return {"export": self.export, "tables": tables, "metadata": digest}


def open_archive(
    uri: str, *, export: str | None = None, s3: S3Settings | None = None, metadata: str | None = None
) -> Archive:
    """The archive at `uri` (folder or `s3://bucket/prefix`), its newest export by name unless `export` is told.

    `metadata`: a repositories file elsewhere; otherwise `<uri>/repositories.parquet` is used if it is there.
    Raises ArchiveError when it is not an archive or lacks a required table, UsageError for an unknown export.
    """
    store = open_store(uri, s3=s3)
    chosen = _choose(store, export)
    root = f"graph/{chosen}/orc"
    present = store.folders(root)
    tables = {
        table: tuple(sorted(_orc_files(store, f"{root}/{table}"), key=lambda info: info.key))
        for table in sorted(SPECS)
        if table in present
    }
    missing = [table for table in REQUIRED if not tables.get(table)]
    if missing:
        raise ArchiveError(
            f"export {chosen} at {store.uri} lacks the tables {', '.join(missing)}",
            hint=f"expected ORC files in {root}/<table>/; was the download finished?",
        )
    if FOLDER not in store.folders() and any(info.size for info in tables["content"]) and _has_rows(store, tables):
        raise ArchiveError(
            f"{store.uri} has no folder {FOLDER}/", hint=f"contents are expected as {FOLDER}/<sha1>, gzip"
        )
    if metadata is None and store.exists(repositories.FILE_NAME):
        metadata = f"{store.uri}/{repositories.FILE_NAME}"
    return Archive(store.uri, chosen, store, tables, metadata, s3)


def exports(store: Store) -> tuple[str, ...]:
    """Names of the exports that hold ORC tables, oldest name first."""
    return tuple(name for name in store.folders("graph") if store.folders(f"graph/{name}/orc"))


def _choose(store: Store, export: str | None) -> str:
    if export is not None:
        if "/" in export or not store.folders(f"graph/{export}/orc"):
            raise UsageError(
                f"{store.uri} has no export {export!r}", hint=f"it has {', '.join(exports(store)) or 'none'}"
            )
        return export
    # newest first, so that on a bucket with many exports few requests are made
    for name in reversed(store.folders("graph")):
        if store.folders(f"graph/{name}/orc"):
            return name
    raise ArchiveError(
        f"{store.uri} is not an archive: it has no graph/<date>/orc/ folder",
        hint="give the folder that holds graph/ and content/; `gristmill archive ingest` makes one",
    )


def _orc_files(store: Store, folder: str) -> list[ObjectInfo]:
    return [info for info in store.list(folder) if info.key.endswith(".orc")]


def _has_rows(store: Store, tables: Mapping[str, tuple[ObjectInfo, ...]]) -> bool:
    from archive.orc import stripes

    return any(stripes(store, info.key) for info in tables["content"])


def _tail(store: Store, info: ObjectInfo) -> str:
    with store.open(info.key) as stream:
        stream.seek(max(0, info.size - TAIL_BYTES), io.SEEK_SET)
        return sha256_bytes(stream.read(TAIL_BYTES))
