"""Ordered work on threads with a bounded number of results in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    action: Callable[[Item], Result], items: Sequence[Item], *, workers: int, batch: int = 1
) -> Iterator[Result]:
    """`action(item)` for each item, in order, on `workers` threads.

    `batch` items share one hand-over between threads (worth it where an action takes microseconds). At
    most `2 * workers` batches are in flight. The first exception is raised when its turn comes; work
    not yet begun is then dropped.
    """
    if workers <= 1 or len(items) <= batch:
        yield from map(action, items)
        return
    starts = iter(range(0, len(items), batch))
    pool = ThreadPoolExecutor(max_workers=workers)
    waiting: deque[Future[list[Result]]] = deque()

    def submit() -> None:
        start = next(starts, None)
        if start is not None:
            waiting.append(pool.submit(_apply, action, items[start : start + batch]))

    try:
        for _ in range(2 * workers):
            submit()
        while waiting:
            results = waiting.popleft().result()
            submit()
            yield from results
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _apply(action: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [action(item) for item in items]
