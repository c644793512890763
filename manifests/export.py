"""Writing a query's answer to a file: csv, json or parquet, whole or not at all.

Rows are written as they are read, a shard at a time; memory is one shard's matching rows. Equal answers
give equal bytes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import polars as pl
import pyarrow as pa

from foundation.errors import UsageError
from foundation.frames import arrow
from foundation.schema import RELEASE
from foundation.storage import write_atomically
from foundation.tables import RELEASE_ZSTD_LEVEL, write_groups
from manifests.query import Question, flat_rows, json_rows

Frames: TypeAlias = "Iterator[pl.DataFrame]"


def write_answer(question: Question, path: Path, *, format: str) -> int:  # noqa: A002 - the command's word
    """Write the answer's rows to `path` as `csv`, `json` or `parquet`, atomically; returns how many.

    UsageError for another format, or a path inside the release itself.
    """
    if format not in _WRITERS:
        raise UsageError(f"cannot write {format!r} to a file", hint=f"one of {', '.join(sorted(_WRITERS))}")
    if path.resolve().is_relative_to(question.selection.root.resolve()):
        raise UsageError(f"{path} is inside the release", hint="releases are immutable: choose a path outside")
    return _WRITERS[format](question.frames(), path, question.selection.columns)


def _csv(frames: Frames, path: Path, columns: tuple[str, ...]) -> int:
    count = 0
    with write_atomically(path) as temp, temp.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        for frame in frames:
            writer.writerows(flat_rows(frame))
            count += frame.height
    return count


def _json(frames: Frames, path: Path, columns: tuple[str, ...]) -> int:
    """A JSON array, one row a line."""
    del columns
    count = 0
    with write_atomically(path) as temp, temp.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for frame in frames:
            for row in json_rows(frame):
                stream.write(("," if count else "") + "\n" + json.dumps(row, ensure_ascii=False))
                count += 1
        stream.write("\n]\n")
    return count


def _parquet(frames: Frames, path: Path, columns: tuple[str, ...]) -> int:
    schema = pa.schema([RELEASE.field(name) for name in columns])
    tables = (arrow(frame, schema) for frame in frames)
    return write_groups(path, tables, schema, level=RELEASE_ZSTD_LEVEL).rows


_WRITERS: Mapping[str, Callable[[Frames, Path, tuple[str, ...]], int]] = MappingProxyType(
    {"csv": _csv, "json": _json, "parquet": _parquet}
)
