"""What each path says of licence: statements spread over a repository's occurrences.

Worker `place`: one bucket of origins → `placed` (PLACED), scattered by sha1_git: every occurrence with its path licence
and its rank; and `texts` (STATED_TEXTS), scattered by origin: where the texts of licence files lie.
This is the first place that sees all paths of an origin: here they are redacted (`redaction.names`), so no later
table, evidence included, holds a path that a release may not show. Cost: one row an occurrence; memory: one bucket.
"""

from __future__ import annotations

import polars as pl

from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import OCCURRENCES, REPOSITORIES
from foundation.tasks import Counts, Task
from stages import licences, redaction
from stages.contents.schemas import CLASS_RANK, PLACED, UNKNOWN_DATE
from stages.contents.statements import STATED_TEXTS, STATEMENTS

REFUSED_RANK = len(CLASS_RANK)
"""Added to the rank of a licence that the policy refuses: behind every class that passes."""


def place(task: Task) -> Counts:
    """Worker: see the module."""
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    settings = licences.Settings.model_validate(task.params["licences"])
    occurrences = frame(gather(task, "occurrences", bucket, OCCURRENCES))
    statements = frame(gather(task, "statements", bucket, STATEMENTS))
    repositories = frame(gather(task, "repositories", bucket, REPOSITORIES))
    names = redaction.redact_names(occurrences, redaction.Settings.model_validate(task.params["redaction"]))
    occurrences, statements = (redaction.with_names(rows, names) for rows in (occurrences, statements))
    spread = licences.spread(occurrences, statements, repositories, settings=settings)
    placed = with_rank(spread, repositories, settings)
    scatter(task, "placed", arrow(placed, PLACED), PLACED, key="sha1_git", buckets=buckets)
    texts = statements.filter(pl.col("text_sha256").is_not_null())
    scatter(task, "texts", arrow(texts, STATED_TEXTS), STATED_TEXTS, key="origin", buckets=buckets)
    return {"occurrences": placed.height, "statements": statements.height, "redacted_paths": names.height}


def with_rank(occurrences: pl.DataFrame, repositories: pl.DataFrame, settings: licences.Settings) -> pl.DataFrame:
    """`occurrences` with the columns of the total order, ascending: the best has the lowest.

    By licence, what the policy of `settings` lets pass comes before what it refuses, then the classes in their order.
    """
    refused = licences.failing_tests(occurrences, settings).is_not_null()
    known = repositories.select("origin", "stars", "forks", "first_seen")
    unknown = pl.lit(UNKNOWN_DATE)
    return occurrences.join(known, on="origin", how="left", maintain_order="left").with_columns(
        rank_licence=pl.col("licence_class").replace_strict(CLASS_RANK, default=2, return_dtype=pl.Int8)
        + refused.cast(pl.Int8) * REFUSED_RANK,
        rank_stars=-pl.col("stars").fill_null(0),
        rank_forks=-pl.col("forks").fill_null(0),
        rank_first_seen=pl.coalesce(pl.col("first_seen").dt.timestamp("us"), unknown),
    )
