"""From a snapshot to the root directory of the state a build reads.

HEAD is followed through aliases (their target is the hex of a branch name) within the snapshot; when
HEAD is absent or unborn, the forge's default branch, then main, master and the rest of refs/heads in
name order stand in, so that no repository is lost to a renamed branch. What the branch points at is followed
through releases to a revision or directory. Each hop is one exchange by object id.
Output: REPOSITORIES rows with branch, anchor, revision, dates and root, or with a reason.
"""

from __future__ import annotations

import datetime as dt

import polars as pl
import pyarrow as pa

from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import REPOSITORIES
from foundation.tasks import Counts, Task
from stages.catalog.sources import BRANCHES, RELEASES, REVISIONS
from stages.catalog.visits import SELECTED

ALIAS_HOPS = 5
RELEASE_HOPS = 5
TARGETED = pa.schema(
    [*SELECTED, pa.field("target", pa.string()), pa.field("target_type", pa.string()), pa.field("hops", pa.int32())]
)


def resolve_heads(task: Task) -> Counts:
    """Worker: one bucket of snapshots → `targets`, scattered by the object that HEAD leads to."""
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    repositories = frame(gather(task, "repositories", bucket, SELECTED))
    wanted = repositories.filter(pl.col("reason").is_null())["snapshot"].unique()
    branches = frame(gather(task, "branches", bucket, BRANCHES)).filter(pl.col("snapshot_id").is_in(wanted.implode()))
    targets = choose_branch(repositories, follow_aliases(branches.unique()))
    scatter(task, "targets", arrow(targets, TARGETED), TARGETED, key="target", buckets=buckets)
    return {"targets": targets.height}


def follow_aliases(branches: pl.DataFrame) -> pl.DataFrame:
    """Branches with every alias replaced by what it leads to; dangling and circular aliases vanish."""
    current = branches.with_columns(
        final=pl.col("name"),
        hop=pl.when(pl.col("target_type") == "alias").then(pl.col("target").str.decode("hex", strict=False)),
    )
    table = branches.select("snapshot_id", next_name="name", next_target="target", next_type="target_type")
    for _ in range(ALIAS_HOPS):
        joined = current.join(table, left_on=["snapshot_id", "hop"], right_on=["snapshot_id", "next_name"], how="left")
        is_alias = pl.col("target_type") == "alias"
        current = joined.with_columns(
            final=pl.when(is_alias).then(pl.col("hop")).otherwise(pl.col("final")),
            target=pl.when(is_alias).then(pl.col("next_target")).otherwise(pl.col("target")),
            target_type=pl.when(is_alias).then(pl.col("next_type")).otherwise(pl.col("target_type")),
        ).with_columns(
            hop=pl.when(pl.col("target_type") == "alias").then(pl.col("target").str.decode("hex", strict=False))
        )
        current = current.select("snapshot_id", "name", "final", "target", "target_type", "hop")
    resolved = pl.col("target").is_not_null() & (pl.col("target_type") != "alias")
    return current.filter(resolved).drop("hop")


def choose_branch(repositories: pl.DataFrame, branches: pl.DataFrame) -> pl.DataFrame:
    """Each repository with the branch it is read at (TARGETED's columns); reason `no_head` when there is none."""
    candidates = (
        repositories.filter(pl.col("reason").is_null())
        .select("origin", "snapshot", "default_branch")
        .join(branches, left_on="snapshot", right_on="snapshot_id", how="inner")
    )
    default = (pl.lit("refs/heads/") + pl.col("default_branch")).cast(pl.Binary)
    ranked = candidates.with_columns(
        rank=pl.when(pl.col("name") == b"HEAD")
        .then(0)
        .when(pl.col("name") == default)
        .then(1)
        .when(pl.col("name") == b"refs/heads/main")
        .then(2)
        .when(pl.col("name") == b"refs/heads/master")
        .then(3)
        .when(pl.col("name").bin.starts_with(b"refs/heads/"))
        .then(4)
    ).filter(pl.col("rank").is_not_null())
    best = ranked.sort("origin", "rank", "name", "target").unique("origin", keep="first", maintain_order=True)
    best = best.with_columns(branch_bytes=pl.col("final")).select("origin", "branch_bytes", "target", "target_type")
    joined = repositories.drop("branch").join(best, on="origin", how="left", maintain_order="left")
    lost = pl.col("reason").is_null() & pl.col("target").is_null()
    return joined.with_columns(
        branch=readable(joined["branch_bytes"]),
        reason=pl.when(lost).then(pl.lit("no_head")).otherwise(pl.col("reason")),
        hops=pl.lit(0),
    )


def readable(names: pl.Series) -> pl.Series:
    """Bytes as text: UTF-8 where it is, other bytes and control characters backslash-escaped."""
    return pl.Series(
        names.name,
        [None if name is None else name.decode("utf-8", "backslashreplace") for name in names],
        dtype=pl.String,
    )


def resolve_targets(task: Task) -> Counts:
    """Worker: one bucket of object ids → `resolved` repositories, and `pending` ones scattered by the next object."""
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    rows = frame(gather(task, "targets", bucket, TARGETED))
    revisions = frame(gather(task, "revisions", bucket, REVISIONS)).unique("id", keep="first", maintain_order=True)
    releases = frame(gather(task, "releases", bucket, RELEASES)).unique("id", keep="first", maintain_order=True)
    settled, pending = follow_objects(rows, revisions.sort("id"), releases.sort("id"))
    task.write("resolved", arrow(settled.sort("origin"), REPOSITORIES), REPOSITORIES)
    scatter(task, "pending", arrow(pending, TARGETED), TARGETED, key="target", buckets=buckets)
    return {"resolved": settled.height, "pending": pending.height}


def follow_objects(
    rows: pl.DataFrame, revisions: pl.DataFrame, releases: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(settled, pending): one hop from each row's target; a release leads on, everything else settles."""
    revision = revisions.select(target="id", rev_directory="directory", rev_date="date", rev_committer="committer_date")
    release = releases.select(target="id", next_target="target", next_type="target_type")
    joined = rows.join(revision, on="target", how="left").join(release, on="target", how="left")
    kind = pl.col("target_type")
    leads_on = (
        (kind == "release")
        & pl.col("next_target").is_not_null()
        & (pl.col("hops") < RELEASE_HOPS)
        & pl.col("reason").is_null()
    )
    joined = joined.with_columns(leads_on=leads_on.fill_null(value=False), anchor=_anchor(kind))
    pending = joined.filter("leads_on").with_columns(
        target="next_target", target_type="next_type", hops=pl.col("hops") + 1
    )
    return _settle(joined.filter(~pl.col("leads_on"))), pending.select(TARGETED.names)


def _anchor(kind: pl.Expr) -> pl.Expr:
    """Core SWHID of the first release met, else of the object itself; contents have none."""
    short = kind.replace_strict({"revision": "rev", "release": "rel", "directory": "dir"}, default=None)
    found = pl.when(short.is_not_null()).then(pl.lit("swh:1:") + short + pl.lit(":") + pl.col("target"))
    is_revision = kind == "revision"
    return pl.when(is_revision).then(found).otherwise(pl.coalesce("anchor", found))


def _settle(rows: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col("target_type")
    root = pl.when(kind == "revision").then(pl.col("rev_directory")).when(kind == "directory").then(pl.col("target"))
    settled = rows.with_columns(
        root=root,
        revision=pl.when((kind == "revision") & pl.col("rev_directory").is_not_null()).then(pl.col("target")),
        revision_date=pl.col("rev_date"),
        committer_date=pl.col("rev_committer"),
    )
    lost = pl.col("reason").is_null() & pl.col("root").is_null()
    return settled.with_columns(
        reason=pl.when(lost).then(pl.lit("head_unresolved")).otherwise(pl.col("reason")),
        first_seen=pl.min_horizontal("created_at", _believable(pl.col("committer_date")), "visit_date"),
    )


def _believable(date: pl.Expr) -> pl.Expr:
    """Commit dates are the author's word: null when before 1990 or after the visit that saw the commit."""
    floor = pl.lit(dt.datetime(1990, 1, 1, tzinfo=dt.UTC)).cast(pl.Datetime("us", "UTC"))
    return pl.when((date >= floor) & (date <= pl.col("visit_date"))).then(date)
