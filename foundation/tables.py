"""Parquet tables on local disk: declared schemas, deterministic bytes, atomic writes.

The same table and options always give the same bytes: the writer's version is pinned by the lock
file, no timestamps or host names go into the file, and dictionary order follows row order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from foundation.canonical import sha256_file
from foundation.errors import IntegrityError, InternalError
from foundation.storage import write_atomically

WORK_ZSTD_LEVEL = 1
RELEASE_ZSTD_LEVEL = 7
ROW_GROUP_ROWS = 65_536
_DAMAGED = "the file is damaged; remove it and rebuild"


@dataclasses.dataclass(frozen=True)
class Written:
    """What a finished Parquet file holds: rows, size in bytes and SHA-256 (hex) of its bytes."""

    rows: int
    bytes: int
    sha256: str


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """`table` with exactly `schema`'s columns and types, in its order; InternalError if one is missing."""
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise InternalError(f"table lacks declared columns {missing}; it has {table.column_names}")
    return table.select(schema.names).cast(schema)


def write_groups(
    path: str | Path,
    groups: Iterable[pa.Table],
    schema: pa.Schema,
    *,
    level: int = WORK_ZSTD_LEVEL,
    plain: Sequence[str] = (),
) -> Written:
    """Write each table of `groups` as one row group of the Parquet file `path`, atomically.

    Empty tables make no row group. zstd at `level`, statistics and page checksums on. `plain` names columns of
    hashes in a flat schema: they are stored as they are, since nothing makes them smaller.
    """
    rows = 0
    with write_atomically(path) as temp:
        with pq.ParquetWriter(
            temp,
            schema,
            **_encoding(schema, level, plain),
            write_page_checksum=True,
            write_page_index=True,
            store_schema=True,
        ) as writer:
            for group in groups:
                if group.num_rows:
                    writer.write_table(conform(group, schema), row_group_size=max(1, group.num_rows))
                    rows += group.num_rows
        size, digest = temp.stat().st_size, sha256_file(temp)
    return Written(rows=rows, bytes=size, sha256=digest)


def _encoding(schema: pa.Schema, level: int, plain: Sequence[str]) -> dict[str, Any]:
    if not plain:
        return {"compression": "zstd", "compression_level": level}
    packed = [name for name in schema.names if name not in plain]
    return {
        "compression": {name: "zstd" if name in packed else "none" for name in schema.names},
        "compression_level": dict.fromkeys(packed, level),
        "use_dictionary": packed,
        "write_statistics": packed,
    }


def write_table(
    path: str | Path,
    table: pa.Table,
    schema: pa.Schema,
    *,
    level: int = WORK_ZSTD_LEVEL,
    plain: Sequence[str] = (),
) -> Written:
    """Write `table` to `path` in row groups of at most ROW_GROUP_ROWS rows; see `write_groups`."""
    starts = range(0, table.num_rows, ROW_GROUP_ROWS)
    groups = (table.slice(at, ROW_GROUP_ROWS) for at in starts)
    return write_groups(path, groups, schema, level=level, plain=plain)


def read_table(path: str | Path, *, columns: Sequence[str] | None = None, group: int | None = None) -> pa.Table:
    """One Parquet file (or its row group `group`), checksums verified; IntegrityError names a damaged file."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if group is not None:
                return file.read_row_group(group, columns=columns)
            return file.read(columns=columns)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"cannot read {path}: {error}", hint=_DAMAGED) from error


def read_batches(path: str | Path, *, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of one Parquet file, one at a time, in order; memory is one row group."""
    for group in range(group_count(path)):
        yield read_table(path, columns=columns, group=group)


def group_count(path: str | Path) -> int:
    """How many row groups the Parquet file has (reads the footer only)."""
    try:
        with pq.ParquetFile(path) as file:
            return int(file.num_row_groups)
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"cannot read {path}: {error}", hint=_DAMAGED) from error
