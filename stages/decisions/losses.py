"""How much each language and source lost to deduplication, counted without looking at the order or place of rows.

A content *reached deduplication* when its decision is `kept` or was made by deduplication; it was *removed* when
deduplication made it. Its source is the origin of its decision row (the best of its occurrences in the
total order), its language the verdict's. Bytes are UTF-8 bytes of the redacted text.

Outputs of `tally`: `languages` (LANGUAGES) and, when asked for, `sources` (SOURCES, scattered by origin).
Output of `judge`: `over` (SOURCES, only those over the limit, worst first).
Invariants: over all parts, `contents` adds up to the contents that reached deduplication and `removed` to its
decisions; the sums are the same for any buckets.
Cost: three columns of every decision and verdict are read once; sources cost one row for each (bucket, origin)
that is exchanged once. Memory: one bucket.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow as pa

from foundation.errors import InternalError
from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.tasks import Counts, Task
from stages import deduplication
from stages.contents.schemas import VERDICTS

COUNTS = [
    ("contents", pa.int64()),  # that reached deduplication
    ("removed", pa.int64()),  # by it
    ("near", pa.int64()),  # of `removed`, as near duplicates
    ("bytes", pa.int64()),
    ("removed_bytes", pa.int64()),
]
LANGUAGES = pa.schema([("language", pa.string()), *COUNTS])  # null: undecided
SOURCES = pa.schema([("origin", pa.string()), *COUNTS])

_SUMMED = [name for name, _ in COUNTS]
_DECIDED = ["sha1_git", "origin", "verdict", "stage", "reason"]


def tally(task: Task) -> Counts:
    """Worker: one bucket of decisions and verdicts → `languages`, and `sources` if that output is declared."""
    rows = reached(frame(task.read("decisions", columns=_DECIDED)), verdicts_of(task))
    counted = rows.select(
        "language",
        "origin",
        contents=pl.lit(1, pl.Int64),
        removed=pl.col("removed").cast(pl.Int64),
        near=(pl.col("removed") & (pl.col("reason") == "near_duplicate")).cast(pl.Int64),
        bytes=pl.col("bytes"),
        removed_bytes=pl.when("removed").then("bytes").otherwise(0),
    )
    task.write("languages", arrow(summed(counted, "language"), LANGUAGES), LANGUAGES)
    if "sources" in task.outputs:
        sources = arrow(summed(counted, "origin"), SOURCES)
        scatter(task, "sources", sources, SOURCES, key="origin", buckets=int(str(task.params["buckets"])))
    return {"reached": rows.height, "removed": int(counted["removed"].sum())}


def judge(task: Task) -> Counts:
    """Worker: one bucket of SOURCES → `over`; counts sources `judged` and `over` the limit."""
    least, limit = int(str(task.params["least"])), float(str(task.params["limit"]))
    rows = summed(frame(gather(task, "sources", int(str(task.params["bucket"])), SOURCES)), "origin")
    judged = rows.filter(pl.col("contents") >= least)
    over = worst_first(beyond(judged, limit), "origin")
    task.write("over", arrow(over, SOURCES), SOURCES)
    return {"judged": judged.height, "over": over.height}


def verdicts_of(task: Task) -> pl.DataFrame:
    """`sha1_git`, `language`, `bytes` of the task's bucket."""
    columns = ["sha1_git", "language", "bytes"]
    return frame(gather(task, "verdicts", int(str(task.params["bucket"])), VERDICTS, columns=columns))


def reached(decisions: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """The rows of `decisions` that reached deduplication, with `language`, `bytes` and `removed` (boolean)."""
    removed = pl.col("stage") == deduplication.NAME
    rows = decisions.filter(removed | (pl.col("verdict") == "kept")).with_columns(removed=removed)
    joined = rows.join(verdicts, on="sha1_git", how="left")
    if joined["bytes"].null_count():
        raise InternalError("a content reached deduplication without a verdict")
    return joined


def summed(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The COUNTS of `rows` added up by `key`, in its order (null first)."""
    return rows.group_by(key).agg(pl.col(_SUMMED).sum()).sort(key, nulls_last=False)


def added(parts: Iterable[pl.DataFrame], key: str) -> pl.DataFrame:
    """`summed` over many tables, one after the other: memory is that of the distinct keys."""
    total = frame(pa.schema([(key, pa.string()), *COUNTS]).empty_table())
    for part in parts:
        total = summed(pl.concat([total, part]), key)
    return total


def beyond(rows: pl.DataFrame, limit: float) -> pl.DataFrame:
    """Rows whose loss (removed / contents, in double precision) is above `limit`."""
    return rows.filter(pl.col("removed") / pl.col("contents") > limit)


def worst_first(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Rows by contents removed, most first, then by `key` (null first): a total order."""
    return rows.sort("removed", key, descending=[True, False], nulls_last=[True, False])
