"""The catalog's `repositories` table, settled: opt-outs applied, scattered by origin.

Outputs of `place`: `repositories` (REPOSITORIES), one row for every origin of the archive, `reason` null for
those that are read; `covered` (REPOSITORIES), the few that any exclusion covers, path exclusions included,
which later steps read whole. Renames and forks can tie repositories of different partitions together, so the
names that covered repositories answer to (`aliases`, small) are grown over all partitions first.
Cost: one row an origin and round.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from foundation.exchange import scatter
from foundation.exclusions import ExclusionList, read_exclusions
from foundation.frames import arrow, frame
from foundation.schema import REPOSITORIES
from foundation.tasks import Counts, Task
from stages.optout import ALIASES, excluded_repositories, known_aliases
from stages.optout.repositories import covered

KNOWN_ALIASES = pa.schema(
    [("exclusion_id", pa.string()), ("host", pa.string()), ("key", pa.string()), ("repository_id", pa.int64())]
)


def exclusions_of(task: Task) -> ExclusionList | None:
    """The exclusions that the task's context names, or None when there are none to apply."""
    path = task.context.get("exclusions")
    found = read_exclusions(Path(str(path))) if path else None
    return found if found is not None and found.entries else None


def aliases(task: Task) -> Counts:
    """Worker: one part of repositories and the `known` aliases so far → `aliases`."""
    exclusions = exclusions_of(task)
    rows = frame(task.read("repositories").cast(REPOSITORIES))
    found = known_aliases(rows, exclusions, known=_known(task)) if exclusions else ALIASES.to_frame()
    task.write("aliases", arrow(found, KNOWN_ALIASES), KNOWN_ALIASES)
    return {"aliases": found.height}


def merge_aliases(task: Task) -> Counts:
    """Worker: all parts of aliases → one, distinct and sorted."""
    rows = frame(task.read("aliases")).unique().sort(*KNOWN_ALIASES.names, nulls_last=True)
    task.write("aliases", arrow(rows, KNOWN_ALIASES), KNOWN_ALIASES)
    return {"aliases": rows.height}


def place(task: Task) -> Counts:
    """Worker: resolved repositories → `repositories`, scattered by origin, and `covered`."""
    rows = frame(task.read("repositories").cast(REPOSITORIES)).sort("origin")
    exclusions, touched = exclusions_of(task), rows.clear()
    if exclusions is not None:
        known = _known(task)
        touched = rows.join(covered(rows, exclusions, known), on="origin", how="semi")
        rows = opted_out(rows, excluded_repositories(rows, exclusions, known=known))
    buckets = int(str(task.params["buckets"]))
    scatter(task, "repositories", arrow(rows, REPOSITORIES), REPOSITORIES, key="origin", buckets=buckets)
    task.write("covered", arrow(touched, REPOSITORIES), REPOSITORIES)
    return {"repositories": rows.height, "read": rows["reason"].null_count()}


def opted_out(rows: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the reason and exclusion of `out` (origin, reason, exclusion_id) where they are named."""
    named = out.select("origin", out_reason="reason", exclusion="exclusion_id")
    joined = rows.join(named, on="origin", how="left", maintain_order="left")
    evidence = pl.lit('{"exclusion":"') + pl.col("exclusion") + pl.lit('"}')
    return joined.with_columns(
        reason=pl.coalesce("out_reason", "reason"),
        evidence=pl.when(pl.col("out_reason").is_not_null()).then(evidence).otherwise(pl.col("evidence")),
    ).select(REPOSITORIES.names)


def _known(task: Task) -> pl.DataFrame | None:
    return frame(task.read("known").cast(KNOWN_ALIASES)) if task.inputs.get("known") else None
