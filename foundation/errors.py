"""The one exception tree.

    GristmillError                 exit code
    ├── AnswerIsNo                 1   a check answered "no" (not a fault)
    ├── UsageError (ValueError)    2   the command line or a call is wrong
    ├── ConfigError (ValueError)   3   a recipe, settings file or credential is wrong
    │   └── CredentialsError       3   storage refused us, or a bucket does not exist
    ├── PartialFailure             4   some work failed; finished parts are kept, run again to resume
    │   └── StorageError (OSError) 4   storage failed after its retries (stall, full disk, read-only)
    ├── ConflictError              5   a precondition does not hold (lock held, version exists, drift)
    ├── IntegrityError             6   bytes are not what their hash or format promises
    │   └── ArchiveError           6   an archive is damaged or is not an archive
    └── InternalError              70  a bug of ours

Every message says what went wrong, with which thing and what was expected; `hint` says how to mend it.
Codes 130 (interrupted) and 141 (broken pipe) belong to the command line alone.
"""

from __future__ import annotations

from typing import ClassVar


class GristmillError(Exception):
    """Base of everything Gristmill raises on purpose; `hint` is the way out, or an empty string."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[GristmillError], message: str, hint: str) -> GristmillError:
    return kind(message, hint=hint)


class AnswerIsNo(GristmillError):  # noqa: N818 - an answer, not an error
    """The question was understood and the answer is no: damage found, drift found, row present."""

    exit_code = 1


class UsageError(GristmillError, ValueError):
    """A command or a call was given arguments that cannot be."""

    exit_code = 2


class ConfigError(GristmillError, ValueError):
    """A recipe, a settings file or an environment setting is wrong."""

    exit_code = 3


class CredentialsError(ConfigError):
    """Storage refused access, or the bucket does not exist."""


class PartialFailure(GristmillError):  # noqa: N818 - the word users read
    """Part of the work failed; what was finished is kept and the same command resumes."""

    exit_code = 4


class StorageError(PartialFailure, OSError):
    """Storage failed after its bounded retries."""


class ConflictError(GristmillError):
    """A precondition does not hold: a lock is held, a version exists, an input drifted."""

    exit_code = 5


class IntegrityError(GristmillError):
    """Bytes are not what their hash, length or format promises."""

    exit_code = 6


class ArchiveError(IntegrityError):
    """An archive is damaged, incomplete, or not an archive at all."""


class InternalError(GristmillError):
    """A state that our own code should have made impossible."""
