"""Exact duplicates: contents with the same redacted text (equal SHA-256).

Output EXACT: one row a dropped content, with the kept one, the lowest of its text in the total order.
Invariants: a kept content is never dropped; the rows depend on the set of candidates alone, not on
their partition or order, and a repeated row is harmless.
Cost: each candidate (about 200 bytes without its signature) is written and read once. Memory: one
candidates part, then one bucket. A bucket holds every copy of a text, so it grows with the most copied
text (200 bytes a copy).
"""

from __future__ import annotations

import polars as pl

from foundation.exchange import scatter
from foundation.tasks import Counts, Part, Runner, Task, parts_of
from stages.deduplication.schemas import EXACT, KEYED
from stages.deduplication.steps import (
    BUCKET_BYTES,
    Flow,
    bucket_frame,
    each_bucket,
    in_order,
    number,
    numbered,
    rows_of,
)

_ROW_BYTES = 600


def exact_duplicates(
    run: Runner, *, root: str, folder: str, candidates: tuple[Part, ...], bucket_bytes: int = BUCKET_BYTES
) -> tuple[Part, ...]:
    """EXACT parts for CANDIDATES parts; columns `signature` and `text_part` are not read."""
    flow = Flow(run, root, folder, bucket_bytes)
    buckets = flow.buckets(rows_of(candidates), _ROW_BYTES)
    keyed = flow.step(
        "exact-keys", "exact:scatter_texts", ("keyed",), numbered(candidates, "candidates", {"buckets": buckets})
    )
    jobs = each_bucket(buckets, {"keyed": parts_of(keyed, "keyed")}, {})
    return parts_of(flow.step("exact", "exact:choose", ("exact",), jobs), "exact")


def scatter_texts(task: Task) -> Counts:
    """Candidates keyed by the hash of their text."""
    rows = task.read("candidates", columns=KEYED.names)
    scatter(task, "keyed", rows, KEYED, key="text_sha256", buckets=number(task, "buckets"))
    return {"in": rows.num_rows}


def choose(task: Task) -> Counts:
    """All but the lowest content of each text, with the lowest."""
    rows = in_order(bucket_frame(task, "keyed", KEYED).drop_nulls("text_sha256"), "text_sha256")
    best = rows.with_columns(kept=pl.col("sha1_git").first().over("text_sha256"))
    dropped = best.filter(pl.col("sha1_git") != pl.col("kept")).select("sha1_git", "kept").sort("sha1_git")
    task.write("exact", dropped.to_arrow(), EXACT)
    return {"in": rows.height, "exact_duplicate": dropped.height}
