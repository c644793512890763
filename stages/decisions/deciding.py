"""The workers of the decisions; see the package."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from foundation.errors import InternalError
from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import DECISIONS
from foundation.tasks import Counts, Task
from stages import deduplication
from stages.contents.schemas import REFUSED, VERDICT, VERDICTS

KEPT = pa.schema(
    [
        ("part", pa.int64()),
        ("sha1_git", pa.string()),
        ("cluster", pa.string()),
        ("bytes", pa.int64()),
        ("language", pa.string()),
        ("licence_class", pa.string()),
    ]
)
COPIES = pa.schema([("sha1_git", pa.string()), ("kept", pa.string()), ("jaccard", pa.float64())])
_SCHEMAS = {"EXACT": deduplication.EXACT, "NEAR": deduplication.NEAR}


def rebucket(task: Task) -> Counts:
    """Worker: rows of one duplicates part (EXACT or NEAR) → `rows`, scattered by the parameter `key`."""
    schema = _SCHEMAS[str(task.params["schema"])]
    rows = task.read("rows").cast(schema)
    scatter(task, "rows", rows, schema, key=str(task.params["key"]), buckets=int(str(task.params["buckets"])))
    return {"rows": rows.num_rows}


def follow(task: Task) -> Counts:
    """Worker: one bucket of EXACT rows, by `kept` → `copies` (COPIES), scattered by sha1_git.

    A copy of a content that is itself a near duplicate names the one that stays in the end.
    """
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    exact = frame(gather(task, "exact", bucket, deduplication.EXACT))
    near = frame(gather(task, "near", bucket, deduplication.NEAR))
    onward = near.filter(pl.col("kept").is_not_null()).select(kept="sha1_git", final="kept", near="jaccard")
    copies = exact.join(onward, on="kept", how="left").select(
        "sha1_git", kept=pl.coalesce("final", "kept"), jaccard=pl.coalesce("near", pl.lit(1.0))
    )
    scatter(task, "copies", arrow(copies, COPIES), COPIES, key="sha1_git", buckets=buckets)
    return {"copies": copies.height}


def decide(task: Task) -> Counts:
    """Worker: one bucket of contents → `decisions` and `kept`; counts `stage/reason` for the funnel."""
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    early = frame(gather(task, "early", bucket, DECISIONS))
    verdicts = refused_by_copies(
        frame(gather(task, "verdicts", bucket, VERDICTS)), frame(gather(task, "refused", bucket, REFUSED))
    )
    copies = frame(gather(task, "copies", bucket, COPIES))
    near = frame(gather(task, "near", bucket, deduplication.NEAR))
    judged = duplicates_dropped(verdicts, copies, near)
    rows = pl.concat([early.select(DECISIONS.names), judged.select(DECISIONS.names)], how="vertical_relaxed")
    rows = rows.sort("sha1_git")
    if rows["sha1_git"].is_duplicated().any():
        raise InternalError("a content has more than one decision")
    task.write("decisions", arrow(rows, DECISIONS), DECISIONS)
    kept = judged.filter(pl.col("verdict") == "kept").sort("part", "sha1_git")
    scatter(task, "kept", arrow(kept, KEPT), KEPT, key="part", buckets=buckets)
    return counted(rows) | {"kept_bytes": int(kept["bytes"].sum())}


def refused_by_copies(verdicts: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """`verdicts` with the contents dropped that a copy of their text refuses (REFUSED)."""
    said = refused.select("sha1_git", *(name for name, _ in VERDICT))
    return verdicts.update(said, on="sha1_git", how="left", include_nulls=False, maintain_order="left")


def duplicates_dropped(verdicts: pl.DataFrame, copies: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """`verdicts` with duplicates dropped (DECISIONS' columns, `cluster` and KEPT's columns)."""
    exact = copies.select("sha1_git", exact_kept="kept", exact_jaccard="jaccard")
    joined = verdicts.join(exact, on="sha1_git", how="left").join(
        near.select("sha1_git", "cluster", near_kept="kept", near_jaccard="jaccard"), on="sha1_git", how="left"
    )
    is_exact, is_near = pl.col("exact_kept").is_not_null(), pl.col("near_kept").is_not_null()
    reason = pl.coalesce(
        "reason",
        pl.when(is_exact).then(pl.lit("exact_duplicate")),
        pl.when(is_near).then(pl.lit("near_duplicate")),
    )
    return joined.with_columns(
        reason=reason,
        stage=pl.coalesce("stage", pl.when(is_exact | is_near).then(pl.lit("deduplication"))),
        kept=pl.coalesce("exact_kept", "near_kept"),
        jaccard=pl.coalesce("exact_jaccard", "near_jaccard"),
    ).with_columns(
        verdict=pl.when(pl.col("reason").is_null()).then(pl.lit("kept")).otherwise(pl.lit("dropped")),
        stage=pl.coalesce("stage", pl.lit("release")),
    )


def counted(rows: pl.DataFrame) -> Counts:
    """Rows by `stage/reason` (`release/kept` for the kept ones)."""
    tally = rows.group_by("stage", pl.col("reason").fill_null("kept")).len().sort("stage", "reason")
    return {f"{stage}/{reason}": count for stage, reason, count in tally.iter_rows()}
