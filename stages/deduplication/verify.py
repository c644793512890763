"""Exact comparison within a component of candidates, and the choice of who stays.

Contents are taken in the total order; one is removed only if one that stays has an exact Jaccard at or
above the threshold with it, and names the first such. Every pair of a component is looked at (sketches
first), so pairs that shared no band are found too. Two contents are in one cluster when a chain of
verified pairs connects them.

Invariants: `kept` always stays, `jaccard` ≥ threshold; a cluster has at least two members.
Memory: one bucket of texts (whole components) and 8 bytes a shingle of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foundation.exchange import bucket_of, gather, scatter
from foundation.frames import frame
from foundation.tables import group_count, read_table
from foundation.tasks import Counts, Part, Task
from stages.deduplication.bands import run_bounds
from stages.deduplication.components import centres
from stages.deduplication.linking import Comparable, cluster_runs, pairs_in_runs, select_runs
from stages.deduplication.schemas import EDGES, GIANTS, GROUPED, MEMBERS, NEAR, PAIRS, PLACED, TEXTS, WANTED
from stages.deduplication.settings import Settings, sketch_matches
from stages.deduplication.signing import fixed_width, shingle_sets
from stages.deduplication.steps import bucket_frame, in_order, number, settings_of


def place(task: Task) -> Counts:
    """Contents that have an edge, with their component, keyed by it."""
    stars = centres(bucket_frame(task, "edges", EDGES))
    members = frame(task.read("members", columns=MEMBERS.names))
    placed = stars.join(members, on="sha1_git", how="inner")
    scatter(task, "placed", placed.to_arrow(), PLACED, key="component", buckets=number(task, "buckets"))
    return {"in": members.height, "candidates": placed.height}


def plan_groups(task: Task) -> Counts:
    """`wanted` (contents whose text is needed, keyed by text part) and `giants` (components in several pieces)."""
    most = settings_of(task).max_component
    rows = in_order(bucket_frame(task, "placed", PLACED), "component")
    place_in = pl.int_range(pl.len()).over("component")
    sized = rows.with_columns(size=pl.len().over("component"), piece=(place_in // most).cast(pl.Int32))
    pieces = sized.with_columns(piece=pl.when(pl.col("size") > most).then("piece"))
    suffix = pl.when(pl.col("piece").is_null()).then(pl.lit("")).otherwise(pl.format("/{}", "piece"))
    wanted = pieces.with_columns(group=pl.col("component") + suffix)
    giants = wanted.drop_nulls("piece").group_by("component").agg(pieces=pl.col("piece").max() + 1).sort("component")
    task.write("giants", giants.to_arrow(), GIANTS)
    scatter(task, "wanted", wanted.to_arrow(), WANTED, key="text_part", buckets=number(task, "part_buckets"))
    largest = sized["size"].max()
    return {"components": rows["component"].n_unique(), "giants": giants.height, "largest": int(str(largest or 0))}


def collect_texts(task: Task) -> Counts:
    """The wanted texts of one part of `texts`, keyed by group: `whole` components, and `pieces` of giants."""
    index = number(task, "text_part")
    bucket = int(bucket_of(pa.array([index], pa.int32()), number(task, "part_buckets"))[0])
    wanted = frame(gather(task, "wanted", bucket, WANTED)).filter(pl.col("text_part") == index).unique()
    found = [GROUPED.empty_table()]
    if wanted.height:
        (part,) = task.inputs["texts"]
        found += [wanted_rows(piece, wanted) for piece in _groups(task, part)]
    texts = frame(pa.concat_tables(found)).unique("sha1_git", keep="first", maintain_order=True)
    for output, rows in (("whole", texts.filter(pl.col("piece").is_null())), ("pieces", texts.drop_nulls("piece"))):
        scatter(task, output, rows.to_arrow(), GROUPED, key="group", buckets=number(task, "buckets"))
    return {"wanted": wanted.height, "found": texts.height}


def _groups(task: Task, part: Part) -> list[tuple[Path, int]]:
    path = Path(task.root, part.path)
    return [(path, group) for group in ([part.group] if part.group is not None else range(group_count(path)))]


def wanted_rows(piece: tuple[Path, int], wanted: pl.DataFrame) -> pa.Table:
    """Rows of one row group of TEXTS that are wanted; its texts are read only if there are any."""
    path, group = piece
    names = read_table(path, columns=["sha1_git"], group=group)["sha1_git"]
    chosen = pc.is_in(names, value_set=wanted["sha1_git"].to_arrow().cast(names.type))
    if not pc.any(chosen).as_py():
        return GROUPED.empty_table()
    texts = frame(read_table(path, columns=TEXTS.names, group=group).filter(chosen))
    joined = texts.join(wanted, on="sha1_git", how="inner")
    return joined.select(GROUPED.names).to_arrow().cast(GROUPED)


def comparable(rows: pl.DataFrame, settings: Settings) -> Comparable:
    """Sketches and shingle sets of rows with `sketch` and `text`, and the settings' rule."""
    words = fixed_width(rows["sketch"].to_arrow(), settings.permutations // 8).view(np.uint64)
    starts, sizes, values = shingle_sets(rows["text"].to_arrow().cast(pa.large_string()))
    matches = sketch_matches(settings.threshold, settings.permutations, settings.prefilter_loss)
    return Comparable(words, starts, sizes, values, settings.permutations - matches, settings.threshold)


def resolve(task: Task) -> Counts:
    """NEAR (and, with parameter `pairs`, PAIRS) of every whole component of one bucket."""
    rows = in_order(frame(gather(task, "whole", number(task, "bucket"), GROUPED)), "component")
    contents, bounds = comparable(rows, settings_of(task)), run_bounds(rows["component"])
    kept = np.full(rows.height, -1, dtype=np.int64)
    similarity, root = np.zeros(rows.height), np.empty(rows.height, dtype=np.int64)
    select_runs(bounds, contents, kept, similarity)
    cluster_runs(bounds, contents, root)
    near = near_rows(rows["sha1_git"], root=root, kept=kept, similarity=similarity)
    task.write("near", near.to_arrow(), NEAR)
    pairs = similar_pairs(rows["sha1_git"], bounds, contents) if task.params["pairs"] else PAIRS.empty_table()
    task.write("pairs", pairs, PAIRS)
    removed = int((kept >= 0).sum())
    return {"in": rows.height, "near_duplicate": removed, "clusters": near["cluster"].n_unique()}


def near_rows(
    names: pl.Series, *, root: NDArray[np.int64], kept: NDArray[np.int64], similarity: NDArray[np.float64]
) -> pl.DataFrame:
    """NEAR from row numbers: the first row of each row's cluster, and the row it duplicates or -1."""
    rows = pl.DataFrame({"sha1_git": names, "root": root, "jaccard": similarity})
    removed = pl.Series(kept >= 0)
    members = rows.with_columns(
        cluster=pl.col("sha1_git").min().over("root"),
        size=pl.len().over("root"),
        kept=pl.when(removed).then(names.gather(np.maximum(kept, 0)) if names.len() else names),
        jaccard=pl.when(removed).then("jaccard"),
    )
    return members.filter(pl.col("size") > 1).select(NEAR.names).sort("sha1_git")


def similar_pairs(names: pl.Series, bounds: NDArray[np.int64], contents: Comparable) -> pa.Table:
    """PAIRS: every verified pair within the runs; quadratic in a component, for inspection only."""
    room = 1 << 16
    while True:
        left, right, value = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.float64)
        count = pairs_in_runs(bounds, contents, left, right, value)
        if count <= room:
            break
        room = count
    ends = pl.DataFrame({"x": names[left[:count]], "y": names[right[:count]], "jaccard": value[:count]})
    ordered = ends.select(a=pl.min_horizontal("x", "y"), b=pl.max_horizontal("x", "y"), jaccard="jaccard")
    return ordered.sort("a", "b").to_arrow().cast(PAIRS)
