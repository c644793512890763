"""Small tools that every step of deduplication uses: making task lists, reading and ordering frames."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa

from foundation.canonical import Json
from foundation.exchange import bucket_count, bucket_of, gather
from foundation.frames import frame
from foundation.tasks import Outcome, Part, Runner, Task
from stages.deduplication.schemas import ORDER
from stages.deduplication.settings import NAME, VERSION, Settings

BUCKET_BYTES = 256 << 20
MOST_FILES = 4096
"""Of an exchange, on either side: its readers together open the square of this at most (17 million row groups).
Beyond a terabyte in one exchange, buckets grow with the corpus instead: see docs/deduplication.md."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What is particular to one task of a step: its partition name, inputs and parameters."""

    partition: str
    inputs: Mapping[str, tuple[Part, ...]]
    params: Mapping[str, Json] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Flow:
    """Where a flow's steps run and write; `bucket_bytes` bounds a bucket in memory and never changes a result."""

    run: Runner
    root: str
    folder: str
    bucket_bytes: int = BUCKET_BYTES

    def step(self, name: str, worker: str, outputs: tuple[str, ...], jobs: Sequence[Job]) -> list[Outcome]:
        """Run `worker` (module:function of this package) once for each job, in folder `<folder>/<name>`."""
        if not jobs:
            return []
        tasks = [
            Task(
                worker=f"stages.deduplication.{worker}",
                version=VERSION,
                root=self.root,
                folder=f"{self.folder}/{name}",
                partition=job.partition,
                outputs=outputs,
                inputs=job.inputs,
                params=job.params,
            )
            for job in jobs
        ]
        return self.run(f"{NAME}.{name}", tasks)

    def numbered(self, parts: Sequence[Part], name: str, params: Mapping[str, Json]) -> list[Job]:
        """One job for each run of parts that makes a task, which are its input `name`."""
        return [Job(f"{first:06d}", {name: run}, params) for first, run in self.runs(parts, self.bucket_bytes // 4)]

    def runs(self, parts: Sequence[Part], most: int) -> list[tuple[int, tuple[Part, ...]]]:
        """`grouped` by `most` bytes on disk, or by more where that would make more than MOST_FILES runs."""
        files = {part.path: part.bytes for part in parts}
        return grouped(parts, max(most, sum(files.values()) // MOST_FILES))

    def buckets(self, rows: int, bytes_a_row: int) -> int:
        """Buckets for `rows` rows of about `bytes_a_row` in memory; at most MOST_FILES, then they grow."""
        return min(MOST_FILES, bucket_count(rows * bytes_a_row, bytes_each=self.bucket_bytes))


def grouped(parts: Sequence[Part], most: int) -> list[tuple[int, tuple[Part, ...]]]:
    """Runs of parts of at most `most` bytes on disk together (or one part), each with the number of its first.

    A row group counts as its share of the file. Fewer, larger tasks: every reader opens fewer files.
    """
    runs: list[tuple[int, tuple[Part, ...]]] = []
    size = most + 1
    sharing = collections.Counter(part.path for part in parts)
    for index, part in enumerate(parts):
        share = part.bytes // sharing[part.path]
        if size + share > most:
            runs.append((index, ()))
            size = 0
        first, members = runs[-1]
        runs[-1] = (first, (*members, part))
        size += share
    return runs


def each_bucket(count: int, inputs: Mapping[str, tuple[Part, ...]], params: Mapping[str, Json]) -> list[Job]:
    """One job for each of `count` buckets, with its number in parameter `bucket`."""
    return [Job(f"{bucket:06d}", inputs, {**params, "bucket": bucket}) for bucket in range(count)]


def rows_of(parts: Sequence[Part]) -> int:
    """Rows of all parts together."""
    return sum(part.rows for part in parts)


def counted(outcomes: Sequence[Outcome], name: str) -> int:
    """Sum of one count over outcomes."""
    return sum(outcome.counts.get(name, 0) for outcome in outcomes)


def number(task: Task, name: str) -> int:
    """An integer parameter of the task."""
    return int(cast(int, task.params[name]))


def settings_of(task: Task) -> Settings:
    """The task's Settings."""
    return Settings.model_validate(task.params["settings"])


def bucket_frame(task: Task, name: str, schema: pa.Schema) -> pl.DataFrame:
    """The task's bucket of input `name`, exact repetitions of a row left out."""
    return frame(gather(task, name, number(task, "bucket"), schema)).unique()


def part_range(task: Task) -> pl.Expr:
    """The range of text parts that column `text_part` lies in, as int32."""
    return (pl.col("text_part") // number(task, "span")).cast(pl.Int32).alias("part_range")


def gather_ranges(task: Task, name: str, schema: pa.Schema, parts: pl.Series) -> pl.DataFrame:
    """Bucket rows of input `name` for the ranges of text parts that `parts` (int32) lie in, and perhaps of others.

    The parts of one task are neighbours, so these are few buckets.
    """
    ranges = parts.to_frame("text_part").select(part_range(task)).to_series().unique().sort()
    buckets = np.unique(bucket_of(ranges.to_arrow(), number(task, "part_buckets"))).tolist()
    return frame(pa.concat_tables([schema.empty_table(), *(gather(task, name, bucket, schema) for bucket in buckets)]))


def ranges_of(text_parts: int, buckets: int) -> dict[str, Json]:
    """Parameters of an exchange by text part with at most `buckets` buckets: each holds `span` neighbours."""
    span = max(1, -(-text_parts // max(1, buckets)))
    return {"span": span, "part_buckets": max(1, -(-text_parts // span))}


def in_order(rows: pl.DataFrame, *first: str) -> pl.DataFrame:
    """Rows sorted by `first`, then by the total order; one row a content."""
    keys = [*first, *(name for name in ORDER if name not in first)]
    return rows.sort(keys, nulls_last=True).unique("sha1_git", keep="first", maintain_order=True)
