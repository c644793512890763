"""The in-process runner, and what every runner shares: re-use, order, progress.

A runner returns outcomes in the order of its tasks whatever order they ran in. A task whose record
matches its fingerprint is not run again. The first failure stops the hand-out of new work; what is finished stays.
"""

from __future__ import annotations

import dataclasses
import resource
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence

from foundation import clock
from foundation.errors import GristmillError, IntegrityError, InternalError
from foundation.tasks import Outcome, Service, Task, finished, perform
from pipeline.progress import Progress

_OURS = ("archive", "foundation", "manifests", "pipeline", "registry", "stages")

Services = Callable[[Mapping[str, object]], Mapping[str, Service]]


def measured(task: Task) -> Outcome:
    """Perform `task` and say what it cost: wall and CPU seconds, and this process's peak memory (bytes)."""
    began, cpu = clock.monotonic(), clock.cpu_seconds()
    outcome = perform(task)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return dataclasses.replace(
        outcome, seconds=clock.monotonic() - began, cpu_seconds=clock.cpu_seconds() - cpu, peak_bytes=peak
    )


def explained(error: Exception, task: Task) -> GristmillError:
    """`error` as one of our own, naming the task it came from.

    Others' errors may quote the data they failed on, which is strangers' and not yet redacted: of them only the type
    and the place in our code are told. GRISTMILL_DEBUG shows the rest.
    """
    where = f"{task.folder}/{task.partition}"
    if isinstance(error, GristmillError):
        return type(error)(f"{error.message} (in {where})", hint=error.hint)
    if isinstance(error, FileNotFoundError):
        return IntegrityError(
            f"a file is gone that {where} reads: {error.filename or error}",
            hint="put it back, or remove the build folder and build again",
        )
    return InternalError(
        f"{told(error)} in {where}",
        hint="a bug of ours; set GRISTMILL_DEBUG=1 for the traceback, which may quote contents",
    )


def told(error: BaseException) -> str:
    """The type of `error` and the function of ours that it came from, without a word of its message."""
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] in _OURS:
            place = f" at {module}:{frame.f_code.co_name}:{line}"
    return f"{type(error).__name__}{place}"


@dataclasses.dataclass
class Ledger:
    """What a build's runner has done so far: the outcomes, for the summary and the benchmarks."""

    stages: dict[str, list[Outcome]] = dataclasses.field(default_factory=dict)

    def add(self, stage: str, outcomes: Sequence[Outcome]) -> None:
        """Remember the outcomes of one call of the runner."""
        self.stages.setdefault(stage, []).extend(outcomes)


@dataclasses.dataclass
class LocalRunner:
    """Runs tasks one after the other in this process: the debug mode, and the runner of small tests."""

    progress: Progress
    services: Mapping[str, Service] = dataclasses.field(default_factory=dict)
    ledger: Ledger = dataclasses.field(default_factory=Ledger)

    def __call__(self, stage: str, tasks: Sequence[Task]) -> list[Outcome]:
        """Run `tasks` in order; raises the first failure, named."""
        with self.progress.stage(stage, len(tasks)) as line:
            outcomes = []
            for task in tasks:
                outcome = finished(task) or self._run(task)
                line.advance(reused=outcome.reused)
                outcomes.append(outcome)
        self.ledger.add(stage, outcomes)
        return outcomes

    def _run(self, task: Task) -> Outcome:
        try:
            return measured(dataclasses.replace(task, services=self.services))
        except Exception as error:
            raise explained(error, task) from error


def summary(ledger: Ledger) -> Iterator[dict[str, float | int | str]]:
    """One row a stage, in the order of the flow: tasks, re-used ones, CPU and task seconds, peak bytes."""
    for stage, outcomes in ledger.stages.items():
        yield {
            "stage": stage,
            "tasks": len(outcomes),
            "reused": sum(outcome.reused for outcome in outcomes),
            "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
            "cpu_seconds": round(sum(outcome.cpu_seconds for outcome in outcomes), 3),
            "peak_bytes": max((outcome.peak_bytes for outcome in outcomes), default=0),
        }
