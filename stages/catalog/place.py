"""The catalog's `repositories` table, settled: opt-outs applied, scattered by origin.

Outputs of `place`: `repositories` (REPOSITORIES), one row for every origin of the archive, `reason` null for
those that are read; `covered` (REPOSITORIES), the few that any exclusion covers, path exclusions included,
which later steps read whole. Renames and forks can tie repositories of different partitions together, so the
names that covered repositories answer to (`aliases`, small) are grown over all partitions first.
From here on no table holds an origin with a password or token in it: such a repository is not read, and is listed
by what redaction leaves of its URL. Names of branches are redacted too. Cost: one row an origin and round.
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
from stages import redaction
from stages.optout import ALIASES, excluded_repositories, known_aliases
from stages.optout.repositories import covered

KNOWN_ALIASES = pa.schema(
    [("exclusion_id", pa.string()), ("host", pa.string()), ("key", pa.string()), ("repository_id", pa.int64())]
)

SECRETS: tuple[redaction.Kind, ...] = ("KEY", "PASSWORD")
"""What makes an origin's URL unfit to be shown; whoever is named in it is its owner."""
_SUSPICIOUS = r"@|[A-Za-z0-9_\-]{16}|[0-9]\.[0-9]+\.[0-9]|[0-9][0-9 ().\-]{6}"


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
    rows, hidden = without_secrets(rows, redaction.Settings.model_validate(task.params["redaction"]))
    touched = touched.filter(~pl.col("origin").is_in(hidden.implode()))
    buckets = int(str(task.params["buckets"]))
    scatter(task, "repositories", arrow(rows, REPOSITORIES), REPOSITORIES, key="origin", buckets=buckets)
    task.write("covered", arrow(touched, REPOSITORIES), REPOSITORIES)
    return {"repositories": rows.height, "read": rows["reason"].null_count(), "redacted_origins": len(hidden)}


def without_secrets(rows: pl.DataFrame, settings: redaction.Settings) -> tuple[pl.DataFrame, pl.Series]:
    """(`rows` with no secret in an origin and nothing private in a branch's name, the origins that had one)."""
    kinds = tuple(kind for kind in settings.kinds if kind in SECRETS)
    strict = settings.model_copy(update={"kinds": kinds})
    origins = _changed(rows["origin"], strict)
    branches = _changed(rows["branch"], settings)
    held = pl.col("origin").is_in(list(origins))
    shown = rows.with_columns(
        origin=pl.col("origin").replace(origins),
        branch=pl.col("branch").replace(branches),
        repo_name=pl.when(~held).then("repo_name"),
        former_names=pl.when(~held).then("former_names"),
        reason=pl.when(held).then(pl.coalesce("reason", pl.lit("origin_secret"))).otherwise(pl.col("reason")),
    )
    return shown.select(REPOSITORIES.names), pl.Series(sorted(origins), dtype=pl.String)


def _changed(texts: pl.Series, settings: redaction.Settings) -> dict[str, str]:
    """Those of `texts` in which something is redacted, and what is left of them."""
    distinct = texts.drop_nulls().unique()
    suspects = distinct.filter(distinct.str.contains(_SUSPICIOUS)).sort()
    new = {text: redaction.redact_text(text, settings) for text in suspects}
    return {text: shown for text, shown in new.items() if shown != text}


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
