"""Which state of which origin a build reads.

Output `repositories` (foundation.schema.REPOSITORIES, `root` and dates still null): one row an origin, the latest
usable visit not after the as-of date; `reason` is set for origins that are not read. Ties fall to the
later visit number, then the snapshot id. Metadata is joined on the origin's URL and on current and
former names, so that a renamed repository keeps its stars; a current name beats a former one.
Cost: one row a visit status; memory: one bucket of origins.
"""

from __future__ import annotations

import datetime as dt

import polars as pl
import pyarrow as pa

from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.origins import hosts, name_keys, origin_keys
from foundation.schema import REPOSITORIES, TIMESTAMP
from foundation.tasks import Counts, Task
from stages.catalog.rules import origins_match
from stages.catalog.settings import Settings
from stages.catalog.sources import ORIGINS, STATUSES

METADATA = pa.schema(
    [
        ("key", pa.string()),  # comparable URL, see foundation.origins
        ("former", pa.bool_()),  # whether the key is a former name
        ("github_id", pa.int64()),
        ("repo_name", pa.string()),
        ("former_names", pa.list_(pa.string())),
        ("default_branch", pa.string()),
        ("stars", pa.int64()),
        ("forks", pa.int64()),
        ("fork_of", pa.string()),
        ("created_at", TIMESTAMP),
        ("declared_licence", pa.string()),
    ]
)
KEYED = pa.schema([*STATUSES, pa.field("key", pa.string())])
SELECTED = pa.schema([*REPOSITORIES, pa.field("default_branch", pa.string())])


def scatter_metadata(task: Task) -> Counts:
    """Worker: the metadata file (input `metadata`) → bucket file `rows`, one row for each name a repository has had."""
    rows = frame(task.read("metadata"))
    url = pl.coalesce("url", pl.lit("https://github.com/") + pl.col("full_name"))
    named = rows.with_columns(repo_name="full_name", key=origin_keys(url)).with_columns(host=hosts(pl.col("key")))
    current = named.with_columns(former=pl.lit(value=False))
    every = pl.concat([current.select(METADATA.names), _former(named).select(METADATA.names)])
    scatter(task, "rows", arrow(every, METADATA), METADATA, key="key", buckets=int(str(task.params["buckets"])))
    return {"rows": every.height}


def _former(named: pl.DataFrame) -> pl.DataFrame:
    each = named.with_columns(name=pl.col("former_names")).explode("name").filter(pl.col("name").is_not_null())
    return each.with_columns(key=pl.col("host") + "/" + name_keys(pl.col("name")), former=pl.lit(value=True))


def scatter_by_url(task: Task) -> Counts:
    """Worker: visit statuses and origins (inputs `statuses`, `origins`) → `rows`, keyed by comparable URL."""
    statuses = frame(gather_all(task, "statuses", STATUSES)).with_columns(key=origin_keys(pl.col("origin")))
    origins = frame(gather_all(task, "origins", ORIGINS)).select(origin="url", key=origin_keys(pl.col("url")))
    rows = pl.concat([statuses, origins], how="diagonal_relaxed")
    scatter(task, "rows", arrow(rows, KEYED), KEYED, key="key", buckets=int(str(task.params["buckets"])))
    return {"rows": rows.height}


def gather_all(task: Task, name: str, schema: pa.Schema) -> pa.Table:
    """All rows of input `name`, or an empty table of `schema` when it has no parts."""
    return task.read(name, columns=schema.names).cast(schema) if task.inputs.get(name) else schema.empty_table()


def select_visits(task: Task) -> Counts:
    """Worker: one bucket of URLs → `repositories` (dropped ones too) scattered by snapshot."""
    settings = Settings.model_validate(task.params["settings"])
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    rows = frame(gather(task, "rows", bucket, KEYED))
    metadata = frame(gather(task, "metadata", bucket, METADATA))
    chosen = latest_visits(rows, as_of=as_of_of(task), partial=settings.allow_partial_visits)
    known = judge(with_metadata(chosen, metadata), settings)
    scatter(task, "repositories", arrow(known, SELECTED), SELECTED, key="snapshot", buckets=buckets)
    return {"repositories": known.height, "dropped": known.height - known["reason"].null_count()}


def as_of_of(task: Task) -> dt.datetime | None:
    """The as-of instant in the task's parameters (ISO-8601), or None."""
    text = task.params.get("as_of")
    return dt.datetime.fromisoformat(str(text)) if text else None


def latest_visits(rows: pl.DataFrame, *, as_of: dt.datetime | None, partial: bool) -> pl.DataFrame:
    """One row an origin: its latest full visit with a snapshot (then partial, if allowed), else nulls."""
    wanted = ["full", "partial"] if partial else ["full"]
    usable = rows.filter(pl.col("status").is_in(wanted) & pl.col("snapshot").is_not_null())
    if as_of is not None:
        usable = usable.filter(pl.col("date") <= pl.lit(as_of))
    order = usable.with_columns(is_full=pl.col("status") == "full").sort(
        ["origin", "is_full", "date", "visit", "snapshot"], descending=[False, True, True, True, True]
    )
    best = order.unique("origin", keep="first", maintain_order=True)
    every = rows.group_by("origin", "key").agg(pl.len().alias("statuses")).sort("origin")
    return every.join(best.drop("key", "status", "is_full"), on="origin", how="left", maintain_order="left")


def with_metadata(chosen: pl.DataFrame, metadata: pl.DataFrame) -> pl.DataFrame:
    """`chosen` with metadata columns; without metadata the name is the URL's path and the numbers are null."""
    best = metadata.sort(["key", "former", "created_at", "github_id", "repo_name"], nulls_last=True).unique(
        "key", keep="first", maintain_order=True
    )
    joined = chosen.join(best, on="key", how="left", maintain_order="left")
    path = pl.col("key").str.replace(r"^[^/]+/", "")
    return joined.with_columns(repo_name=pl.coalesce("repo_name", _path_of_url(), path))


def _path_of_url() -> pl.Expr:
    bare = pl.col("origin").str.replace(r"^[A-Za-z+]+://[^/]*/?", "").str.strip_chars("/")
    return bare.str.replace(r"\.git$", "")


def judge(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """`rows` in SELECTED's columns, with a reason where the origin is not read."""
    origins = rows["origin"].to_arrow()
    column = pa.chunked_array([origins])
    included = pl.Series(origins_match(column, settings.include_origins).to_pylist(), dtype=pl.Boolean)
    excluded = pl.Series(origins_match(column, settings.exclude_origins).to_pylist(), dtype=pl.Boolean)
    typed = pl.col("type").is_in(list(settings.visit_types)) if settings.visit_types else pl.lit(value=True)
    starred = pl.col("stars").fill_null(0) >= settings.minimum_stars
    reason = (
        pl.when(pl.col("snapshot").is_null())
        .then(pl.lit("no_full_visit"))
        .when(~(pl.col("wanted") & typed & starred))
        .then(pl.lit("not_selected"))
    )
    empty = {
        field.name: pl.lit(None)
        for field in SELECTED
        if field.name in ("branch", "anchor", "revision", "revision_date", "committer_date", "root", "evidence")
    }
    return rows.with_columns(wanted=included & ~excluded).with_columns(
        reason=reason, visit_date=pl.col("date"), visit_type=pl.col("type"), first_seen=pl.lit(None), **empty
    )
