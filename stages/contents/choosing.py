"""From occurrences to the contents worth reading.

A content is read when some occurrence could still keep it. The occurrence that speaks for it is the first
in the total order (licence class, stars, forks, first-seen date, path, origin). Which licence holds is decided over
all occurrences, by the recipe's policy (`copies`).
Outputs: `work` (WORK) scattered by origin; `early` (DECISIONS) scattered by sha1_git for all the rest.
Cost: one row an occurrence; memory: one bucket.
"""

from __future__ import annotations

import polars as pl

from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import DECISIONS
from foundation.tasks import Counts, Task
from stages.catalog import KNOWN
from stages.contents.copies import ORDER, with_copies
from stages.contents.schemas import PLACED, WORK
from stages.licences import Settings as LicenceSettings
from stages.licences import judged

NOT_CONTENTS = ("submodule", "missing_directory", "too_deep")
LICENCE_COLUMNS = ["licence_expression", "licence_class", "licence_source", "licence_evidence"]


def choose(task: Task) -> Counts:
    """Worker: one bucket of contents → `work` and `early` (see the module)."""
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    settings = LicenceSettings.model_validate(task.params["licences"])
    placed = frame(gather(task, "placed", bucket, PLACED))
    known = frame(task.read("contents").cast(KNOWN)) if task.inputs["contents"] else frame(KNOWN.empty_table())
    contents = placed.filter(pl.col("reason").is_null() | ~pl.col("reason").is_in(list(NOT_CONTENTS)))
    best = representatives(contents)
    work = with_copies(best.filter(pl.col("reason").is_null()), contents, settings.copies, settings=settings)
    early = _early(best.filter(pl.col("reason").is_not_null()))
    if settings.read_headers == "where_path_allows":
        verdicts = judged(work, settings)
        refused = verdicts["reason"].is_not_null()
        early = pl.concat([early, _early(_with(work, verdicts).filter(refused))])
        work = work.filter(~refused)
    rows = work.drop("length").join(known, on="sha1_git", how="inner")
    scatter(task, "work", arrow(rows, WORK), WORK, key="origin", buckets=buckets)
    scatter(task, "early", arrow(early, DECISIONS), DECISIONS, key="sha1_git", buckets=buckets)
    return {"contents": best.height, "work": rows.height, "early": early.height}


def representatives(contents: pl.DataFrame) -> pl.DataFrame:
    """One row a content: its first occurrence in the total order, keepable ones before others, and the count."""
    ordered = contents.with_columns(dropped=pl.col("reason").is_not_null()).sort(
        "sha1_git", "dropped", *ORDER, nulls_last=True
    )
    return ordered.group_by("sha1_git", maintain_order=True).agg(
        pl.all().exclude("sha1_git", "dropped").first(), pl.len().cast(pl.Int64).alias("occurrences")
    )


def _with(rows: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    return rows.drop(verdicts.columns, strict=False).hstack(verdicts)


def _early(rows: pl.DataFrame) -> pl.DataFrame:
    optout = pl.col("reason").str.starts_with("opted_out")
    licence = pl.col("reason").is_in(["no_licence", "licence_refused"])
    failed = "threshold" if "threshold" in rows.columns else pl.lit(None, pl.String)
    stage = pl.when(optout).then(pl.lit("optout")).when(licence).then(pl.lit("licences")).otherwise(pl.lit("catalog"))
    return rows.select(
        "sha1_git",
        "origin",
        "path",
        verdict=pl.lit("dropped"),
        stage=stage,
        reason="reason",
        value=pl.when(licence).then(pl.col("licence_expression")).otherwise(pl.lit(None, pl.String)),
        threshold=failed,
        evidence="evidence",
        kept=pl.lit(None, pl.String),
        jaccard=pl.lit(None, pl.Float64),
    )


def pack(task: Task) -> Counts:
    """Worker: one bucket of origins' work → `work`, sorted by (origin, path), one row group a reading task."""
    rows = frame(gather(task, "work", int(str(task.params["bucket"])), WORK)).sort("origin", "path", "sha1_git")
    size, count = int(str(task.params["group_bytes"])), int(str(task.params["group_contents"]))
    numbered = rows.with_row_index("row").with_columns(
        group=pl.max_horizontal(pl.col("length").cum_sum() // size, (pl.col("row") // count).cast(pl.Int64)).cast(
            pl.Int64
        )
    )
    parts = (arrow(group.drop("row", "group"), WORK) for _, group in numbered.group_by("group", maintain_order=True))
    task.write_groups("work", parts, WORK)
    return {"work": rows.height, "bytes": int(rows["length"].sum())}
