"""From root directories to files, level by level over distinct directories.

A level's frontier holds (origin, path so far, directory), scattered by directory id; each bucket reads the
entries of its *distinct* directories once and joins the frontier to them. Directories go to the next
frontier, everything else is an occurrence. Cost: one row an occurrence, plus one lookup a distinct
directory and level; memory: one bucket. Entries that cannot be followed become occurrences with a reason.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import REPOSITORIES
from foundation.tasks import Counts, Task
from stages.catalog.settings import Settings
from stages.catalog.sources import DIRECTORIES, ENTRIES

FRONTIER = pa.schema(
    [("origin", pa.string()), ("prefix", pa.binary()), ("directory", pa.string()), ("depth", pa.int32())]
)
FOUND = pa.schema(
    [
        ("origin", pa.string()),
        ("path", pa.binary()),
        ("mode", pa.int32()),
        ("sha1_git", pa.string()),
        ("reason", pa.string()),
    ]
)
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
DIRECTORY_MODE = 0o040000


def start(task: Task) -> Counts:
    """Worker: resolved repositories (input `repositories`) → the first `frontier`, scattered by directory."""
    rows = frame(
        task.read("repositories", columns=["origin", "root", "reason"]).cast(
            pa.schema([REPOSITORIES.field(name) for name in ("origin", "root", "reason")])
        )
    ).filter(pl.col("reason").is_null() & pl.col("root").is_not_null())
    frontier = rows.select("origin", prefix=pl.lit(b""), directory="root", depth=pl.lit(0))
    buckets = int(str(task.params["buckets"]))
    scatter(task, "frontier", arrow(frontier, FRONTIER), FRONTIER, key="directory", buckets=buckets)
    return {"frontier": frontier.height}


def expand(task: Task) -> Counts:
    """Worker: one bucket of a level → `found` scattered by content, the next `frontier` by directory."""
    settings = Settings.model_validate(task.params["settings"])
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    frontier = frame(gather(task, "frontier", bucket, FRONTIER))
    distinct = frontier["directory"].unique().implode()
    entries = frame(gather(task, "entries", bucket, ENTRIES)).filter(pl.col("directory_id").is_in(distinct)).unique()
    known = frame(gather(task, "directories", bucket, DIRECTORIES)).filter(pl.col("id").is_in(distinct)).unique()
    found, below = descend(frontier, entries, known, max_depth=settings.max_depth)
    scatter(task, "found", arrow(found, FOUND), FOUND, key="sha1_git", buckets=buckets)
    scatter(task, "frontier", arrow(below, FRONTIER), FRONTIER, key="directory", buckets=buckets)
    return {"found": found.height, "frontier": below.height, "distinct_directories": len(known)}


def descend(
    frontier: pl.DataFrame, entries: pl.DataFrame, known: pl.DataFrame, *, max_depth: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(occurrences, next frontier) of one level; `known` are the directory ids that the archive holds."""
    joined = frontier.join(entries, left_on="directory", right_on="directory_id", how="inner")
    joined = joined.with_columns(path=join_bytes(joined["prefix"], joined["name"]))
    is_directory = pl.col("type") == "dir"
    deep = pl.col("depth") + 1 >= max_depth
    below = joined.filter(is_directory & ~deep).select(
        "origin", prefix="path", directory="target", depth=pl.col("depth") + 1
    )
    files = joined.filter(~is_directory | deep).select(
        "origin",
        "path",
        mode="perms",
        sha1_git="target",
        reason=pl.when(is_directory).then(pl.lit("too_deep")).when(pl.col("type") == "rev").then(pl.lit("submodule")),
    )
    present = pl.concat([known["id"], entries["directory_id"], pl.Series([EMPTY_TREE], dtype=pl.String)]).unique()
    absent = frontier.filter(~pl.col("directory").is_in(present.implode())).select(
        "origin",
        path="prefix",
        mode=pl.lit(DIRECTORY_MODE),
        sha1_git="directory",
        reason=pl.lit("missing_directory"),
    )
    return pl.concat([files, absent], how="vertical_relaxed"), below


def join_bytes(prefixes: pl.Series, names: pl.Series) -> pl.Series:
    """`prefix/name` (or `name` under the root) for every row, as bytes."""
    import pyarrow.compute as pc

    prefix, name = (series.to_arrow().cast(pa.large_binary()) for series in (prefixes, names))
    joined = pc.binary_join_element_wise(prefix, name, pa.scalar(b"/", pa.large_binary()))
    plain = pc.equal(pc.binary_length(prefix), 0)
    made = pl.from_arrow(pc.if_else(plain, name, joined))
    if not isinstance(made, pl.Series):
        raise TypeError("expected a column")
    return made
