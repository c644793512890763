"""Samples of what a language or source over its limit loses, and the rows that a quarantine needs.

`collect` → `samples` (SAMPLES of the languages over the limit in one bucket) and, when asked for, `lost` (LOST,
every removed content, scattered by origin). `mark` → `samples` of the listed sources and, when asked
for, `marks` (MARKS, every removed content of a source over the limit, scattered by sha1_git). `choose` → the
samples of every group, scattered by the kept content; `pair` → `pairs` (PAIRS), with the kept file's place.

A group's samples are its removed contents with the lowest sha1_git: a hash of the bytes, so a fair sample that is the
same for any partition. Memory: one bucket; `choose` holds one group's samples a group.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from foundation.errors import InternalError
from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.tables import read_table
from foundation.tasks import Counts, Task
from stages.decisions.losses import SOURCES, reached, verdicts_of

LOST = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("origin", pa.string()),
        ("path", pa.binary()),
        ("reason", pa.string()),
        ("kept", pa.string()),
        ("jaccard", pa.float64()),
    ]
)
SAMPLES = pa.schema([("kind", pa.string()), ("group", pa.string()), *LOST])  # kind: language | source
PAIRS = pa.schema([*SAMPLES, ("kept_origin", pa.string()), ("kept_path", pa.binary())])
MARKS = pa.schema([("sha1_git", pa.string()), ("contents", pa.int64()), ("removed", pa.int64())])  # its source's

LANGUAGE, SOURCE = "language", "source"


def collect(task: Task) -> Counts:
    """Worker: what deduplication removed in one bucket → `samples` of the parameter `languages`, `lost` if declared."""
    columns = [*LOST.names, "verdict", "stage"]
    rows = reached(frame(task.read("decisions", columns=columns)), verdicts_of(task)).filter("removed")
    wanted = pl.DataFrame({"language": task.params["languages"]}, schema={"language": pl.String})
    ours = rows.join(wanted, on="language", how="semi", nulls_equal=True)
    samples = fewest(ours.select(pl.lit(LANGUAGE).alias("kind"), pl.col("language").alias("group"), *LOST.names), task)
    task.write("samples", arrow(samples, SAMPLES), SAMPLES)
    if "lost" in task.outputs:
        buckets = int(str(task.params["buckets"]))
        scatter(task, "lost", arrow(rows.sort("sha1_git"), LOST), LOST, key="origin", buckets=buckets)
    return {"removed": rows.height, "samples": samples.height}


def mark(task: Task) -> Counts:
    """Worker: one bucket of LOST and its sources over the limit → `samples` of the parameter `listed`, `marks`."""
    over = frame(task.read("over").cast(SOURCES)).select("origin", "contents", sum="removed")
    lost = frame(gather(task, "lost", int(str(task.params["bucket"])), LOST))
    marked = lost.join(over, on="origin", how="inner").sort("sha1_git")
    listed = pl.DataFrame({"origin": task.params["listed"]}, schema={"origin": pl.String})
    ours = marked.join(listed, on="origin", how="semi")
    samples = fewest(ours.select(pl.lit(SOURCE).alias("kind"), pl.col("origin").alias("group"), *LOST.names), task)
    task.write("samples", arrow(samples, SAMPLES), SAMPLES)
    if "marks" in task.outputs:
        marks = arrow(marked.select("sha1_git", "contents", removed="sum"), MARKS)
        scatter(task, "marks", marks, MARKS, key="sha1_git", buckets=int(str(task.params["buckets"])))
    return {"marked": marked.height, "samples": samples.height}


def choose(task: Task) -> Counts:
    """Worker: all SAMPLES parts, one at a time → `samples`, the fewest of each group, scattered by `kept`."""
    chosen = frame(SAMPLES.empty_table())
    for part in task.inputs["samples"]:
        more = frame(read_table(f"{task.root}/{part.path}").cast(SAMPLES))
        chosen = fewest(pl.concat([chosen, more]), task)
    buckets = int(str(task.params["buckets"]))
    scatter(task, "samples", arrow(chosen, SAMPLES), SAMPLES, key="kept", buckets=buckets)
    return {"samples": chosen.height}


def pair(task: Task) -> Counts:
    """Worker: one bucket of chosen samples and of decisions → `pairs`, with origin and path of the kept content."""
    samples = frame(gather(task, "samples", int(str(task.params["bucket"])), SAMPLES))
    kept = frame(task.read("decisions", columns=["sha1_git", "origin", "path"]))
    places = kept.select(kept="sha1_git", kept_origin="origin", kept_path="path")
    pairs = samples.join(places, on="kept", how="inner").sort("kind", "group", "sha1_git")
    if pairs.height != samples.height:
        raise InternalError("a duplicate names a kept content without a decision")
    task.write("pairs", arrow(pairs, PAIRS), PAIRS)
    return {"pairs": pairs.height}


def fewest(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    """The rows of each group with the lowest sha1_git, as many as the parameter `samples` says; SAMPLES' order."""
    most = int(str(task.params["samples"]))
    rank = pl.int_range(pl.len()).over("kind", "group")
    return rows.sort("kind", "group", "sha1_git").filter(rank < most)
