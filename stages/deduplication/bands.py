"""From signatures to candidate edges: band keys, then contents of one band bucket that look alike.

A sketch keeps one bit of each signature value (32 bytes for 256); two contents are linked when they share
a band and their sketches agree in at least `sketch_matches` places. Of each band bucket only a spanning
forest of its links is kept: the components are those of all links, in fewer rows than contents.

Invariants: links depend on the set of candidates alone. A content is compared with at most `max_bucket`
others of a bucket each time; what that leaves out is counted as `not_compared`, never silent.
Cost: `bands` rows of about 90 bytes a content, written and read once; memory is one bucket.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from foundation.exchange import gather, scatter
from foundation.frames import frame
from foundation.tasks import Counts, Task
from stages.deduplication import kernel, linking
from stages.deduplication.components import both_ways, contract
from stages.deduplication.schemas import BANDS, CANDIDATES, DROPPED, EDGES, MEMBERS
from stages.deduplication.settings import banding, sketch_matches
from stages.deduplication.signing import fixed_width, signature_matrix
from stages.deduplication.steps import bucket_frame, in_order, number, settings_of


def scatter_candidates(task: Task) -> Counts:
    """Candidates that have a signature, keyed by content."""
    rows = task.read("candidates", columns=CANDIDATES.names)
    signed = rows.filter(rows["signature"].is_valid())
    scatter(task, "signed", signed, CANDIDATES, key="sha1_git", buckets=number(task, "buckets"))
    return {"in": rows.num_rows, "too_short": rows.num_rows - signed.num_rows}


def scatter_excluded(task: Task) -> Counts:
    """Contents that are already dropped, keyed by content."""
    rows = task.read("excluded", columns=DROPPED.names)
    scatter(task, "dropped", rows, DROPPED, key="sha1_git", buckets=number(task, "buckets"))
    return {"in": rows.num_rows}


def make_bands(task: Task) -> Counts:
    """`members` (one row a content, sorted) and `bands` (one row a content and band, keyed by band)."""
    settings = settings_of(task)
    dropped = bucket_frame(task, "dropped", DROPPED)
    rows = in_order(frame(gather(task, "signed", number(task, "bucket"), CANDIDATES)), "sha1_git")
    kept = rows.join(dropped, on="sha1_git", how="anti", maintain_order="left")
    signatures = signature_matrix(kept["signature"].to_arrow(), settings.permutations)
    words = np.empty((kept.height, settings.permutations // 64), dtype=np.uint64)
    kernel.sketch_words(signatures, words)
    sketches = pl.Series("sketch", _rows_of_bytes(words), dtype=pl.Binary)
    members = kept.drop("signature", "text_sha256").with_columns(sketches)
    task.write("members", members.to_arrow(), MEMBERS)
    chosen = banding(settings)
    keys = np.empty((kept.height, chosen.bands), dtype=np.int64)
    kernel.band_keys(signatures, chosen.rows, keys)
    repeated = members.select("sha1_git", "sketch")[np.repeat(np.arange(kept.height), chosen.bands)]
    table = repeated.with_columns(band=pl.Series(keys.reshape(-1))).to_arrow()
    scatter(task, "bands", table, BANDS, key="band", buckets=number(task, "band_buckets"))
    return {"in": rows.height, "excluded": rows.height - kept.height, "signed": kept.height}


def link_bands(task: Task) -> Counts:
    """Edges (a star a component of this bucket's links), keyed by node."""
    settings = settings_of(task)
    rows = frame(gather(task, "bands", number(task, "bucket"), BANDS)).sort("band", "sketch", "sha1_git")
    runs = run_bounds(rows["band"])
    words = fixed_width(rows["sketch"].to_arrow(), settings.permutations // 8).view(np.uint64)
    worst = settings.permutations - sketch_matches(settings.threshold, settings.permutations, settings.prefilter_loss)
    left, right, missed = linking.link_runs(runs, words, worst, settings.max_bucket)
    names = rows["sha1_git"]
    edges = contract(pl.DataFrame({"node": names[left], "other": names[right]}))
    scatter(task, "edges", both_ways(edges).to_arrow(), EDGES, key="node", buckets=number(task, "node_buckets"))
    longest = int(np.diff(runs).max(initial=0))
    return {"in": rows.height, "edges": edges.height, "not_compared": int(missed), "largest_bucket": longest}


def run_bounds(column: pl.Series) -> NDArray[np.int64]:
    """Bounds of the runs of equal values of a sorted column: run i is rows bounds[i] to bounds[i + 1]."""
    if column.len() == 0:
        return np.zeros(1, dtype=np.int64)
    changes = (column != column.shift(1)).fill_null(value=True).arg_true().to_numpy()
    return np.append(changes, column.len()).astype(np.int64)


def _rows_of_bytes(words: NDArray[np.uint64]) -> pa.LargeBinaryArray:
    width = words.shape[1] * 8
    offsets = np.arange(len(words) + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(words))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(words), buffers)
