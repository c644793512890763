"""Atomic local writes: temp file in the same folder, fsync, rename, fsync of the folder.

A file under its final name is always whole. Temp names start with `.tmp-`, so that globs for data
never see them; what a killed writer left is removed by `remove_stale`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from foundation.errors import StorageError

TEMP_PREFIX = ".tmp-"


@contextlib.contextmanager
def write_atomically(path: str | Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temp path to write; on success it is synced and renamed to `path`, else removed.

    Parent folders are made. OSError (full disk, read-only folder) becomes StorageError naming `path`.
    With `sync=False` the caller calls `sync_all` before anything refers to the file (many small files).
    """
    target = Path(path)
    temp: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMP_PREFIX, dir=target.parent)
        os.close(handle)
        temp = Path(name)
        yield temp
        if sync:
            _sync(temp)
        temp.chmod(0o644)
        temp.replace(target)
        if sync:
            _sync(target.parent)
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(error, target) from error
    finally:
        if temp is not None:
            temp.unlink(missing_ok=True)


def write_atomic(path: str | Path, data: bytes) -> None:
    """Write `data` to `path` atomically and durably; StorageError on failure."""
    with write_atomically(path) as temp:
        temp.write_bytes(data)


def sync_all() -> None:
    """Make every earlier write durable; one barrier for many files written with `sync=False`."""
    os.sync()


def remove_stale(folder: str | Path) -> int:
    """Remove temp files that killed writers left below `folder`; returns how many."""
    stale = [path for path in Path(folder).rglob(TEMP_PREFIX + "*") if path.is_file()]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def storage_error(error: OSError, path: Path) -> StorageError:
    """`error` as a StorageError that names `path` and says how to mend the usual causes."""
    hints = {
        errno.ENOSPC: "free some disk space and run the same command again: finished parts are kept",
        errno.EROFS: "choose an output folder that can be written",
        errno.EACCES: "choose an output folder that can be written",
        errno.EPERM: "choose an output folder that can be written",
    }
    return StorageError(
        f"cannot write {path}: {error.strerror or error}",
        hint=hints.get(error.errno or 0, "run the same command again"),
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
