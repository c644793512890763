"""Exchange: the one way rows change partitions.

A scatter worker writes its rows into one *bucket file*: a Parquet file each of whose row groups holds rows of
one bucket, with the list of their bucket numbers in the file's metadata. A gather worker
reads the same bucket from every scatter output. M scatter tasks and B buckets make M files, not M×B.

Cost: each row is hashed, sorted in its task, written and read once. Memory: one task's rows when
scattering (FLUSH_BYTES if they come piece by piece), one bucket when gathering. The bucket of a key depends
on the key and B alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foundation.errors import InternalError
from foundation.frames import arrow, frame
from foundation.storage import write_atomically
from foundation.tables import WORK_ZSTD_LEVEL, conform, read_table
from foundation.tasks import Part, Task

FLUSH_BYTES = 128 << 20  # of rows in memory that a bucket file may hold back
_META = b"gristmill.buckets"


def bucket_count(total_bytes: int, *, bytes_each: int = 256 << 20) -> int:
    """Buckets for `total_bytes` of rows, about `bytes_each` in memory apiece; a function of the data alone."""
    return max(1, -(-total_bytes // bytes_each))


def bucket_of(keys: pa.ChunkedArray | pa.Array, buckets: int) -> npt.NDArray[np.int64]:
    """Bucket number (int64) of each key: CRC-like FNV-1a over its UTF-8/binary bytes, modulo `buckets`.

    Stable over processes, machines and library versions. Nulls go to bucket 0.
    """
    if buckets == 1:
        return np.zeros(len(keys), dtype=np.int64)
    flat = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks)
    if pa.types.is_integer(flat.type):
        mixed = flat.to_numpy(zero_copy_only=False).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        numbers: npt.NDArray[np.int64] = ((mixed >> np.uint64(32)) % np.uint64(buckets)).astype(np.int64)
        return numbers
    binary = flat.cast(pa.large_binary()) if not pa.types.is_large_binary(flat.type) else flat
    return (_fnv1a(pc.fill_null(binary, b"")) % np.uint64(buckets)).astype(np.int64)


def _fnv1a(binary: pa.LargeBinaryArray) -> npt.NDArray[np.uint64]:
    """64-bit FNV-1a of each value, vectorised over byte position (http://www.isthe.com/chongo/tech/comp/fnv/)."""
    offsets = np.frombuffer(binary.buffers()[1], dtype=np.int64)[binary.offset : binary.offset + len(binary) + 1]
    data = np.frombuffer(binary.buffers()[2] or b"", dtype=np.uint8)
    lengths = offsets[1:] - offsets[:-1]
    state = np.full(len(binary), 0xCBF29CE484222325, dtype=np.uint64)
    live = np.arange(len(binary))
    for position in range(int(lengths.max(initial=0))):
        live = live[lengths[live] > position]
        byte = data[offsets[live] + position].astype(np.uint64)
        state[live] = (state[live] ^ byte) * np.uint64(0x100000001B3)
    return state ^ (state >> np.uint64(32))


def scatter(
    task: Task,
    output: str,
    table: pa.Table,
    schema: pa.Schema,
    *,
    key: str,
    buckets: int,
    sort: bool = True,
    pack: bool = True,
) -> None:
    """Write `table` as the bucket file `output`, rows sorted by (bucket, key, their order in `table`).

    Without `sort` the key plays no part in the order (which costs a copy of wide rows and helps nothing but
    compression); without `pack` columns are written plain (hashes, which no compressor makes smaller).
    """
    with bucket_file(task, output, schema, key=key, buckets=buckets, pack=pack) as file:
        file.write(table, sort=sort)


@contextlib.contextmanager
def bucket_file(
    task: Task, output: str, schema: pa.Schema, *, key: str, buckets: int, pack: bool = True
) -> Iterator[BucketFile]:
    """The bucket file `output`, to be filled table by table; it is there whole, or not at all."""
    with (
        write_atomically(task.output_path(output)) as temp,
        pq.ParquetWriter(
            temp,
            schema,
            compression="zstd" if pack else "none",
            compression_level=WORK_ZSTD_LEVEL if pack else None,
            use_dictionary=pack,
            write_page_checksum=True,
        ) as writer,
    ):
        file = BucketFile(writer, schema, key, buckets)
        yield file
        file.flush()
        meta = json.dumps({"buckets": buckets, "groups": file.groups})
        writer.add_key_value_metadata({_META: meta.encode()})


@dataclasses.dataclass
class BucketFile:
    """Rows on their way into a bucket file: those of `FLUSH_BYTES` are held, then written bucket by bucket.

    `groups` are the buckets of the row groups written so far; a bucket has one for each flush that had rows of it.
    """

    writer: pq.ParquetWriter
    schema: pa.Schema
    key: str
    buckets: int
    groups: list[int] = dataclasses.field(default_factory=list)
    held: list[pa.Table] = dataclasses.field(default_factory=list)

    def add(self, table: pa.Table) -> None:
        """Rows that may be held until the next flush; their order within a bucket is that of their coming."""
        self.held.append(conform(table, self.schema))
        if sum(each.nbytes for each in self.held) >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self.held:
            self.write(pa.concat_tables(self.held), sort=False)
            self.held = []

    def write(self, table: pa.Table, *, sort: bool) -> None:
        """Write `table` now, a row group a bucket."""
        rows = conform(table, self.schema)
        numbers = bucket_of(rows[self.key], self.buckets)
        if self.buckets > 1:
            order = np.argsort(numbers, kind="stable")
            rows, numbers = rows.take(pa.array(order)), numbers[order]
        present, starts = np.unique(numbers, return_index=True)
        ends = np.append(starts[1:], len(numbers))[: len(starts)]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            group = rows.slice(start, end - start)
            ordered = _sorted(group, self.key) if sort else group
            self.writer.write_table(ordered, row_group_size=end - start)
        self.groups += present.tolist()


def _sorted(rows: pa.Table, key: str) -> pa.Table:
    return arrow(frame(rows).sort(key, maintain_order=True), rows.schema)


def gather(task: Task, name: str, bucket: int, schema: pa.Schema, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Bucket `bucket` of every part of input `name`, concatenated in the order of the parts.

    An absent bucket gives an empty table of `schema`; the caller sorts by a total order before any choice.
    """
    chosen = schema if columns is None else pa.schema([schema.field(column) for column in columns])
    found = [chosen.empty_table()]
    for part in task.inputs[name]:
        path = Path(task.root, part.path)
        for group in _groups_of(path, bucket):
            found.append(read_table(path, columns=columns, group=group).cast(chosen))
    return pa.concat_tables(found)


def _groups_of(path: Path, bucket: int) -> list[int]:
    return [group for group, number in enumerate(_numbers(path)) if number == bucket]


def _numbers(path: Path) -> list[int]:
    """Bucket of each row group."""
    metadata = pq.read_metadata(path).metadata or {}
    if _META not in metadata:
        raise InternalError(f"{path} is not a bucket file")
    groups: list[int] = json.loads(metadata[_META])["groups"]
    return groups


def buckets_present(root: str | Path, parts: Sequence[Part]) -> list[int]:
    """The bucket numbers that occur in any of `parts`, ascending."""
    seen: set[int] = set()
    for part in parts:
        seen.update(_numbers(Path(root, part.path)))
    return sorted(seen)
