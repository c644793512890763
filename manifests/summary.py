"""Reads what the manifest states about a shard from the shard itself.

Reads seven small columns, row group by row group; memory is one row group of them. Cost grows with rows,
and with bytes only for the checksum.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from foundation.canonical import sha256_file
from foundation.errors import IntegrityError, InternalError
from foundation.frames import frame
from foundation.schema import RELEASE
from foundation.tables import read_batches
from manifests.nouns import Column, ExpressionCount, Shard, null_first

_READ = (
    "origin", "language", "license_type", "licence_expression", "length_bytes", "redactions", "path_redactions"
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Redactions:
    """Spans of texts by kind and by detector, rows that have any, and rows with one in their path."""

    kinds: Mapping[str, int]
    detectors: Mapping[str, int]
    files: int
    paths: int


def total(found: Iterable[Redactions]) -> Redactions:
    """The sum of `found`."""
    kinds: Counter[str] = Counter()
    detectors: Counter[str] = Counter()
    files = paths = 0
    for each in found:
        kinds.update(each.kinds)
        detectors.update(each.detectors)
        files, paths = files + each.files, paths + each.paths
    return Redactions(dict(sorted(kinds.items())), dict(sorted(detectors.items())), files, paths)


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of an Arrow schema as the manifest spells them."""
    return tuple(Column(name=field.name, type=_type_text(field.type)) for field in schema)


def _type_text(kind: pa.DataType) -> str:
    """Arrow's spelling, without the name of list items: Parquet and Arrow disagree on that one."""
    if pa.types.is_list(kind):
        return f"list<{_type_text(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {_type_text(field.type)}' for field in kind)}>"
    return str(kind)


def footer(path: Path) -> tuple[int, tuple[Column, ...]]:
    """(rows, columns) as the Parquet footer of `path` states them; IntegrityError if it cannot be read."""
    try:
        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows), columns_of(file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"cannot read the footer of {path}: {error}", hint="the file is damaged") from error


def summarise(path: Path, relative: str) -> tuple[Shard, Redactions]:
    """The manifest's entry for the shard at `path`, and what was redacted in it.

    InternalError when its columns are not foundation.schema.RELEASE, when it has no rows, or when rows of
    different languages or licence classes share it.
    """
    if footer(path)[1] != columns_of(RELEASE):
        raise InternalError(f"{relative}: its columns are not those of a release")
    read = pl.concat([_digest(frame(batch)) for batch in read_batches(path, columns=_READ)] or [_digest(_empty())])
    groups = read.select("language", "license_type").unique()
    if groups.height != 1:
        raise InternalError(f"{relative}: a shard holds one language and one licence class, this holds {groups.height}")
    counts = read.group_by("licence_expression").agg(pl.col("rows").sum(), pl.col("bytes").sum())
    expressions = sorted(counts.iter_rows(), key=lambda row: null_first(row[0]))
    return Shard(
        path=relative,
        sha256=sha256_file(path),
        rows=int(read["rows"].sum()),
        bytes=path.stat().st_size,
        source_bytes=int(read["bytes"].sum()),
        language=groups["language"].item(),
        license_type=groups["license_type"].item(),
        min_origin=str(read["min_origin"].min()),
        max_origin=str(read["max_origin"].max()),
        licences=tuple(ExpressionCount(expression=name, rows=rows, bytes=size) for name, rows, size in expressions),
    ), total(_redactions(row) for row in read.iter_rows(named=True))


def _digest(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each (language, class, expression) of a row group."""
    return rows.group_by("language", "license_type", "licence_expression").agg(
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("length_bytes").sum().alias("bytes"),
        pl.col("origin").min().alias("min_origin"),
        pl.col("origin").max().alias("max_origin"),
        pl.col("redactions").explode().struct.field("kind").drop_nulls().alias("kinds"),
        pl.col("redactions").explode().struct.field("detector").drop_nulls().alias("detectors"),
        (pl.col("redactions").list.len() > 0).sum().alias("redacted"),
        (pl.col("path_redactions").list.len() > 0).sum().alias("paths"),
    )


def _redactions(digest: Mapping[str, Any]) -> Redactions:
    return Redactions(Counter(digest["kinds"]), Counter(digest["detectors"]), digest["redacted"], digest["paths"])


def _empty() -> pl.DataFrame:
    return frame(pa.schema([RELEASE.field(name) for name in _READ]).empty_table())
