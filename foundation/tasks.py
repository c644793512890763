"""Tasks: the unit of work, retry and resumption, and the record that makes re-use safe.

A task is data: which worker function, which inputs, which parameters, where its output goes. Running
one writes `<folder>/<output>-<partition>.parquet` for each declared output and then, last, the
completion record `<folder>/.record-<partition>.json` with the fingerprint of everything that
determined the bytes (worker, version, inputs' checksums, parameters) and the checksums written.

Workers are plain functions `worker(task: Task) -> Counts`, named by `package.module:function`; they
write each declared output exactly once with `task.write(...)`, keep no state, and may be run any number
of times (retry-safe by construction: outputs are renamed into place whole).
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import pyarrow as pa

from foundation import tables
from foundation.canonical import Json, fingerprint, readable_json, sha256_file
from foundation.errors import InternalError
from foundation.storage import write_atomic

Counts: TypeAlias = dict[str, int]
Worker: TypeAlias = "Callable[[Task], Counts]"
Service: TypeAlias = Callable[[pa.Table], pa.Table]


@dataclasses.dataclass(frozen=True)
class Part:
    """One Parquet file of a table, or one row group of it (`group`); `path` is relative to the build's root."""

    path: str
    sha256: str
    rows: int
    bytes: int = 0
    group: int | None = None

    def only(self, group: int) -> Part:
        """The same file narrowed to one row group."""
        return dataclasses.replace(self, group=group)


@dataclasses.dataclass(frozen=True)
class Task:
    """A call of `worker` that turns `inputs` into the Parquet files named by `outputs`.

    `root` is the build's folder (absolute; not part of the fingerprint), `folder` the output folder
    relative to it, `partition` a name unique within the folder. `params` are JSON and part of the
    fingerprint; `context` is JSON that may not influence the bytes written (endpoints, cache folders).
    `services` are callables that the runner lends to the worker in its own process (the licence
    detector, say); they too must be pure functions of what they are given.
    """

    worker: str
    version: str
    root: str
    folder: str
    partition: str
    outputs: tuple[str, ...]
    inputs: Mapping[str, tuple[Part, ...]] = dataclasses.field(default_factory=dict)
    params: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    context: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    services: Mapping[str, Service] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def identity(self) -> dict[str, Json]:
        """What determines the output's bytes, as JSON."""
        return {
            "worker": self.worker,
            "version": self.version,
            "folder": self.folder,
            "partition": self.partition,
            "outputs": list(self.outputs),
            "inputs": {
                name: [[part.path, part.sha256, part.group] for part in parts] for name, parts in self.inputs.items()
            },
            "params": dict(self.params),
        }

    def fingerprint(self) -> str:
        """SHA-256 (hex) of `identity()`."""
        return fingerprint(self.identity())

    def output_path(self, output: str) -> Path:
        """Absolute path of the declared output `output`."""
        if output not in self.outputs:
            raise InternalError(f"{self.worker} wrote undeclared output {output!r}; declared: {self.outputs}")
        return Path(self.root, self.folder, f"{output}-{self.partition}.parquet")

    def record_path(self) -> Path:
        """Absolute path of the completion record."""
        return Path(self.root, self.folder, f".record-{self.partition}.json")

    def service(self, name: str) -> Service:
        """The service `name`; InternalError if the runner lent none."""
        if name not in self.services:
            raise InternalError(f"{self.worker} needs the service {name!r}, which its runner does not lend")
        return self.services[name]

    def write(self, output: str, table: pa.Table, schema: pa.Schema, *, plain: Sequence[str] = ()) -> None:
        """Write a declared output in default row groups; `plain` as in `tables.write_groups`."""
        tables.write_table(self.output_path(output), table, schema, plain=plain)

    def write_groups(self, output: str, groups: Iterable[pa.Table], schema: pa.Schema) -> None:
        """Write a declared output, one row group for each table."""
        tables.write_groups(self.output_path(output), groups, schema)

    def read(self, name: str, *, columns: Sequence[str] | None = None) -> pa.Table:
        """All parts of input `name` as one table, in the order given; InternalError if there are none."""
        parts = self.inputs[name]
        if not parts:
            raise InternalError(f"{self.worker}: input {name!r} has no parts")
        return pa.concat_tables(
            [tables.read_table(Path(self.root, part.path), columns=columns, group=part.group) for part in parts]
        )


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A finished task: its output parts by name, its counts, and whether an earlier run's output was re-used."""

    task: Task
    parts: Mapping[str, Part]
    counts: Counts
    reused: bool = False
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


class Runner(Protocol):
    """Runs tasks, in any order and place, and returns their outcomes in the order given.

    A task that still fails after its retries raises; finished tasks keep their outputs and records.
    """

    def __call__(self, stage: str, tasks: Sequence[Task]) -> list[Outcome]:
        """Run `tasks` under the progress label `stage`."""


def parts_of(outcomes: Iterable[Outcome], output: str) -> tuple[Part, ...]:
    """The parts of one named output over `outcomes`, in their order, empty ones left out."""
    parts = (outcome.parts[output] for outcome in outcomes)
    return tuple(part for part in parts if part.rows)


def finished(task: Task) -> Outcome | None:
    """The outcome of an earlier run of this very task, or None if its record is absent or differs.

    Sizes of the outputs are checked against the record; their bytes are checked when read (page
    checksums) and again when the release is verified.
    """
    try:
        record = json.loads(task.record_path().read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if record.get("fingerprint") != task.fingerprint():
        return None
    parts = {}
    for output in task.outputs:
        path, entry = task.output_path(output), record["outputs"][output]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            return None
        parts[output] = Part(str(path.relative_to(task.root)), entry["sha256"], entry["rows"], entry["bytes"])
    return Outcome(task, parts, record["counts"], reused=True)


def perform(task: Task) -> Outcome:
    """Run `task` here and now, write its record last, and return the outcome."""
    counts = resolve(task.worker)(task)
    parts: dict[str, Part] = {}
    entries: dict[str, Json] = {}
    for output in task.outputs:
        path = task.output_path(output)
        if not path.is_file():
            raise InternalError(f"{task.worker} did not write its output {output!r}")
        digest, size, rows = sha256_file(path), path.stat().st_size, _rows(path)
        parts[output] = Part(str(path.relative_to(task.root)), digest, rows, size)
        entries[output] = {"sha256": digest, "bytes": size, "rows": rows}
    record: dict[str, Json] = {
        "fingerprint": task.fingerprint(),
        "identity": task.identity(),
        "outputs": entries,
        "counts": counts,
    }
    write_atomic(task.record_path(), readable_json(record))
    return Outcome(task, parts, counts)


def resolve(worker: str) -> Worker:
    """The function named `package.module:function`."""
    module, _, name = worker.partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
