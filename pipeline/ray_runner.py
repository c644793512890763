"""Ray: the only module that imports it. The same tasks, on one machine or on a cluster.

Workers read and write files on storage that all nodes share and pass only descriptors, so the object
store stays near empty. A task lost with its node is run again by Ray; workers are retry-safe. Licence
detection lives in a few actors (one licence index each), so that each distinct notice is
detected once a build and workers stay small.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from foundation.canonical import Json
from foundation.errors import ConfigError, GristmillError, PartialFailure
from foundation.tasks import Outcome, Service, Task, finished
from pipeline.progress import Progress
from pipeline.runner import Ledger, explained, measured

RETRIES = 3
OBJECT_STORE_BYTES = 256 << 20


@dataclasses.dataclass
class RayRunner:
    """Runs tasks on a connected Ray; `detectors` are the licence actors that workers may call."""

    ray: Any
    progress: Progress
    workers: int
    detectors: tuple[Any, ...] = ()
    ledger: Ledger = dataclasses.field(default_factory=Ledger)

    def __call__(self, stage: str, tasks: Sequence[Task]) -> list[Outcome]:
        """Run `tasks`, one a worker at a time; outcomes come in the order of `tasks`.

        More in flight would make Ray start further workers while some wait for licence detection.
        """
        outcomes: dict[int, Outcome] = {}
        with self.progress.stage(stage, len(tasks)) as line:
            waiting = []
            for number, task in enumerate(tasks):
                known = finished(task)
                if known is None:
                    waiting.append((number, task))
                else:
                    outcomes[number] = known
                    line.advance(reused=True)
            for number, outcome in self._run(waiting):
                outcomes[number] = outcome
                line.advance(reused=False)
        ordered = [outcomes[number] for number in range(len(tasks))]
        self.ledger.add(stage, ordered)
        return ordered

    def _run(self, waiting: Sequence[tuple[int, Task]]) -> Iterator[tuple[int, Outcome]]:
        remote = self.ray.remote(num_cpus=1, max_retries=RETRIES)(_work)
        queue = list(reversed(waiting))
        flying: dict[Any, tuple[int, Task]] = {}
        try:
            while queue or flying:
                while queue and len(flying) < self.workers:
                    number, task = queue.pop()
                    flying[remote.remote(task, self.detectors)] = (number, task)
                done, _ = self.ray.wait(list(flying), num_returns=1)
                number, task = flying.pop(done[0])
                yield number, self._outcome(done[0], task)
        finally:
            for handle in flying:
                with contextlib.suppress(Exception):
                    self.ray.cancel(handle, force=False)

    def _outcome(self, handle: Any, task: Task) -> Outcome:
        try:
            result: Outcome | GristmillError = self.ray.get(handle)
        except self.ray.exceptions.RayTaskError as error:
            raise explained(error.cause, task) from error
        except self.ray.exceptions.RayError as error:
            raise PartialFailure(
                f"a worker was lost {RETRIES + 1} times in {task.folder}/{task.partition}: {_first_line(error)}",
                hint="finished parts are kept; run the same command again to resume",
            ) from error
        if isinstance(result, GristmillError):
            raise result
        return dataclasses.replace(result, task=task)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _work(task: Task, detectors: tuple[Any, ...]) -> Outcome | GristmillError:
    """In a worker: perform the task with the licence service; errors travel back as values of our own.

    So Ray never writes one to its logs: it would quote the data it failed on (see `explained`).
    """
    services: dict[str, Service] = {"licences": _Detection(detectors)} if detectors else {}
    try:
        outcome = measured(dataclasses.replace(task, services=services))
    except Exception as error:
        if os.environ.get("GRISTMILL_DEBUG"):
            raise
        return explained(error, task)
    return dataclasses.replace(outcome, task=dataclasses.replace(task, services={}, inputs={}))


@dataclasses.dataclass(frozen=True)
class _Detection:
    """The licence service: notices go to the actor that their hash names, answers come back in order."""

    detectors: tuple[Any, ...]

    def __call__(self, notices: pa.Table) -> pa.Table:
        import ray

        if not notices.num_rows:
            return ray.get(self.detectors[0].detect.remote(notices))
        shard = [int(name[:8], 16) % len(self.detectors) for name in notices["notice"].to_pylist()]
        handles = []
        for number, actor in enumerate(self.detectors):
            mine = notices.filter(pa.array([at == number for at in shard]))
            if mine.num_rows:
                handles.append(actor.detect.remote(mine))
        return pa.concat_tables(ray.get(handles))


class _Detector:
    """Actor: one licence index, one memo folder."""

    def __init__(self, folder: str, settings: Mapping[str, Json]) -> None:
        from stages.licences import MemoResolver, Settings

        self._resolver = MemoResolver(Path(folder), settings=Settings.model_validate(settings))

    def detect(self, notices: pa.Table) -> pa.Table:
        return self._resolver(notices)


@contextlib.contextmanager
def ray_runner(
    *,
    progress: Progress,
    workers: int,
    address: str | None,
    detectors: int,
    memo: Path,
    licence_settings: Mapping[str, Json],
) -> Iterator[RayRunner]:
    """A runner on a fresh local Ray (`address` None) or on the cluster at `address`; shut down at the end."""
    ray = _connect(workers=workers, address=address)
    try:
        actor = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Detector)
        handles = tuple(actor.remote(str(memo), dict(licence_settings)) for _ in range(detectors))
        width = workers if address is None else max(1, int(ray.cluster_resources().get("CPU", 1)))
        yield RayRunner(ray=ray, progress=progress, workers=width, detectors=handles)
    finally:
        ray.shutdown()


def _connect(*, workers: int, address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    root = str(Path(__file__).resolve().parent.parent)
    options: dict[str, Any] = {
        "log_to_driver": bool(os.environ.get("GRISTMILL_DEBUG")),
        "logging_level": "error",
        "runtime_env": {
            "env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
        },
    }
    if address is None:
        options |= {
            "num_cpus": workers,
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
            "address": "local",
        }
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, OSError) as error:
        where = f"the Ray cluster at {address}" if address else "a local Ray"
        raise ConfigError(
            f"cannot start {where}: {_first_line(error)}",
            hint="check --address, or use --workers 0 to run in this process without Ray",
        ) from error
    return ray
