"""What each occurrence points at, and which occurrences can never be kept.

One bucket of content ids at a time, joins the walk's occurrences with the archive's content tables.
Outputs:
- `occurrences` (OCCURRENCES), scattered by origin, with the first early-drop reason that applies, in the
  order: walk, symlink, opted out, missing, skipped_content, hidden, empty, too_large, path_rule;
- `contents` (KNOWN), sorted by sha1_git: hashes to fetch by. Several content rows for one sha1_git are
  all kept as alternatives, the smallest sha1 of the visible ones first; whichever re-hashes right is believed;
- `notices` (NOTICE_WORK): occurrences that state a licence, in row groups that one task can hold.
Cost: one row an occurrence; memory: one bucket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import OCCURRENCES, REPOSITORIES
from foundation.tasks import Counts, Task
from stages.catalog.place import exclusions_of
from stages.catalog.rules import has_extension, paths_match
from stages.catalog.settings import Settings
from stages.catalog.sources import CONTENTS, SKIPPED
from stages.catalog.walk import FOUND
from stages.licences import licence_kind
from stages.optout import excluded_occurrences

SYMLINK_MODE = 0o120000
KNOWN = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("sha1", pa.string()),
        ("alternatives", pa.list_(pa.string())),  # further sha1s that claim this sha1_git
        ("sha256", pa.string()),
        ("length", pa.int64()),
    ]
)
NOTICE_WORK = pa.schema([*KNOWN, ("origin", pa.string()), ("path", pa.binary()), ("kind", pa.string())])
GROUP_BYTES = 16 << 20
GROUP_CONTENTS = 512


def describe(task: Task) -> Counts:
    """Worker: one bucket of content ids → `occurrences`, `contents`, `notices` (see the module)."""
    settings = Settings.model_validate(task.params["settings"])
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    found = frame(gather(task, "found", bucket, FOUND)).unique()
    known = known_contents(frame(gather(task, "contents", bucket, CONTENTS)))
    skipped = frame(gather(task, "skipped", bucket, SKIPPED)).sort("sha1_git", "length", "reason", nulls_last=True)
    judged = judge(
        found.join(known, on="sha1_git", how="left").join(
            skipped.unique("sha1_git", keep="first").select("sha1_git", skip_length="length", skip="reason"),
            on="sha1_git",
            how="left",
        ),
        settings,
        opted_out(task, found),
    ).sort("origin", "path", "sha1_git", "mode")
    scatter(task, "occurrences", arrow(judged, OCCURRENCES), OCCURRENCES, key="origin", buckets=buckets)
    used = known.join(judged.select("sha1_git").unique(), on="sha1_git", how="semi").sort("sha1_git")
    task.write("contents", arrow(used, KNOWN), KNOWN)
    work = notice_work(judged, known)
    task.write_groups("notices", (arrow(group, NOTICE_WORK) for group in groups(work)), NOTICE_WORK)
    return {"occurrences": judged.height, "contents": used.height, "licence_bearing": work.height}


def known_contents(rows: pl.DataFrame) -> pl.DataFrame:
    """KNOWN plus `status`: one row a sha1_git, visible rows first, then by sha1."""
    order = (
        rows.unique().with_columns(hidden=pl.col("status") != "visible").sort("sha1_git", "hidden", "sha1", "sha256")
    )
    return order.group_by("sha1_git", maintain_order=True).agg(
        pl.col("sha1").first(),
        pl.col("sha1").slice(1).unique(maintain_order=True).alias("alternatives"),
        pl.col("sha256").first(),
        pl.col("length").first(),
        pl.col("status").first(),
    )


def opted_out(task: Task, found: pl.DataFrame) -> pl.DataFrame:
    """(origin, path, sha1_git, optout_reason, exclusion_id) of the occurrences that an exclusion names."""
    exclusions = exclusions_of(task)
    none = (
        found.select("origin", "path", "sha1_git")
        .clear()
        .with_columns(optout_reason=pl.lit(None, pl.String), exclusion_id=pl.lit(None, pl.String))
    )
    if exclusions is None:
        return none
    covered = task.inputs.get("covered")
    repositories = frame(task.read("covered").cast(REPOSITORIES) if covered else REPOSITORIES.empty_table())
    named = excluded_occurrences(found.select("origin", "path", "sha1_git").unique(), repositories, exclusions)
    return named.filter(pl.col("reason").is_not_null()).rename({"reason": "optout_reason"})


def judge(rows: pl.DataFrame, settings: Settings, out: pl.DataFrame) -> pl.DataFrame:
    """`rows` in OCCURRENCES' columns, each with the first reason that applies, or null."""
    joined = rows.join(out, on=["origin", "path", "sha1_git"], how="left")
    paths = pa.chunked_array([joined["path"].to_arrow().cast(pa.binary())])
    ruled = pc.or_(paths_match(paths, settings.exclude_paths), has_extension(paths, settings.exclude_extensions))
    length = pl.coalesce("length", "skip_length")
    reason = pl.coalesce(
        "reason",
        pl.when(pl.col("mode") == SYMLINK_MODE).then(pl.lit("symlink")),
        "optout_reason",
        pl.when(pl.col("sha1").is_null() & pl.col("skip").is_not_null()).then(pl.lit("skipped_content")),
        pl.when(pl.col("sha1").is_null()).then(pl.lit("missing")),
        pl.when(pl.col("status") != "visible").then(pl.lit("hidden")),
        pl.when(length == 0).then(pl.lit("empty")),
        pl.when(length > settings.max_bytes).then(pl.lit("too_large")),
        pl.when(pl.col("ruled")).then(pl.lit("path_rule")),
    )
    judged = joined.with_columns(ruled=pl.Series(ruled.to_pylist(), dtype=pl.Boolean)).with_columns(
        reason=reason, length=length
    )
    return judged.with_columns(evidence=_evidence(settings)).select(*OCCURRENCES.names)


def _evidence(settings: Settings) -> pl.Expr:
    reason = pl.col("reason")
    limit = json.dumps(settings.max_bytes)
    return (
        pl.when(pl.col("exclusion_id").is_not_null() & reason.str.starts_with("opted_out"))
        .then(_object("exclusion", pl.col("exclusion_id")))
        .when(reason == "too_large")
        .then(pl.lit('{"length":') + pl.col("length").cast(pl.String) + pl.lit(f',"limit":{limit}}}'))
        .when(reason == "skipped_content")
        .then(_object("archive", pl.col("skip").fill_null("")))
    )


def _object(key: str, value: pl.Expr) -> pl.Expr:
    escaped = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return pl.lit(f'{{"{key}":"') + escaped + pl.lit('"}')


def notice_work(judged: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """NOTICE_WORK rows: occurrences that can be read and whose name says that they state a licence."""
    unreadable = ["symlink", "missing", "skipped_content", "hidden", "empty", "too_large", "submodule"]
    readable = judged.filter(
        pl.col("reason").is_null()
        | ~(
            pl.col("reason").is_in([*unreadable, "missing_directory", "too_deep"])
            | pl.col("reason").str.starts_with("opted_out")
        )
    )
    kinds = licence_kind(readable["path"].to_arrow().cast(pa.binary()))
    named = readable.with_columns(kind=pl.Series(kinds.to_pylist(), dtype=pl.String)).filter(
        pl.col("kind").is_not_null()
    )
    return (
        named.select("sha1_git", "origin", "path", "kind")
        .join(known.drop("status"), on="sha1_git", how="inner")
        .sort("sha1_git", "kind", "origin", "path")
    )


def groups(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """`rows` (sorted by sha1_git) cut where GROUP_BYTES of distinct contents or GROUP_CONTENTS are full."""
    if not rows.height:
        return
    first = pl.col("sha1_git") != pl.col("sha1_git").shift(1)
    numbered = rows.with_columns(first=first.fill_null(value=True)).with_columns(
        group=pl.max_horizontal(
            (pl.col("length") * pl.col("first")).cum_sum() // GROUP_BYTES, pl.col("first").cum_sum() // GROUP_CONTENTS
        )
    )
    for _, group in numbered.group_by("group", maintain_order=True):
        yield group.drop("first", "group")
