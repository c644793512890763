"""Copies of the same bytes: which of a content's occurrences says under which licence it may be used.

The representative, the best occurrence in the total order, speaks first. By the recipe's policy another overrules it:

- `earliest_origin`: the earliest dated occurrence, if it is strictly earlier and states a non-permissive licence;
- `any_copy`: the first occurrence, dated or not, that states a non-permissive licence;
- `best_copy`: none.

Where the recipe's policy keeps some non-permissive licences, a copy under one that it refuses overrules them likewise.
A header inside the file stands above all of them (`headers`). Evidence names the copy that decided, wherever there
was more than one to choose from:

    {"copy": {"expression": …, "first_seen": …, "origin": …, "path": …, "policy": …, "swhid": …}, … the statement}

`policy` is the rule by which the copy decided. An opted-out copy is heard; neither its origin nor its path is named.
Cost: one sort of the occurrences.
"""

from __future__ import annotations

import polars as pl

from stages.contents.schemas import COPY, UNKNOWN_DATE
from stages.licences import CopyPolicy, Settings, failing_tests
from stages.licences.places import as_text

ORDER = ["rank_licence", "rank_stars", "rank_forks", "rank_first_seen", "path", "origin"]
NON_PERMISSIVE, BEST_COPY = "non_permissive", "best_copy"
_SPOKEN = ("expression", "class", "evidence")


def heard(contents: pl.DataFrame, policy: CopyPolicy) -> pl.DataFrame:
    """`sha1_git` and COPY: the occurrence of each content (PLACED rows) that `policy` hears beside the representative.

    For `earliest_origin` whatever it states, but named in full only if it is non_permissive; contents without such an
    occurrence are left out.
    """
    if policy == "earliest_origin":
        candidates = contents.filter(pl.col("rank_first_seen") < UNKNOWN_DATE)
    elif policy == "any_copy":
        candidates = contents.filter(pl.col("licence_class") == NON_PERMISSIVE)
    else:
        candidates = contents.clear()
    first = candidates.sort("sha1_git", "rank_first_seen", *ORDER).unique("sha1_git", keep="first", maintain_order=True)
    refuses = pl.col("licence_class") == NON_PERMISSIVE
    named = refuses & ~pl.col("reason").str.starts_with("opted_out").fill_null(value=False)
    return first.select(
        "sha1_git",
        copy_origin=pl.when(named).then("origin"),
        copy_path=pl.when(named).then("path"),
        copy_first_seen="rank_first_seen",
        copy_class="licence_class",
        copy_expression=pl.when(refuses).then("licence_expression"),
        copy_evidence=pl.when(refuses).then("licence_evidence"),
    )


def with_copies(
    work: pl.DataFrame, contents: pl.DataFrame, policy: CopyPolicy, *, settings: Settings | None = None
) -> pl.DataFrame:
    """`work` (representatives) with the licence that holds over all occurrences, and COPY for later comparison.

    `contents` are the occurrences (PLACED). With `settings` a non-permissive representative that their policy lets pass
    is overruled too, by a copy that it refuses. `licence_source` becomes the policy's name where a copy overrules;
    evidence names the deciding copy of every content that has several occurrences.
    """
    joined = work.join(heard(contents, policy), on="sha1_git", how="left", maintain_order="left")
    wins = (pl.col("copy_class") == NON_PERMISSIVE) & (pl.col("licence_class") != NON_PERMISSIVE)
    if settings is not None:
        passes = failing_tests(joined, settings).is_null()
        copy_fails = failing_tests(joined, settings, expression="copy_expression", of_class="copy_class").is_not_null()
        wins |= (pl.col("copy_class") == NON_PERMISSIVE) & pl.lit(passes & copy_fails)
    if policy == "earliest_origin":
        wins &= pl.col("copy_first_seen") < pl.col("rank_first_seen")
    wins = wins.fill_null(value=False)
    said = joined.with_columns(
        wins=wins,
        deciding_origin=pl.when(wins).then("copy_origin").otherwise("origin"),
        deciding_path=pl.when(wins).then("copy_path").otherwise("path"),
        deciding_first_seen=pl.when(wins).then("copy_first_seen").otherwise("rank_first_seen"),
        policy=pl.when(wins).then(pl.lit(policy)).otherwise(pl.lit(BEST_COPY)),
        licence_source=pl.when(wins).then(pl.lit(policy)).otherwise("licence_source"),
        rank_licence=pl.when(wins).then(pl.lit(2)).otherwise("rank_licence").cast(pl.Int8),
        **{f"licence_{name}": pl.when(wins).then(f"copy_{name}").otherwise(f"licence_{name}") for name in _SPOKEN},
    )
    evidence = naming_copy(said, prefix="deciding", expression="licence_expression", evidence="licence_evidence")
    chosen = pl.when(pl.col("occurrences") > 1).then(evidence).otherwise("licence_evidence")
    return said.with_columns(licence_evidence=chosen).select(*work.columns, *(name for name, _ in COPY))


def naming_copy(
    rows: pl.DataFrame, *, prefix: str, expression: str, evidence: str, content: str = "sha1_git"
) -> pl.Series:
    """Canonical JSON evidence with the copy named in it (see the module); null where `evidence` is.

    `rows` has `<prefix>_origin`, `<prefix>_path`, `<prefix>_first_seen`, `policy`, the columns named, and `same`
    (what the two contents have in common) where they are not the same bytes.
    """
    seen = pl.col(f"{prefix}_first_seen")
    fields = {
        "expression": pl.col(expression),
        "first_seen": pl.when(seen < UNKNOWN_DATE).then(pl.from_epoch(seen, "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")),
        "origin": pl.col(f"{prefix}_origin"),
        "path": pl.lit(as_text(rows[f"{prefix}_path"])),
        "policy": pl.col("policy"),
        **{name: pl.col(name) for name in ("same",) if name in rows.columns},
        "swhid": pl.lit("swh:1:cnt:") + pl.col(content),
    }
    copy = pl.struct([field.alias(name) for name, field in fields.items()])
    opened = pl.lit('{"copy":') + copy.struct.json_encode() + pl.lit(",") + pl.col(evidence).str.slice(1)
    return rows.select(opened.alias("evidence")).to_series()
