"""Bounded retries with full jitter around a whole storage operation."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

from foundation import clock
from foundation.errors import StorageError
from foundation.storage.store import S3Settings

Result = TypeVar("Result")

# Full jitter: sleep uniform(0, min(cap, base * 2**n)); AWS Architecture Blog, "Exponential Backoff And Jitter".
# The cap keeps the wait after a server's return short.
BASE_SECONDS = 0.2
CAP_SECONDS = 5.0

_jitter = random.SystemRandom()


class Transient(Exception):  # noqa: N818 — a signal to the retry loop, never seen outside storage
    """A failure worth another attempt; its text says what happened, without secrets."""


def with_retries(action: Callable[[], Result], *, what: str, settings: S3Settings) -> Result:
    """`action()`, repeated while it raises Transient.

    Gives up with StorageError (`what` failed, last cause, tries) once it was tried `settings.attempts`
    times and `settings.patience` seconds have passed, so that a restarting server is waited for.
    """
    began = clock.monotonic()
    for attempt in itertools.count(1):
        try:
            return action()
        except Transient as error:
            waited = clock.monotonic() - began
            if attempt >= settings.attempts and waited >= settings.patience:
                raise StorageError(
                    f"{what} failed {attempt} times in {waited:.0f} s; the last time: {error}",
                    hint="check the network and the service, then run the same command again: finished parts are kept",
                ) from error
        time.sleep(_jitter.uniform(0, min(CAP_SECONDS, BASE_SECONDS * 2 ** min(attempt - 1, 16))))
    raise AssertionError("unreachable")  # pragma: no cover
