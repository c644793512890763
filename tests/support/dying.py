"""A worker that does its work and dies before anybody hears of it, the first time it is called."""

import dataclasses
import os
from pathlib import Path

from foundation.tasks import Task, resolve


def doomed(task: Task) -> Task:
    """`task` in the hands of `once`."""
    return dataclasses.replace(task, worker="tests.support.dying:once", params={**task.params, "worker": task.worker})


def once(task: Task) -> dict[str, int]:
    """Perform the task that `doomed` was given; the first time, leave the process when all outputs are written."""
    counts = resolve(str(task.params["worker"]))(task)
    mark = Path(task.root, task.folder, f".died-{task.partition}")
    if not mark.exists():
        mark.write_bytes(b"")
        os._exit(1)
    return counts
