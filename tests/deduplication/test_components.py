"""Components equal scipy's, in one bucket and over many, after any interruption."""

import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from foundation import tables
from foundation.tasks import finished, perform
from stages.deduplication import EDGES, components
from stages.deduplication.components import contract
from tests.deduplication.inputs import run, write_part


def oracle(edges):
    names = sorted({name for edge in edges for name in edge})
    number = {name: at for at, name in enumerate(names)}
    rows, columns = [number[a] for a, _ in edges], [number[b] for _, b in edges]
    graph = coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(len(names), len(names)))
    labels = connected_components(graph, directed=False)[1]
    least = {}
    for name, label in zip(names, labels, strict=True):
        least.setdefault(label, name)
    return {name: least[label] for name, label in zip(names, labels, strict=True)}


def write_edges(root, edges, parts=1):
    dealt = [edges[at::parts] for at in range(parts)]
    return tuple(
        write_part(root, f"edges-{at}", pa.table({"node": [a for a, _ in some], "other": [b for _, b in some]}), EDGES)
        for at, some in enumerate(dealt)
        if some
    )


def solve(root, edges, *, bucket_bytes, runner=run, parts=3):
    found = components(
        runner, root=str(root), folder="c", edges=write_edges(root, edges, parts), bucket_bytes=bucket_bytes
    )
    rows = [row for part in found for row in tables.read_table(root / part.path).to_pylist()]
    assert len({row["node"] for row in rows}) == len(rows)
    return {row["node"]: row["component"] for row in rows}


def named(pairs):
    """Nodes as hashes are: of either sign, far apart, in no order."""
    return [tuple((node * 0x9E3779B97F4A7C15) % (1 << 64) - (1 << 63) for node in pair) for pair in pairs]


def shapes():
    dice = random.Random(5)
    labels = list(range(400))
    dice.shuffle(labels)
    yield "chain", [(labels[at], labels[at + 1]) for at in range(399)]
    yield "star", [(labels[0], label) for label in labels[1:]]
    yield "random", [(dice.randrange(500), dice.randrange(500)) for _ in range(420)]
    yield "tree", [(labels[at], labels[(at - 1) // 2]) for at in range(1, 400)]


@pytest.mark.parametrize(("shape", "pairs"), list(shapes()))
def test_rounds_of_exchanges_find_the_components_of_every_shape(tmp_path, shape, pairs):
    edges = named((a, b) for a, b in pairs if a != b)
    assert solve(tmp_path, edges, bucket_bytes=60_000) == oracle(edges)


def test_one_bucket_gives_the_same_rows_as_many(tmp_path):
    dice = random.Random(9)
    edges = named((dice.randrange(300), dice.randrange(300)) for _ in range(250))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert solve(tmp_path / "a", edges, bucket_bytes=1 << 30) == solve(tmp_path / "b", edges[::-1], bucket_bytes=20_000)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=60))
def test_contraction_keeps_connectivity_and_names_the_smallest_node(pairs):
    edges = named(pairs)
    stars = contract(pl.DataFrame(edges, schema=["node", "other"], orient="row"))
    expected = {node: least for node, least in oracle(edges).items() if node != least}
    assert dict(stars.iter_rows()) == expected


def test_interrupted_rounds_resume_where_they_stopped(tmp_path):
    edges = named((at, at + 1) for at in range(200))
    expected = oracle(edges)
    dice, attempts, reused = random.Random(1), 0, 0

    def dying(stage, tasks):
        nonlocal reused
        outcomes = []
        for task in tasks:
            earlier = finished(task)
            reused += earlier is not None
            if earlier is None and dice.random() < 0.02:
                raise KeyboardInterrupt
            outcomes.append(earlier or perform(task))
        return outcomes

    while True:
        attempts += 1
        try:
            found = solve(tmp_path, edges, bucket_bytes=40_000, runner=dying)
            break
        except KeyboardInterrupt:
            continue
    assert found == expected
    assert attempts > 1
    assert reused > 0
