"""The only module that reads the wall clock. Nothing it returns may reach a release's shards."""

from __future__ import annotations

import datetime as dt
import time


def now() -> dt.datetime:
    """The current instant, UTC, to the microsecond."""
    return dt.datetime.now(dt.UTC)


def timestamp(moment: dt.datetime | None = None) -> str:
    """`moment` (default: now) as ISO-8601 UTC with seconds, e.g. `2026-11-23T18:52:00Z`."""
    return (moment or now()).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def monotonic() -> float:
    """Seconds of a clock that never goes back; for durations and timeouts only."""
    return time.monotonic()


def cpu_seconds() -> float:
    """CPU seconds this process has used, all threads."""
    return time.process_time()
