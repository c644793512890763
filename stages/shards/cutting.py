"""One shard, sorted and cut into row groups; see the package."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from foundation.exchange import gather
from foundation.frames import arrow, frame
from foundation.schema import RELEASE
from foundation.tables import RELEASE_ZSTD_LEVEL, write_groups
from foundation.tasks import Counts, Task


def cut(task: Task) -> Counts:
    """Worker: every row of the shard key `shard` → `shard`, in release order and row groups."""
    from stages.shards.assembling import ROWS

    rows = frame(gather(task, "rows", int(str(task.params["bucket"])), ROWS))
    mine = rows.filter(pl.col("shard") == str(task.params["shard"])).sort("origin", "path", "content_id")
    limit_bytes, limit_rows = int(str(task.params["row_group_bytes"])), int(str(task.params["row_group_rows"]))
    groups = _groups(mine.drop("shard"), limit_bytes, limit_rows)
    write_groups(task.output_path("shard"), groups, RELEASE, level=RELEASE_ZSTD_LEVEL)
    return {"rows": mine.height, "bytes": int(mine["content"].str.len_bytes().sum())}


def _groups(rows: pl.DataFrame, limit_bytes: int, limit_rows: int) -> Iterator[pa.Table]:
    size = pl.col("content").str.len_bytes().cast(pl.Int64)
    numbered = rows.with_row_index("row").with_columns(
        group=pl.max_horizontal(size.cum_sum() // limit_bytes, pl.col("row").cast(pl.Int64) // limit_rows)
    )
    for _, group in numbered.group_by("group", maintain_order=True):
        yield arrow(group.drop("row", "group"), RELEASE)
