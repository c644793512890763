"""Connected components of an edge list that no single node can hold: large-star, small-star.

Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii, "Connected Components in MapReduce and Beyond",
SoCC 2014: alternating the two ends in O(log² n) rounds, in practice about log n. Each operation is one
exchange by node, so every round is resumable; the driver sees only how many edges changed.

Output STARS: one row a node that has an edge, with the smallest node of its component. Invariants: the
rows depend on the set of edges alone. Memory: one bucket of edges; a node's neighbours lie in one bucket
(about 50 bytes each), so it grows with the largest component, as every star centre ends up with all
its nodes. An edge list that fits one bucket is solved by one union-find instead.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from foundation.errors import InternalError
from foundation.exchange import scatter
from foundation.frames import frame
from foundation.tasks import Counts, Part, Runner, Task, parts_of
from stages.deduplication.schemas import EDGES, STARS
from stages.deduplication.steps import (
    BUCKET_BYTES,
    Flow,
    Job,
    bucket_frame,
    counted,
    each_bucket,
    number,
    rows_of,
)

EDGE_BYTES = 160  # an edge's two nodes as frames hold them, with the copies of one operation
_ROUNDS = 4096


def components(
    run: Runner, *, root: str, folder: str, edges: tuple[Part, ...], bucket_bytes: int = BUCKET_BYTES
) -> tuple[Part, ...]:
    """STARS parts for EDGES parts (any direction, repetitions and loops allowed)."""
    flow = Flow(run, root, folder, bucket_bytes)
    buckets = flow.buckets(rows_of(edges), EDGE_BYTES)
    spread = flow.step("edges", "components:spread", ("edges",), flow.numbered(edges, "edges", {"buckets": buckets}))
    stars = connect(flow, parts_of(spread, "edges"), buckets=buckets)
    return parts_of(
        flow.step("stars", "components:name", ("stars",), each_bucket(buckets, {"edges": stars}, {})), "stars"
    )


def connect(flow: Flow, edges: tuple[Part, ...], *, buckets: int) -> tuple[Part, ...]:
    """Bucket files of EDGES in both directions, keyed by node → the same of a star forest, centre = smallest node."""
    if not edges:
        return ()
    if flow.buckets(rows_of(edges), EDGE_BYTES) == 1:
        jobs = [Job("000000", {"edges": edges}, {"buckets": buckets})]
        return parts_of(flow.step("components", "components:contract_all", ("edges",), jobs), "edges")
    params = {"buckets": buckets}
    for turn in range(_ROUNDS):
        jobs = each_bucket(buckets, {"edges": edges}, params)
        large = flow.step(f"components-{turn:03d}-large", "components:large_star", ("edges",), jobs)
        jobs = each_bucket(buckets, {"edges": parts_of(large, "edges")}, params)
        small = flow.step(f"components-{turn:03d}-small", "components:small_star", ("edges",), jobs)
        edges = parts_of(small, "edges")
        if not counted(large, "changed") and not counted(small, "changed"):
            return edges
    raise InternalError(f"components did not settle in {_ROUNDS} rounds")


def scatter_edges(task: Task, edges: pl.DataFrame, buckets: int) -> None:
    """Write EDGES keyed by node as output `edges`, sorted."""
    rows = edges.sort("node", "other").to_arrow()
    scatter(task, "edges", rows, EDGES, key="node", buckets=buckets, sort=False, pack=False)


def spread(task: Task) -> Counts:
    """Edges in both directions, keyed by node; loops stay as they are."""
    rows = frame(task.read("edges", columns=EDGES.names))
    scatter_edges(task, both_ways(rows), number(task, "buckets"))
    return {"in": rows.height}


def contract_all(task: Task) -> Counts:
    """The star forest of all edges of all inputs, in both directions."""
    stars = contract(frame(task.read("edges", columns=EDGES.names)))
    scatter_edges(task, both_ways(stars), number(task, "buckets"))
    return {"edges": stars.height}


def large_star(task: Task) -> Counts:
    """Each node's larger neighbours are linked to its smallest neighbour (or itself)."""
    rows = bucket_frame(task, "edges", EDGES)
    least = pl.min_horizontal(pl.col("node"), pl.col("other").min().over("node"))
    moved = rows.with_columns(least=least).filter(pl.col("other") > pl.col("node"))
    out = moved.select(node=pl.col("other"), other=pl.col("least")).unique()
    scatter_edges(task, out, number(task, "buckets"))
    return {"edges": out.height, "changed": moved.filter(pl.col("least") < pl.col("node")).height}


def small_star(task: Task) -> Counts:
    """Each node and its smaller neighbours are linked to the smallest of them; written in both directions."""
    rows = bucket_frame(task, "edges", EDGES)
    least = rows.with_columns(least=pl.col("other").min().over("node"))
    moved = least.filter(pl.col("other") > pl.col("least")).select(node="other", other="least")
    own = least.select("node", other=pl.col("least"))
    out = pl.concat([moved, own]).unique()
    scatter_edges(task, both_ways(out), number(task, "buckets"))
    return {"edges": out.height, "changed": moved.height}


def name(task: Task) -> Counts:
    """STARS of one bucket of a star forest."""
    stars = centres(bucket_frame(task, "edges", EDGES)).sort("component", "node")
    task.write("stars", stars.to_arrow(), STARS)
    return {"nodes": stars.height}


def centres(star_edges: pl.DataFrame) -> pl.DataFrame:
    """(node, component) of each node of a star forest's edges in both directions."""
    least = pl.min_horizontal(pl.col("node"), pl.col("other").min())
    return star_edges.group_by("node").agg(component=least.first())


def both_ways(edges: pl.DataFrame) -> pl.DataFrame:
    """Each edge and its reverse, once."""
    return pl.concat([edges, edges.select(node="other", other="node")]).unique()


def contract(edges: pl.DataFrame) -> pl.DataFrame:
    """A star an edge list's component: (node, other = smallest node of the component), centres themselves left out."""
    names = pl.concat([edges["node"], edges["other"]]).unique().sort()
    ids = pl.DataFrame({"name": names, "id": np.arange(names.len())})
    left = edges.select(name="node").join(ids, on="name", how="left", maintain_order="left")["id"].to_numpy()
    right = edges.select(name="other").join(ids, on="name", how="left", maintain_order="left")["id"].to_numpy()
    least = _least(names.len(), left, right)
    stars = pl.DataFrame({"node": names, "other": names[least]})
    return stars.filter(pl.col("node") != pl.col("other"))


@njit(cache=True, nogil=True)
def _least(nodes: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Smallest node of each node's component: union-find with path halving, the smaller root wins."""
    parent = np.arange(nodes)
    for edge in range(len(left)):
        a, b = left[edge], right[edge]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    for node in range(nodes):
        parent[node] = parent[parent[node]]
    return parent
