"""Typed reading of ORC tables, stripe by stripe.

What comes out has the columns asked for, in that order, with the types of `archive.tables`; a column
that the file lacks is null. Timestamps are microseconds UTC: values that pyarrow refuses (it reads ORC
time as nanoseconds, years 1677 to 2262) are read raw with pyorc; only what exceeds int64 microseconds
is null. Damage raises ArchiveError with the file's key.

Cost: one pass over a stripe's bytes; memory is one stripe, decoded. From a remote store a stripe is
fetched whole by one range request, as ORC's own small reads would cost a round trip each.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyorc
from pyarrow import orc
from pyorc.converters import ORCConverter
from pyorc.enums import TypeKind

from archive.tables import SPECS
from foundation.errors import ArchiveError, GristmillError, UsageError
from foundation.schema import TIMESTAMP
from foundation.storage import ObjectInfo, Store

_HINT = "the file is damaged or cut short; fetch it again from where the archive came from"
_MICROSECONDS = 1_000_000


@dataclasses.dataclass(frozen=True)
class StripeInfo:
    """One stripe of an ORC file: its number from 0, rows, and byte range in the file."""

    index: int
    rows: int
    offset: int
    length: int


def stripes(store: Store, key: str) -> list[StripeInfo]:
    """The stripes of the file `key`, in order; reads the file's tail only. ArchiveError if it is damaged."""
    with _opened(store, key) as opened:
        return _stripes(opened.file, key)


def read_stripe(store: Store, key: str, stripe: int | StripeInfo, *, table: str, columns: Sequence[str]) -> pa.Table:
    """Stripe `stripe` (number or StripeInfo) of the file `key` of `table`, with `columns` in that order.

    Raises UsageError for a column the table does not declare, ArchiveError for damage or a column of
    another type, FileNotFoundError, StorageError.
    """
    spec, index = SPECS[table], stripe if isinstance(stripe, int) else stripe.index
    unknown = [name for name in columns if name not in spec.schema.names]
    if unknown:
        raise UsageError(f"table {table} has no column {unknown}", hint=f"its columns are {spec.schema.names}")
    with _opened(store, key) as opened:
        found = _stripes(opened.file, key)
        if not 0 <= index < len(found):
            raise ArchiveError(f"{key} has {len(found)} stripes, not number {index}", hint=_HINT)
        if opened.window is not None:
            opened.window.load(found[index].offset, found[index].length)
        arrays = _columns(opened, index, [name for name in columns if name in opened.file.schema.names])
        for name, array in arrays.items():
            if len(array) != found[index].rows:
                raise ArchiveError(
                    f"{key}: stripe {index} gave {len(array)} of {found[index].rows} rows of {name}", hint=_HINT
                )
    schema = pa.schema([spec.schema.field(name) for name in columns])
    rows = found[index].rows
    filled = [arrays[f.name] if f.name in arrays else pa.nulls(rows, f.type) for f in schema]
    return pa.table([_typed(array, field, key) for array, field in zip(filled, schema, strict=True)], schema=schema)


def read_batches(
    store: Store, files: Sequence[ObjectInfo], *, table: str, columns: Sequence[str]
) -> Iterator[pa.Table]:
    """Every stripe of every file of `files`, in order, one at a time."""
    for info in files:
        for stripe in stripes(store, info.key):
            yield read_stripe(store, info.key, stripe, table=table, columns=columns)


def read_table(store: Store, files: Sequence[ObjectInfo], *, table: str, columns: Sequence[str]) -> pa.Table:
    """All of `files` as one table, in memory; for small tables."""
    schema = pa.schema([SPECS[table].schema.field(name) for name in columns])
    return pa.concat_tables([schema.empty_table(), *read_batches(store, files, table=table, columns=columns)])


class _Window(io.RawIOBase):
    """A remote file of which one byte range is held in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream, self._start, self._held, self._at = stream, 0, b"", 0
        self._size = stream.seek(0, io.SEEK_END)

    def load(self, start: int, length: int) -> None:
        """Hold `length` bytes from `start`, fetched by one read."""
        self._stream.seek(start)
        self._start, self._held = start, self._stream.read(length)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        inner, length = self._at - self._start, len(view)
        if inner >= 0 and inner + length <= len(self._held):
            data = self._held[inner : inner + length]
        else:
            self._stream.seek(self._at)
            data = self._stream.read(length)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


@dataclasses.dataclass(frozen=True)
class _Opened:
    """An ORC file being read; `window` holds the stripe at work when the store is remote."""

    store: Store
    key: str
    file: orc.ORCFile
    window: _Window | None


@contextlib.contextmanager
def _opened(store: Store, key: str) -> Iterator[_Opened]:
    """Open `key`; damage becomes ArchiveError."""
    path = store.path(key)
    if path is not None and not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    with contextlib.ExitStack() as stack:
        window = None
        if path is None:
            window = _Window(stack.enter_context(store.open(key)))
        with _naming(key):
            source = stack.enter_context(pa.OSFile(str(path)) if window is None else pa.PythonFile(window, mode="r"))
            file = orc.ORCFile(source)
        yield _Opened(store, key, file, window)


@contextlib.contextmanager
def _naming(key: str) -> Iterator[None]:
    """Turn what pyarrow and pyorc raise for damaged bytes into ArchiveError; storage's own errors pass."""
    try:
        yield
    except (GristmillError, FileNotFoundError):
        raise
    except (pa.ArrowException, OSError, pyorc.ORCError, ValueError, struct.error) as error:
        raise ArchiveError(f"cannot read {key}: {error}", hint=_HINT) from error


def _columns(opened: _Opened, index: int, names: Sequence[str]) -> dict[str, pa.Array]:
    times = [name for name in names if pa.types.is_timestamp(opened.file.schema.field(name).type)]
    plain = [name for name in names if name not in times]
    with _naming(opened.key):
        arrays = _batch(opened.file, index, plain)
        try:
            arrays |= _batch(opened.file, index, times)
        except pa.ArrowInvalid as error:
            if "out of range" not in str(error):
                raise
            arrays |= _raw_times(opened, index, times)
    return arrays


def _batch(file: orc.ORCFile, index: int, names: Sequence[str]) -> dict[str, pa.Array]:
    if not names:  # pyarrow would read every column
        return {}
    batch = file.read_stripe(index, columns=list(names))
    return dict(zip(batch.schema.names, batch.columns, strict=True))


class _Microseconds(ORCConverter):
    """Microseconds since 1970 as int, or None beyond int64."""

    @staticmethod
    def from_orc(seconds: int, nanoseconds: int, timezone: ZoneInfo) -> int | None:  # noqa: ARG004
        """pyorc's hook: `seconds` and `nanoseconds` as stored, UTC."""
        value = seconds * _MICROSECONDS + nanoseconds // 1000
        return value if -(2**63) < value < 2**63 else None

    @staticmethod
    def to_orc(*args: Any, **kwargs: Any) -> tuple[int, int]:
        """Never called: this converter only reads."""
        raise NotImplementedError


def _raw_times(opened: _Opened, index: int, names: Sequence[str]) -> dict[str, pa.Array]:
    """The timestamp columns `names` through pyorc, value by value (only stripes with wild dates come here)."""
    with contextlib.ExitStack() as stack:
        stream: Any = opened.window or stack.enter_context(opened.store.open(opened.key))
        stream.seek(0)
        reader = pyorc.Reader(stream, column_names=list(names), converters={TypeKind.TIMESTAMP: _Microseconds})
        order = list(cast("pyorc.Struct", reader.selected_schema).fields)
        rows = list(reader.read_stripe(index))
    return {name: pa.array([row[at] for row in rows], pa.int64()).cast(TIMESTAMP) for at, name in enumerate(order)}


def _typed(array: pa.Array, field: pa.Field, key: str) -> pa.Array:
    if array.type == field.type:
        return array
    try:
        if pa.types.is_timestamp(array.type):
            # floor, as a plain cast to microseconds would round times before 1970 up
            array = pc.floor_temporal(array, unit="microsecond")
        return array.cast(field.type)
    except pa.ArrowException as error:
        raise ArchiveError(
            f"{key}: column {field.name} is {array.type}, expected {field.type}",
            hint="this is not the table it says it is",
        ) from error


def _stripes(file: orc.ORCFile, key: str) -> list[StripeInfo]:
    """Stripe directory from the file's tail (ORC specification v1: FileTail.footer=2, Footer.stripes=3)."""
    found: list[StripeInfo] = []
    with _naming(key):
        for footer in _fields(file.reader.serialized_file_tail(), 2):
            for entry in _fields(footer, 3):
                offset, index_length, data_length, footer_length, rows = (_number(entry, tag) for tag in range(1, 6))
                length = index_length + data_length + footer_length
                found.append(StripeInfo(len(found), rows, offset, length))
    if len(found) != file.nstripes or sum(stripe.rows for stripe in found) != file.nrows:
        raise ArchiveError(f"{key}: its stripes hold other row counts than its footer says", hint=_HINT)
    return found


def _fields(message: Any, wanted: int) -> Iterator[Any]:
    """Values of field `wanted` in a protobuf message: int for varints, bytes for the rest."""
    view, at = memoryview(message), 0
    while at < len(view):
        tag, at = _varint(view, at)
        kind = tag & 7
        if kind == 0:
            value: Any
            value, at = _varint(view, at)
        else:
            size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _varint(view, at)
            value, at = view[at : at + size], at + size
        if tag >> 3 == wanted:
            yield value


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(view):
            raise ValueError("protobuf message cut short")
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _number(message: Any, wanted: int) -> int:
    return next((int(value) for value in _fields(message, wanted)), 0)
