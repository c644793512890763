"""Small tools that every step of deduplication uses: making task lists, reading and ordering frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import cast

import polars as pl
import pyarrow as pa

from foundation.canonical import Json
from foundation.exchange import bucket_count, gather
from foundation.frames import frame
from foundation.tasks import Outcome, Part, Runner, Task
from stages.deduplication.schemas import ORDER
from stages.deduplication.settings import NAME, VERSION, Settings

BUCKET_BYTES = 256 << 20


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

    def buckets(self, rows: int, bytes_a_row: int) -> int:
        """Buckets for `rows` rows of about `bytes_a_row` in memory."""
        return bucket_count(rows * bytes_a_row, bytes_each=self.bucket_bytes)


def numbered(parts: Sequence[Part], name: str, params: Mapping[str, Json]) -> list[Job]:
    """One job for each part, which is its input `name`."""
    return [Job(f"{index:06d}", {name: (part,)}, params) for index, part in enumerate(parts)]


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


def in_order(rows: pl.DataFrame, *first: str) -> pl.DataFrame:
    """Rows sorted by `first`, then by the total order; one row a content."""
    keys = [*first, *(name for name in ORDER if name not in first)]
    return rows.sort(keys, nulls_last=True).unique("sha1_git", keep="first", maintain_order=True)
