"""Between Arrow tables (files, schemas) and polars frames (joins, expressions)."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from foundation.tables import conform


def frame(table: pa.Table) -> pl.DataFrame:
    """`table` as a polars frame; columns are shared where the layouts agree."""
    made = pl.from_arrow(table)
    if not isinstance(made, pl.DataFrame):
        raise TypeError(f"expected a table, got {type(table).__name__}")
    return made


def arrow(rows: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """`rows` as an Arrow table with exactly `schema`; columns that `rows` lacks are an InternalError."""
    return conform(rows.to_arrow(compat_level=pl.CompatLevel.oldest()), schema)
