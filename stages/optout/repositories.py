"""Which exclusions cover which repositories, under any name and number the repositories go or went by.

A repository *answers to* its origin URL's key, its current full name and its former full names (all on
the URL's host), and to its numeric id. An exclusion covers it when it names one of these; when it names
an owner or host above one of these; when the repository is another state of a covered one (same
numeric id, or a covered one answers to the same name and the ids do not differ); or, with
`include_forks`, when it is a fork of a covered one, forks of forks included.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from foundation.exclusions import KINDS, ExclusionList
from foundation.origins import hosts, name_keys, origin_keys

REASONS: Mapping[str, str] = {
    "opted_out_host": "everything on this host is opted out",
    "opted_out_owner": "the owner of the repository opted out",
    "opted_out_repository": "the repository, or one it is a fork or another state of, is opted out",
    "opted_out_path": "the path matches an opted-out glob of its repository",
    "opted_out_content": "the content itself is opted out, wherever it occurs",
}

# What covered repositories answer to; small, and all that other partitions need to know.
ALIASES = pl.Schema(
    {"exclusion_id": pl.String, "host": pl.String, "key": pl.String, "repository_id": pl.Int64},
)
_MATCH = pl.Schema({"row": pl.UInt32, "exclusion_id": pl.String})
_OPTIONAL = {
    "github_id": pl.Int64(),
    "owner_id": pl.Int64(),
    "repo_name": pl.String(),
    "former_names": pl.List(pl.String()),
    "fork_of": pl.String(),
    "first_seen": pl.Datetime("us", "UTC"),
}


def entries(exclusions: ExclusionList) -> pl.DataFrame:
    """One row an exclusion: exclusion_id, rank (order of precedence), kind and the scalar fields."""
    rows = [
        {
            "exclusion_id": entry.id,
            "rank": (KINDS.index(entry.kind) << 48) + order,
            "reason": f"opted_out_{entry.kind}",
            **entry.model_dump(exclude={"id", "names", "purposes", "state", "effective_sequence"}),
        }
        for order, entry in enumerate(exclusions.entries)
    ]
    schema = {
        "exclusion_id": pl.String,
        "rank": pl.Int64,
        "reason": pl.String,
        "kind": pl.String,
        "host": pl.String,
        "owner_id": pl.Int64,
        "repository_id": pl.Int64,
        "glob": pl.String,
        "swhid": pl.String,
        "include_forks": pl.Boolean,
        "include_future": pl.Boolean,
        "cutoff": pl.String,
    }
    return pl.DataFrame(rows, schema=schema).with_columns(
        pl.col("cutoff").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", time_unit="us")
    )


def names(exclusions: ExclusionList) -> pl.DataFrame:
    """One row a name of an exclusion: exclusion_id, kind, key (`host/name`), depth (segments), include_forks."""
    rows = [
        (entry.id, entry.kind, f"{entry.host}/{name}", name.count("/") + 2, entry.include_forks)
        for entry in exclusions.entries
        for name in entry.names
    ]
    schema = {
        "exclusion_id": pl.String,
        "kind": pl.String,
        "key": pl.String,
        "depth": pl.Int64,
        "include_forks": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def prepared(repositories: pl.DataFrame) -> pl.DataFrame:
    """The repositories' columns that matter, absent optional ones as nulls, with row, url key, host and parent key."""
    absent = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in _OPTIONAL.items() if name not in repositories.columns
    ]
    host = pl.col("host")
    parent = (
        pl.when(pl.col("fork_of").str.contains("://", literal=True))
        .then(origin_keys(pl.col("fork_of")))
        .otherwise(host + "/" + name_keys(pl.col("fork_of")))
    )
    return (
        repositories.with_columns(absent)
        .select("origin", *_OPTIONAL)
        .with_row_index("row")
        .with_columns(url=origin_keys(pl.col("origin")))
        .with_columns(host=hosts(pl.col("url")))
        .with_columns(parent=parent)
    )


def answers(rows: pl.DataFrame) -> pl.DataFrame:
    """Every key that each prepared row answers to: row, key, github_id."""
    full = pl.col("host") + "/" + name_keys(pl.col("name"))
    former = rows.select("row", "host", "github_id", name="former_names").filter(pl.col("name").list.len() > 0)
    current = rows.select("row", "host", "github_id", name="repo_name")
    named = pl.concat([current, former.explode("name")]).select("row", "github_id", key=full)
    urls = rows.select("row", "github_id", key="url")
    return pl.concat([urls, named]).filter(pl.col("key").is_not_null()).unique()


def covered(repositories: pl.DataFrame, exclusions: ExclusionList, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """Pairs (origin, exclusion_id) of every exclusion, path ones included, that covers a repository of the frame."""
    rows, matches, _ = _closure(repositories, exclusions, known)
    return matches.join(rows.select("row", "origin"), on="row").select("origin", "exclusion_id").unique()


def known_aliases(
    repositories: pl.DataFrame, exclusions: ExclusionList, *, known: pl.DataFrame | None = None
) -> pl.DataFrame:
    """What the covered repositories of this frame answer to, together with `known` (frames of ALIASES).

    For tables read in partitions: call it over the partitions, passing the last result on, until a whole
    round adds no row; then pass the result as `known` everywhere. One frame of everything needs none.
    """
    _, _, aliases = _closure(repositories, exclusions, known)
    return aliases.sort(ALIASES.names())


def _closure(
    repositories: pl.DataFrame, exclusions: ExclusionList, known: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Prepared rows, matches (row, exclusion_id) and aliases, grown until nothing is added; a round is O(rows)."""
    rows = prepared(repositories)
    if not exclusions.entries or rows.is_empty():
        return rows, pl.DataFrame(schema=_MATCH), known if known is not None else pl.DataFrame(schema=ALIASES)
    keys, facts, named = answers(rows), entries(exclusions), names(exclusions)
    aliases = pl.DataFrame(schema=ALIASES) if known is None else known
    matches = _direct(rows, keys, facts, named)
    while True:
        aliases = pl.concat([aliases, _learned(rows, keys, matches)]).unique()
        grown = pl.concat(
            [matches, _same_repository(rows, keys, aliases), _forks(rows, aliases, facts, named)]
        ).unique()
        if grown.height == matches.height:
            return rows, matches, aliases
        matches = grown


def _direct(rows: pl.DataFrame, keys: pl.DataFrame, facts: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Rows that an exclusion names itself: by number, by a name, by owner or host."""
    by_id = rows.join(facts, left_on=["host", "github_id"], right_on=["host", "repository_id"])
    by_owner_id = rows.join(facts, on=["host", "owner_id"])
    by_host = rows.join(facts.filter(kind="host"), on="host")
    by_name = keys.join(named.filter(pl.col("kind") != "owner"), on="key")
    found = [frame.select(_MATCH.names()) for frame in (by_id, by_owner_id, by_host, by_name, _below(keys, named))]
    seen = pl.concat(found).unique().join(rows.select("row", "first_seen"), on="row")
    late = pl.col("first_seen") > pl.col("cutoff")
    return seen.join(facts, on="exclusion_id").filter(late.is_null() | ~late).select(_MATCH.names())


def _below(keys: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Keys that lie under an owner's name, segment by segment: one join for each depth of owner names (groups nest)."""
    owners = named.filter(kind="owner")
    found = [pl.DataFrame(schema=_MATCH)]
    for depth in sorted(owners["depth"].unique().to_list()):
        head = pl.col("key").str.splitn("/", depth + 1).struct.field("field_0")
        for part in range(1, depth):
            head = head + "/" + pl.col("key").str.splitn("/", depth + 1).struct.field(f"field_{part}")
        prefixed = keys.select("row", key=head)
        found.append(prefixed.join(owners.filter(depth=depth), on="key").select(_MATCH.names()))
    return pl.concat(found).unique()


def _learned(rows: pl.DataFrame, keys: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """The aliases of the matched rows."""
    return (
        matches.join(keys, on="row")
        .join(rows.select("row", "host"), on="row")
        .select("exclusion_id", "host", "key", repository_id="github_id")
    )


def _same_repository(rows: pl.DataFrame, keys: pl.DataFrame, aliases: pl.DataFrame) -> pl.DataFrame:
    """Rows that are other states of a covered repository: same number, or same name and no differing number."""
    by_id = rows.join(aliases, left_on=["host", "github_id"], right_on=["host", "repository_id"])
    agree = pl.col("github_id").is_null() | pl.col("repository_id").is_null()
    same = pl.col("github_id") == pl.col("repository_id")
    by_name = keys.join(aliases, on="key").filter(agree | same)
    return pl.concat([by_id.select(_MATCH.names()), by_name.select(_MATCH.names())])


def _forks(rows: pl.DataFrame, aliases: pl.DataFrame, facts: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Rows forked from a covered repository, or from one that an exclusion names though it is not in the frame."""
    parents = rows.filter(pl.col("parent").is_not_null()).select("row", "host", key="parent")
    wanted = facts.filter("include_forks").select("exclusion_id", "kind", "host")
    of_known = parents.join(aliases.join(wanted, on="exclusion_id", how="semi"), on="key")
    of_named = parents.join(named.filter("include_forks", pl.col("kind") != "owner"), on="key")
    of_owned = _below(parents, named.filter("include_forks"))
    parent_host = parents.select("row", host=hosts(pl.col("key")))
    of_host = parent_host.join(wanted.filter(kind="host"), on="host")
    return pl.concat([frame.select(_MATCH.names()) for frame in (of_known, of_named, of_owned, of_host)])
