"""The last gate: no row of a release may be covered by an exclusion.

Output: origin, path (binary), sha1_git, reason, exclusion_id of every offending row; empty when clean.
The gate trusts nothing that earlier stages concluded: it matches the release's own columns again, and
beside them whatever the catalog knows about the same origins.
"""

from __future__ import annotations

import polars as pl

from foundation.exclusions import ExclusionList
from stages.optout.matching import excluded_occurrences

_OWN = {"origin": pl.String(), "repo_name": pl.String(), "github_id": pl.Int64()}


def gate(
    rows: pl.DataFrame,
    exclusions: ExclusionList,
    *,
    repositories: pl.DataFrame | None = None,
    known: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The rows of a release (columns of RELEASE) that are excluded; the caller refuses to publish unless it is empty.

    Uses `origin`, `path`, `path_raw`, `content_id`, `repo_name`, `github_id`. `repositories` adds former
    names and forks (columns of REPOSITORIES); `known` as in `excluded_repositories`.
    """
    occurrences = rows.select(
        "origin", path=pl.coalesce("path_raw", pl.col("path").cast(pl.Binary)), sha1_git="content_id"
    )
    described = [rows.select(pl.col(name).cast(kind) for name, kind in _OWN.items()).unique()]
    if repositories is not None:
        described.append(repositories)
    found = excluded_occurrences(occurrences, pl.concat(described, how="diagonal_relaxed"), exclusions, known=known)
    return found.filter(pl.col("reason").is_not_null())
