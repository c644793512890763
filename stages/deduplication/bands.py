"""From signatures to candidate edges: band keys, then contents of one band bucket that look alike.

A sketch keeps one bit of each signature value (32 bytes for 256); two contents are linked when they share
a band and their sketches agree in at least `sketch_matches` places. Of each band bucket only a spanning
forest of its links is kept: the components are those of all links, in fewer rows than contents.
Contents travel as *nodes*, 64-bit hashes of their ids. Contents with one node (chance 2^-64 a pair) are
compared with what resembles either of them; which is removed is decided by ids and exact comparison alone.

Invariants: links depend on the set of candidates alone. A content is compared with at most `max_bucket`
others of a bucket each time; what that leaves out is counted as `not_compared`, never silent.
Cost: a signature is read once where it was written; `bands` rows of 48 bytes a content are written and read
once; memory is one bucket.
"""

from __future__ import annotations

import collections
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foundation.exchange import bucket_file, gather, scatter
from foundation.frames import frame
from foundation.tables import read_table
from foundation.tasks import Counts, Part, Task
from stages.deduplication import kernel, linking
from stages.deduplication.components import both_ways, contract, scatter_edges
from stages.deduplication.schemas import BANDS, CANDIDATES, DROPPED, MEMBERS, sketch_names, sketched
from stages.deduplication.settings import Settings, banding, sketch_matches
from stages.deduplication.signing import nodes_of, signature_matrix
from stages.deduplication.steps import gather_ranges, in_order, number, part_range, settings_of


def scatter_excluded(task: Task) -> Counts:
    """Contents that are already dropped, keyed by the range of text parts that holds their text."""
    rows = frame(task.read("excluded", columns=["sha1_git", "text_part"])).with_columns(part_range(task))
    scatter(task, "dropped", rows.to_arrow(), DROPPED, key="part_range", buckets=number(task, "part_buckets"))
    return {"in": rows.height}


def make_bands(task: Task) -> Counts:
    """`members` (one row a content, keyed by node) and `bands` (one row a content and band, keyed by band).

    Part by part, so that a task may take many. A content that two parts hold is in both outputs twice.
    """
    settings, words = settings_of(task), settings_of(task).permutations // 64
    counts: collections.Counter[str] = collections.Counter()
    places = frame(task.read("candidates", columns=["text_part"]))["text_part"].unique()
    excluded = gather_ranges(task, "dropped", DROPPED, places)
    with (
        bucket_file(task, "members", sketched(MEMBERS, words), key="node", buckets=number(task, "buckets")) as members,
        bucket_file(
            task, "bands", sketched(BANDS, words), key="band", buckets=number(task, "band_buckets"), pack=False
        ) as bands,
    ):
        for part in task.inputs["candidates"]:
            rows, signatures, found = _remaining(task, part, excluded, settings)
            counts.update(found)
            nodes = pl.Series("node", nodes_of(rows["sha1_git"].to_arrow()))
            sketched_rows = rows.with_columns(nodes).hstack(sketches_of(signatures))
            members.add(sketched_rows.to_arrow())
            bands.add(band_rows(sketched_rows, signatures, settings).to_arrow())
    return dict(counts)


def _remaining(
    task: Task, part: Part, excluded: pl.DataFrame, settings: Settings
) -> tuple[pl.DataFrame, NDArray[np.uint32], Counts]:
    """Candidates of `part` with a signature that are not `excluded`, one row a content, and their signatures."""
    candidates = read_table(Path(task.root, part.path), columns=CANDIDATES.names, group=part.group)
    signed = candidates.filter(candidates["signature"].is_valid()).drop(["text_sha256"])
    rows = in_order(frame(signed.drop(["signature"])).with_row_index("at"), "sha1_git")
    kept = rows.join(excluded, on="sha1_git", how="anti", maintain_order="left")
    signatures = signature_matrix(signed["signature"], settings.permutations)[kept["at"].to_numpy()]
    too_short = candidates.num_rows - signed.num_rows
    counts = {"in": candidates.num_rows, "too_short": too_short, "excluded": rows.height - kept.height}
    return kept.drop("at"), signatures, counts | {"signed": kept.height}


def sketches_of(signatures: NDArray[np.uint32]) -> pl.DataFrame:
    """The sketch columns of signatures."""
    words = np.empty((len(signatures), signatures.shape[1] // 64), dtype=np.uint64)
    kernel.sketch_words(signatures, words)
    columns = np.ascontiguousarray(words.T).view(np.int64)
    return pl.DataFrame(dict(zip(sketch_names(len(columns)), columns, strict=True)))


def sketch_matrix(rows: pl.DataFrame) -> NDArray[np.uint64]:
    """(rows, words) uint64 of the sketch columns."""
    names = [name for name in rows.columns if name.startswith("sketch_")]
    matrix = np.empty((rows.height, len(names)), dtype=np.uint64)
    for at, name in enumerate(names):
        matrix[:, at] = rows[name].to_numpy().view(np.uint64)
    return matrix


def band_rows(members: pl.DataFrame, signatures: NDArray[np.uint32], settings: Settings) -> pl.DataFrame:
    """One row a member and band: `band` (key), `node` and the sketch."""
    chosen = banding(settings)
    keys = np.empty((members.height, chosen.bands), dtype=np.int64)
    kernel.band_keys(signatures, chosen.rows, keys)
    columns = {"node": members["node"], **{name: members[name] for name in members.columns if "sketch_" in name}}
    repeated = {name: np.repeat(column.to_numpy(), chosen.bands) for name, column in columns.items()}
    return pl.DataFrame({"band": keys.reshape(-1), **repeated})


def link_bands(task: Task) -> Counts:
    """Edges (a star a component of this bucket's links), keyed by node."""
    settings = settings_of(task)
    schema = sketched(BANDS, settings.permutations // 64)
    rows = frame(gather(task, "bands", number(task, "bucket"), schema)).sort("band", "node")
    shared = rows.filter((pl.col("band") == pl.col("band").shift(1)) | (pl.col("band") == pl.col("band").shift(-1)))
    runs = run_bounds(shared["band"])
    worst = settings.permutations - sketch_matches(settings.threshold, settings.permutations, settings.prefilter_loss)
    left, right, missed = linking.link_runs(runs, sketch_matrix(shared), worst, settings.max_bucket)
    names = shared["node"]
    edges = contract(pl.DataFrame({"node": names[left], "other": names[right]}))
    scatter_edges(task, both_ways(edges), number(task, "node_buckets"))
    longest = int(np.diff(runs).max(initial=0))
    return {"in": rows.height, "edges": edges.height, "not_compared": int(missed), "largest_bucket": longest}


def run_bounds(column: pl.Series) -> NDArray[np.int64]:
    """Bounds of the runs of equal values of a sorted column: run i is rows bounds[i] to bounds[i + 1]."""
    if column.len() == 0:
        return np.zeros(1, dtype=np.int64)
    changes = (column != column.shift(1)).fill_null(value=True).arg_true().to_numpy()
    return np.append(changes, column.len()).astype(np.int64)
