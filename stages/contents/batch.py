"""A batch of contents on its way through the tests: survivors go on, refused rows get their verdict and stay behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from foundation.frames import frame


@dataclasses.dataclass(frozen=True)
class Batch:
    """Rows still in, their texts in the same order, the rows refused so far, those that go on as witnesses, and the
    notices found (`licences.NOTICES_KEPT`).
    """

    rows: pl.DataFrame
    texts: pa.LargeStringArray
    refused: tuple[pl.DataFrame, ...] = ()
    witnesses: Batch | None = None
    notices: pl.DataFrame | None = None

    def with_columns(self, columns: pa.Table) -> Batch:
        """The batch with further measured columns, one value a row."""
        added = frame(columns)
        return dataclasses.replace(self, rows=self.rows.drop(added.columns, strict=False).hstack(added))

    def refuse(self, stage: str, verdicts: pl.DataFrame) -> Batch:
        """The batch without the rows whose `reason` in `verdicts` (reason[, value, threshold, evidence]) is set."""
        given = [name for name in ("reason", "value", "threshold", "evidence") if name in verdicts.columns]
        judged = self.rows.drop(given, strict=False).hstack(verdicts.select(given))
        out = judged["reason"].is_not_null()
        if not out.any():
            return self
        gone = judged.filter(out).with_columns(stage=pl.lit(stage))
        kept = ~out
        return dataclasses.replace(
            self,
            rows=self.rows.filter(kept),
            texts=self.texts.filter(kept.to_arrow()),
            refused=(*self.refused, gone),
        )

    def finish(self, *, columns: Sequence[str]) -> pl.DataFrame:
        """All rows, kept and refused, with `columns` (null where a row never got that far)."""
        survivors = self.rows.with_columns(stage=pl.lit(None, pl.String), reason=pl.lit(None, pl.String))
        every = pl.concat([survivors, *self.refused], how="diagonal_relaxed")
        absent = [pl.lit(None).alias(name) for name in columns if name not in every.columns]
        return every.with_columns(absent).select(columns)


def flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """`column` as one contiguous array."""
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return column


def binary_column(rows: pl.DataFrame, name: str) -> pa.Array:
    """A bytes column of `rows` as an Arrow binary array."""
    return flat(rows[name].to_arrow()).cast(pa.binary())
