"""From the archive's ORC tables to bucket files: the one decode of each table.

Every table is read once, stripe by stripe, reduced to the columns and rows a build can use, and
written as bucket files by the key it will be joined on. Cost: one ORC decode and one sort of each row;
memory: the stripes of one task.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from archive.orc import read_stripe, stripes
from archive.reader import Archive
from foundation.exchange import scatter
from foundation.frames import arrow, frame
from foundation.schema import TIMESTAMP
from foundation.storage import S3Settings, Store, open_store
from foundation.tasks import Counts, Part, Runner, Task, parts_of
from stages.catalog.settings import VERSION

STATUSES = pa.schema(
    [
        ("origin", pa.string()),
        ("visit", pa.int64()),
        ("date", TIMESTAMP),
        ("type", pa.string()),
        ("status", pa.string()),
        ("snapshot", pa.string()),
    ]
)
BRANCHES = pa.schema(
    [("snapshot_id", pa.string()), ("name", pa.binary()), ("target", pa.string()), ("target_type", pa.string())]
)
RELEASES = pa.schema([("id", pa.string()), ("target", pa.string()), ("target_type", pa.string())])
REVISIONS = pa.schema(
    [("id", pa.string()), ("directory", pa.string()), ("date", TIMESTAMP), ("committer_date", TIMESTAMP)]
)
DIRECTORIES = pa.schema([("id", pa.string())])
ENTRIES = pa.schema(
    [
        ("directory_id", pa.string()),
        ("name", pa.binary()),
        ("type", pa.string()),
        ("target", pa.string()),
        ("perms", pa.int32()),
    ]
)
CONTENTS = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("sha1", pa.string()),
        ("sha256", pa.string()),
        ("length", pa.int64()),
        ("status", pa.string()),
    ]
)
SKIPPED = pa.schema([("sha1_git", pa.string()), ("length", pa.int64()), ("reason", pa.string())])
ORIGINS = pa.schema([("url", pa.string())])

STRIPES_EACH = 8


@dataclasses.dataclass(frozen=True)
class Source:
    """How one archive table is taken in: its declared columns, its join key, and which rows matter."""

    table: str
    schema: pa.Schema
    key: str
    keep: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows


def _usable_branches(rows: pl.DataFrame) -> pl.DataFrame:
    """Branches that a HEAD may lead to: pull and merge requests are other people's proposals."""
    name = pl.col("name").bin
    return rows.filter(~(name.starts_with(b"refs/pull/") | name.starts_with(b"refs/merge-requests/")))


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        source.table: source
        for source in (
            Source("origin", ORIGINS, "url"),
            Source("origin_visit_status", STATUSES, "origin"),
            Source("snapshot_branch", BRANCHES, "snapshot_id", _usable_branches),
            Source("release", RELEASES, "id"),
            Source("revision", REVISIONS, "id"),
            Source("directory", DIRECTORIES, "id"),
            Source("directory_entry", ENTRIES, "directory_id"),
            Source("content", CONTENTS, "sha1_git", lambda rows: rows.filter(pl.col("sha1_git").is_not_null())),
            Source("skipped_content", SKIPPED, "sha1_git", lambda rows: rows.filter(pl.col("sha1_git").is_not_null())),
        )
    }
)


def store_of(context: Mapping[str, object]) -> Store:
    """The archive's store from a task's context (`archive`: URI, `s3`: S3Settings as JSON or null)."""
    settings = context.get("s3")
    return open_store(str(context["archive"]), s3=S3Settings(**settings) if isinstance(settings, dict) else None)


def scatter_table(task: Task) -> Counts:
    """Worker: a run of stripes of one ORC file → bucket file `rows`."""
    source = SOURCES[str(task.params["table"])]
    store, key = store_of(task.context), str(task.params["file"])
    first, last, buckets = (int(str(task.params[name])) for name in ("first", "last", "buckets"))
    read = [
        read_stripe(store, key, stripe, table=source.table, columns=source.schema.names)
        for stripe in range(first, last)
    ]
    rows = source.keep(frame(pa.concat_tables(read))) if read else frame(source.schema.empty_table())
    scatter(task, "rows", arrow(rows, source.schema), source.schema, key=source.key, buckets=buckets)
    return {"rows": rows.height}


def scatter_tables(
    run: Runner, archive: Archive, *, root: str, buckets: int, context: Mapping[str, object], tables: Sequence[str]
) -> dict[str, tuple[Part, ...]]:
    """Flow: bucket files of each archive table named, in one wave of tasks."""
    tasks = [task for table in tables for task in _tasks(archive, table, root=root, buckets=buckets, context=context)]
    outcomes = run("catalog: read tables", tasks)
    found: dict[str, tuple[Part, ...]] = {}
    for table in tables:
        found[table] = parts_of([o for o in outcomes if o.task.params["table"] == table], "rows")
    return found


def _tasks(archive: Archive, table: str, *, root: str, buckets: int, context: Mapping[str, object]) -> list[Task]:
    store, tasks = store_of(context), []
    for number, info in enumerate(archive.files(table)):
        count = len(stripes(store, info.key))
        for first in range(0, count, STRIPES_EACH):
            last = min(count, first + STRIPES_EACH)
            tasks.append(
                Task(
                    worker="stages.catalog.sources:scatter_table",
                    version=VERSION,
                    root=root,
                    folder=f"catalog/{table}",
                    partition=f"{number:05d}-{first:05d}",
                    outputs=("rows",),
                    params={
                        "table": table,
                        "file": info.key,
                        "bytes": info.size,
                        "first": first,
                        "last": last,
                        "buckets": buckets,
                    },
                    context=dict(context),  # type: ignore[arg-type]
                )
            )
    return tasks
