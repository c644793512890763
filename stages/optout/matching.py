"""The verdicts: excluded repositories, occurrences and contents.

excluded_repositories   origin, reason, exclusion_id            covered repositories only, by origin
excluded_occurrences    origin, path, sha1_git, reason, exclusion_id   row by row; nulls where not excluded
excluded_contents       sha1_git, reason, exclusion_id          excluded contents only, by sha1_git
"""

from __future__ import annotations

import polars as pl

from foundation.exclusions import ExclusionList
from foundation.globs import glob_regex, matches
from stages.optout.repositories import covered, entries

_VERDICT = ["reason", "exclusion_id"]


def excluded_repositories(
    repositories: pl.DataFrame, exclusions: ExclusionList, *, known: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The rows of `repositories` (columns of REPOSITORIES) that an owner, host or repository exclusion covers.

    Needs `origin`; uses `github_id`, `repo_name`, `former_names`, `fork_of`, `first_seen` and, if there
    is one, `owner_id`. Give the whole table, or a partition of it with `known` (see `known_aliases`).
    """
    return _whole(covered(repositories, exclusions, known), exclusions)


def excluded_occurrences(
    occurrences: pl.DataFrame,
    repositories: pl.DataFrame,
    exclusions: ExclusionList,
    *,
    known: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """`occurrences` (origin, path as binary, sha1_git) with `reason` and `exclusion_id`, same rows, same order.

    `repositories` are those of the occurrences' origins (or more); an origin not among them is matched by
    its URL alone. Cost of path exclusions: one regular
    expression scan of the paths in the covered repositories for each glob.
    """
    rows = occurrences.select("origin", "path", "sha1_git")
    unlisted = rows.select("origin").unique().join(repositories, on="origin", how="anti")
    pairs = covered(pl.concat([repositories, unlisted], how="diagonal"), exclusions, known)
    by_repository = rows.join(_whole(pairs, exclusions), on="origin", how="left", maintain_order="left")
    by_path = _by_path(rows, pairs, exclusions)
    by_content = rows.join(_contents(exclusions), on="sha1_git", how="left", maintain_order="left")
    first = [pl.coalesce(by_repository[name], by_path[name], by_content[name]).alias(name) for name in _VERDICT]
    return rows.with_columns(first)


def excluded_contents(contents: pl.DataFrame, exclusions: ExclusionList) -> pl.DataFrame:
    """The `sha1_git` of `contents` that a content exclusion names; such a content is excluded wherever it occurs."""
    return contents.select("sha1_git").unique().join(_contents(exclusions), on="sha1_git").sort("sha1_git")


def _whole(pairs: pl.DataFrame, exclusions: ExclusionList) -> pl.DataFrame:
    """The first exclusion of each origin covered as a whole."""
    facts = entries(exclusions).filter(pl.col("kind") != "path")
    return _first(pairs.join(facts, on="exclusion_id"), "origin")


def _contents(exclusions: ExclusionList) -> pl.DataFrame:
    """The first exclusion of each excluded content."""
    facts = entries(exclusions).filter(kind="content")
    return _first(facts.with_columns(sha1_git=pl.col("swhid").str.strip_prefix("swh:1:cnt:")), "sha1_git")


def _by_path(rows: pl.DataFrame, pairs: pl.DataFrame, exclusions: ExclusionList) -> pl.DataFrame:
    """The first path exclusion of each row, row by row, nulls where none covers it."""
    numbered = rows.select("origin", "path").with_row_index("row")
    facts = entries(exclusions).filter(kind="path").select("exclusion_id", "rank", "reason", "glob")
    candidates = numbered.join(pairs.join(facts, on="exclusion_id"), on="origin")
    found = [candidates.clear()]
    for (glob,), group in candidates.group_by("glob", maintain_order=True):
        paths = group["path"].to_arrow(compat_level=pl.CompatLevel.oldest())
        found.append(group.filter(pl.Series(matches(glob_regex(str(glob)), paths), dtype=pl.Boolean)))
    return numbered.select("row").join(_first(pl.concat(found), "row"), on="row", how="left", maintain_order="left")


def _first(candidates: pl.DataFrame, key: str) -> pl.DataFrame:
    """One row a key, the exclusion of lowest rank: key, reason, exclusion_id; ordered by key."""
    return candidates.sort(key, "rank").unique(key, keep="first", maintain_order=True).select(key, *_VERDICT)
