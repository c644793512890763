"""Exact duplicates: contents with the same redacted text (equal SHA-256).

Output EXACT: one row a dropped content, with the kept one, the lowest of its text in the total order.
Invariants: a kept content is never dropped; an excluded one is in no row; a yielding one stays only where all that
share its text yield; the rows depend on the set of candidates alone, not on
their partition or order, and a repeated row is harmless.
Cost: each candidate (about 200 bytes without its signature) is written and read once. Memory: one
candidates part, then one bucket. A bucket holds every copy of a text, so it grows with the most copied
text (200 bytes a copy).
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

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
    rows_of,
)

_ROW_BYTES = 600
NAMED = pa.schema([("sha1_git", pa.string()), ("text_sha256", pa.string())])


def exact_duplicates(
    run: Runner,
    *,
    root: str,
    folder: str,
    candidates: tuple[Part, ...],
    excluded: tuple[Part, ...] = (),
    yielding: tuple[Part, ...] = (),
    bucket_bytes: int = BUCKET_BYTES,
) -> tuple[Part, ...]:
    """EXACT parts for CANDIDATES parts; column `signature` is not read.

    `excluded` and `yielding` are any tables with `sha1_git` and `text_sha256`: the former take no part, the latter come
    last in the order, so that they represent a text only among themselves.
    """
    flow = Flow(run, root, folder, bucket_bytes)
    buckets = flow.buckets(rows_of(candidates), _ROW_BYTES)
    keyed = flow.step(
        "exact-keys", "exact:scatter_texts", ("keyed",), flow.numbered(candidates, "candidates", {"buckets": buckets})
    )
    inputs = {
        "keyed": parts_of(keyed, "keyed"),
        "excluded": _by_text(flow, "excluded", excluded, buckets),
        "yielding": _by_text(flow, "yielding", yielding, buckets),
    }
    return parts_of(flow.step("exact", "exact:choose", ("exact",), each_bucket(buckets, inputs, {})), "exact")


def _by_text(flow: Flow, name: str, parts: tuple[Part, ...], buckets: int) -> tuple[Part, ...]:
    jobs = flow.numbered(parts, "named", {"buckets": buckets})
    return parts_of(flow.step(f"exact-{name}", "exact:scatter_named", ("named",), jobs), "named")


def scatter_texts(task: Task) -> Counts:
    """Candidates keyed by the hash of their text."""
    rows = task.read("candidates", columns=KEYED.names)
    scatter(task, "keyed", rows, KEYED, key="text_sha256", buckets=number(task, "buckets"))
    return {"in": rows.num_rows}


def scatter_named(task: Task) -> Counts:
    """Contents that are excluded or yield, keyed by the hash of their text."""
    rows = task.read("named", columns=NAMED.names)
    scatter(task, "named", rows, NAMED, key="text_sha256", buckets=number(task, "buckets"))
    return {"in": rows.num_rows}


def choose(task: Task) -> Counts:
    """All but the lowest content of each text, with the lowest."""
    keyed = bucket_frame(task, "keyed", KEYED).drop_nulls("text_sha256")
    keyed = keyed.join(bucket_frame(task, "excluded", NAMED), on="sha1_git", how="anti")
    last = bucket_frame(task, "yielding", NAMED)["sha1_git"].implode()
    rows = in_order(keyed.with_columns(yields=pl.col("sha1_git").is_in(last)), "text_sha256", "yields")
    best = rows.with_columns(kept=pl.col("sha1_git").first().over("text_sha256"))
    dropped = best.filter(pl.col("sha1_git") != pl.col("kept")).select("sha1_git", "kept", "text_part").sort("sha1_git")
    task.write("exact", dropped.to_arrow(), EXACT)
    return {"in": rows.height, "exact_duplicate": dropped.height}
