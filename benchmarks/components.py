"""Connected components at scale, against scipy: a chain, a star, a random graph, and a cloud of near-identical files.

    python benchmarks/components.py [--nodes 1000000] [--files 100000] [--workers 2]

Graphs go through `components` (the exchanges of the build, buckets of 32 MB so that the rounds of large-star and
small-star really run); each answer is compared with scipy's for every node. The files go through the whole
near-duplicate flow: all but one must be removed. Prints rounds, seconds and the largest worker.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pool import Pool, candidates_of, write_part
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from foundation import clock, tables
from foundation.tasks import Part
from stages.deduplication import CANDIDATES, EDGES, TEXTS, Settings, components, near_duplicates, sign

BUCKET_BYTES = 32 << 20
PARTS = 8


def main() -> None:
    """Run every shape, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print("| input | nodes | edges | right | rounds | wall s | CPU s | peak MB a process |")
    print("|" + "---|" * 8)
    for name, left, right in shapes(options.nodes):
        graph(name, left, right, options.workers)
    files(options.files, options.workers)


def shapes(nodes: int) -> list[tuple[str, NDArray[np.int64], NDArray[np.int64]]]:
    """Node numbers of the edges of each graph, in an order that helps nobody."""
    dice = np.random.default_rng(1)
    chain, star = dice.permutation(nodes), dice.permutation(nodes)
    many = 2 * nodes
    left, right = dice.integers(0, many, 3 * nodes), dice.integers(0, many, 3 * nodes)
    return [
        ("chain", chain[:-1], chain[1:]),
        ("star", np.full(nodes - 1, star[0]), star[1:]),
        ("random", left, right),
    ]


def graph(name: str, left: NDArray[np.int64], right: NDArray[np.int64], workers: int) -> None:
    """One graph through the flow and through scipy."""
    used = np.unique(np.concatenate([left, right]))
    names = np.random.default_rng(2).permutation(np.iinfo(np.int64).max // len(used) * np.arange(len(used)))
    ids = [np.searchsorted(used, side) for side in (left, right)]
    with tempfile.TemporaryDirectory() as folder, Pool(workers) as pool:
        root = Path(folder)
        table = pa.table({"node": names[ids[0]], "other": names[ids[1]]})
        size = -(-table.num_rows // PARTS)
        parts = tuple(write_part(root, f"edges-{at}", table.slice(at * size, size), EDGES) for at in range(PARTS))
        began = clock.monotonic()
        stars = components(pool, root=folder, folder="c", edges=parts, bucket_bytes=BUCKET_BYTES)
        wall = clock.monotonic() - began
        found = pl.concat([pl.from_arrow(tables.read_table(root / part.path)) for part in stars])  # type: ignore[type-var]
        rounds = sum(stage.endswith("-large") for stage in pool.outcomes)
        right_answer = agrees(found, names, ids)
        cpu, peak = pool.cpu_seconds(), pool.peak_bytes() / 1e6
    print(f"| {name} | {len(used)} | {len(left)} | {right_answer} | {rounds} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")


def agrees(found: pl.DataFrame, names: NDArray[np.int64], ids: list[NDArray[np.int64]]) -> bool:
    """Whether every node's component is the smallest name of scipy's component."""
    count = len(names)
    labels = connected_components(coo_matrix((np.ones(len(ids[0])), tuple(ids)), shape=(count, count)), directed=False)[
        1
    ]
    least = np.full(labels.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, labels, names)
    expected = pl.DataFrame({"node": names, "expected": least[labels]})
    joined = expected.join(found, on="node", how="left")
    loops = pl.col("component").is_null() & (pl.col("expected") == pl.col("node"))  # only edge: to itself
    return bool(joined.select(((pl.col("component") == pl.col("expected")) | loops).all()).item())


def files(count: int, workers: int) -> None:
    """`count` texts of about 5 kB of which any two are nearly the same: one must stay."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder, Pool(workers) as pool:
        root = Path(folder)
        candidates, texts = near_identical(root, count, settings)
        began = clock.monotonic()
        parts = near_duplicates(pool, root=folder, folder="n", candidates=candidates, texts=texts, settings=settings)
        wall = clock.monotonic() - began
        rows = pl.concat([pl.from_arrow(tables.read_table(root / part.path)) for part in parts])  # type: ignore[type-var]
        right = rows.height == count and rows["kept"].null_count() == 1 and rows["cluster"].n_unique() == 1
        cpu, peak = pool.cpu_seconds(), pool.peak_bytes() / 1e6
        pieces = sum(".piece-" in stage for stage in pool.outcomes)
    print(f"| near-identical files | {count} | all | {right} | {pieces} pieces | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")


def near_identical(root: Path, count: int, settings: Settings) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """CANDIDATES and TEXTS parts of texts that share all but their last words."""
    body = " ".join(f"word_{at % 997}_{at}" for at in range(450))
    candidates, texts = [], []
    for index, first in enumerate(range(0, count, 5_000)):
        numbers = range(first, min(first + 5_000, count))
        written = pa.array([f"{body} copy {number}" for number in numbers], pa.large_string())
        ids = pa.array([hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest() for number in numbers])
        table = candidates_of(ids, ids, sign(written, settings), part=index)
        candidates.append(write_part(root, f"candidates-{index}", table, CANDIDATES))
        texts.append(write_part(root, f"texts-{index}", pa.table({"sha1_git": ids, "text": written}), TEXTS))
    return tuple(candidates), tuple(texts)


if __name__ == "__main__":
    main()
