"""Exact comparison within a component of candidates, and the choice of who stays.

Contents are taken in the total order; one is removed only if one that stays has an exact Jaccard at or
above the threshold with it, and names the first such. Every pair of a component is looked at (sketches
first), so pairs that shared no band are found too. Two contents are in one cluster when a chain of
verified pairs connects them.

Invariants: `kept` always stays, `jaccard` ≥ threshold; a cluster has at least two members.
Memory: one bucket of texts (whole components) and 8 bytes a shingle of it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foundation.exchange import bucket_file, bucket_of, gather, scatter
from foundation.frames import frame
from foundation.tables import group_count, read_table
from foundation.tasks import Counts, Part, Task
from stages.deduplication.bands import run_bounds, sketch_matrix
from stages.deduplication.components import centres
from stages.deduplication.linking import Comparable, cluster_runs, pairs_in_runs, select_runs
from stages.deduplication.schemas import (
    EDGES,
    GIANTS,
    GROUPED,
    MEMBERS,
    NEAR,
    PAIRS,
    PLACED,
    TEXTS,
    WANTED,
    sketched,
)
from stages.deduplication.settings import Settings, sketch_matches
from stages.deduplication.signing import shingle_numbers
from stages.deduplication.steps import bucket_frame, gather_ranges, in_order, number, part_range, settings_of

PIECE_SHINGLES = 1 << 24  # of the contents compared in one task at most, one content aside: about 100 MB of text


def place(task: Task) -> Counts:
    """Contents that have an edge, with their component, keyed by it."""
    words = settings_of(task).permutations // 64
    stars = centres(bucket_frame(task, "edges", EDGES))
    members = frame(gather(task, "members", number(task, "bucket"), sketched(MEMBERS, words)))
    placed = in_order(members.join(stars, on="node", how="inner"), "sha1_git")
    schema = sketched(PLACED, words)
    scatter(task, "placed", placed.to_arrow(), schema, key="component", buckets=number(task, "buckets"))
    return {"in": members.height, "candidates": placed.height, "shingles": int(placed["shingles"].sum())}


def plan_groups(task: Task) -> Counts:
    """`wanted` (contents whose text is needed, keyed by text part) and `giants` (components in several pieces)."""
    settings, words = settings_of(task), settings_of(task).permutations // 64
    rows = in_order(frame(gather(task, "placed", number(task, "bucket"), sketched(PLACED, words))), "component")
    pieces = _pieces(rows, contents=settings.max_component, shingles=number(task, "piece_shingles"))
    split = pl.col("component").is_in(rows["component"].filter(pl.Series(pieces > 0)).unique().implode())
    sized = rows.with_columns(piece=pl.when(split).then(pl.Series(pieces)))
    group = pl.col("component") + pl.col("piece").fill_null(0).cast(pl.Int64) * _SPREAD
    wanted = sized.with_columns(part_range(task), group=group)
    giants = wanted.drop_nulls("piece").group_by("component").agg(pieces=pl.col("piece").max() + 1).sort("component")
    task.write("giants", giants.to_arrow(), GIANTS)
    schema = sketched(WANTED, words)
    scatter(task, "wanted", wanted.to_arrow(), schema, key="part_range", buckets=number(task, "part_buckets"))
    sizes = np.diff(run_bounds(rows["component"]))
    return {"components": len(sizes), "giants": giants.height, "largest": int(sizes.max(initial=0))}


_SPREAD = 0x9E3779B97F4A7C1  # group = component + piece × this, modulo 2^64: pieces lie in different buckets


def group_bucket(component: int, piece: int, buckets: int) -> int:
    """Bucket of the texts of one piece of a component."""
    group = np.array([component]) + np.array([piece]) * _SPREAD
    return int(bucket_of(pa.array(group), buckets)[0])


def _pieces(rows: pl.DataFrame, *, contents: int, shingles: int) -> NDArray[np.int32]:
    """Piece of each row within its component (rows sorted by it): a new one where either limit is passed."""
    bounds = run_bounds(rows["component"])
    first = np.repeat(bounds[:-1], np.diff(bounds))
    before = np.cumsum(rows["shingles"].to_numpy()) - rows["shingles"].to_numpy()
    place = np.arange(rows.height)
    by_size = (before - before[first]) // shingles if rows.height else before
    full = (place - first) // contents + by_size
    turns = np.cumsum((full != np.roll(full, 1)) & (place != first))
    pieces: NDArray[np.int32] = (turns - turns[first]).astype(np.int32)
    return pieces


def collect_texts(task: Task) -> Counts:
    """The wanted texts of some parts of `texts`, keyed by group: `whole` components, and `pieces` of giants."""
    schema = sketched(GROUPED, settings_of(task).permutations // 64)
    wanted, ids = _wanted(task), [pa.array([], pa.string())]
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(bucket_file(task, name, schema, key="group", buckets=number(task, "buckets")))
            for name in ("whole", "pieces")
        ]
        for index, part in zip(_indices(task), task.inputs["texts"], strict=True):
            mine = wanted.filter(pl.col("text_part") == index)
            for group in _groups(task, part) if mine.height else ():
                rows = wanted_rows(group, mine, schema)
                ids += rows["sha1_git"].chunks
                whole = rows["piece"].is_null()
                files[0].add(rows.filter(whole))
                files[1].add(rows.filter(pc.invert(whole)))
    return {"wanted": wanted.height, "found": len(pc.unique(pa.chunked_array(ids)))}


def _indices(task: Task) -> range:
    first = number(task, "first_part")
    return range(first, first + len(task.inputs["texts"]))


def _wanted(task: Task) -> pl.DataFrame:
    """WANTED rows of the task's parts of `texts`, each content once."""
    schema = sketched(WANTED, settings_of(task).permutations // 64)
    indices = pl.Series(list(_indices(task)), dtype=pl.Int32)
    rows = gather_ranges(task, "wanted", schema, indices).filter(pl.col("text_part").is_in(indices.implode()))
    return rows.unique("sha1_git", keep="first", maintain_order=True)


def _groups(task: Task, part: Part) -> list[tuple[Path, int]]:
    path = Path(task.root, part.path)
    return [(path, group) for group in ([part.group] if part.group is not None else range(group_count(path)))]


def wanted_rows(piece: tuple[Path, int], wanted: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Rows of one row group of TEXTS that are wanted; its texts are read only if there are any."""
    path, group = piece
    names = read_table(path, columns=["sha1_git"], group=group)["sha1_git"]
    places = pc.index_in(names, value_set=wanted["sha1_git"].to_arrow().cast(names.type))
    chosen = places.is_valid()
    if not pc.any(chosen).as_py():
        return schema.empty_table()
    texts = read_table(path, columns=["text"], group=group)["text"].filter(chosen)
    rows = wanted[places.filter(chosen).to_numpy()].to_arrow()
    return rows.append_column(TEXTS.field("text"), texts.cast(pa.large_string())).select(schema.names).cast(schema)


def ordered_texts(table: pa.Table) -> tuple[pl.DataFrame, pa.LargeStringArray]:
    """GROUPED rows without their texts, each component in the total order, and the texts in that order."""
    rows = in_order(frame(table.drop(["text"])).with_row_index("at"), "component")
    texts = table["text"].take(rows["at"].to_arrow()).combine_chunks()
    return rows.drop("at"), texts.chunk(0) if isinstance(texts, pa.ChunkedArray) else texts


def comparable(
    rows: pl.DataFrame, texts: pa.LargeStringArray, *, bounds: NDArray[np.int64], settings: Settings
) -> Comparable:
    """Sketches (columns of `rows`) and shingles of runs of contents, and the settings' rule."""
    starts, sizes, numbers = shingle_numbers(texts, bounds)
    matches = sketch_matches(settings.threshold, settings.permutations, settings.prefilter_loss)
    worst = settings.permutations - matches
    return Comparable(sketch_matrix(rows), starts, sizes, numbers, worst, settings.threshold)


def resolve(task: Task) -> Counts:
    """NEAR (and, with parameter `pairs`, PAIRS) of every whole component of one bucket."""
    settings = settings_of(task)
    schema = sketched(GROUPED, settings.permutations // 64)
    rows, texts = ordered_texts(gather(task, "whole", number(task, "bucket"), schema))
    bounds = run_bounds(rows["component"])
    contents = comparable(rows, texts, bounds=bounds, settings=settings)
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
