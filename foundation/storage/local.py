"""A folder on local disk as a Store.

Keys come from strangers' tables too, so a key that leaves the folder (`..`, absolute, NUL) is refused.
Temp files of unfinished writes are never listed.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from foundation.errors import StorageError, UsageError
from foundation.storage.atomic import TEMP_PREFIX
from foundation.storage.store import ObjectInfo
from foundation.storage.threads import ordered_map

# Threads pay for a cold disk, not for hand-overs: this many small files share one.
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class LocalStore:
    """Read access to the files below `root`, an absolute path."""

    root: Path

    @classmethod
    def at(cls, uri: str) -> LocalStore:
        """The store of the folder `uri` (a path or `file://` URL); UsageError if there is no such folder."""
        parts = urlsplit(uri)
        if parts.scheme == "file":
            path = Path(unquote(parts.path))
        elif "://" in uri:
            raise UsageError(
                f"cannot read {uri!r}: unknown scheme", hint="give a folder, file://… or s3://bucket/prefix"
            )
        else:
            path = Path(uri).expanduser()
        if not path.is_dir():
            raise UsageError(f"no folder at {path}", hint="check the path; an archive is a folder or an s3:// address")
        return cls(path.resolve())

    @property
    def uri(self) -> str:
        """The folder's absolute path."""
        return str(self.root)

    def path(self, key: str) -> Path:
        """Absolute path of `key`; UsageError for a key that could leave the root."""
        self._check(key)
        return self.root / key

    def _check(self, key: str) -> None:
        if "\0" in key or key.startswith("/") or (".." in key and ".." in key.split("/")):
            raise UsageError(f"unsafe key {key!r} below {self.root}", hint="keys are relative and may not hold '..'")

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Files below `prefix`, in key order."""
        folder = self.path(prefix.strip("/"))
        try:
            yield from _walk(folder, prefix.strip("/"))
        except OSError as error:
            raise _failed("list", folder, error) from error

    def folders(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the folders directly below `prefix`, sorted."""
        folder = self.path(prefix.strip("/"))
        try:
            with os.scandir(folder) as entries:
                return tuple(sorted(entry.name for entry in entries if entry.is_dir()))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise _failed("list", folder, error) from error

    def exists(self, key: str) -> bool:
        """Whether `key` names a file."""
        return self.path(key).is_file()

    def read(self, key: str) -> bytes:
        """The whole file; FileNotFoundError if there is none."""
        self._check(key)
        return self._read(key)

    def read_many(self, keys: Sequence[str], workers: int = 8) -> Iterator[bytes | FileNotFoundError]:
        """Each file of `keys`, in their order; a missing one is yielded as its FileNotFoundError."""
        for key in keys:
            self._check(key)
        return ordered_map(self._read_or_missing, keys, workers=workers, batch=_BATCH)

    def open(self, key: str) -> BinaryIO:
        """The file for random access; FileNotFoundError if there is none."""
        path = self.path(key)
        try:
            return path.open("rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _failed("open", path, error) from error

    def _read_or_missing(self, key: str) -> bytes | FileNotFoundError:
        try:
            return self._read(key)
        except FileNotFoundError as error:
            return error

    def _read(self, key: str) -> bytes:
        # plain descriptors: at a few kB a file, path and stream objects would cost more than the read
        path = f"{self.root}/{key}"
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                size = os.fstat(handle).st_size
                data = os.read(handle, size)
                while len(data) < size and (more := os.read(handle, size - len(data))):
                    data += more
            finally:
                os.close(handle)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _failed("read", Path(path), error) from error
        return data


def _walk(folder: Path, prefix: str) -> Iterator[ObjectInfo]:
    try:
        with os.scandir(folder) as entries:
            # a folder sorts as "name/", which makes the walk's order the order of whole keys
            found = sorted((entry.name + "/" * entry.is_dir(), entry) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, entry in found:
        key = f"{prefix}/{entry.name}" if prefix else entry.name
        if name.endswith("/"):
            yield from _walk(Path(entry.path), key)
        elif not name.startswith(TEMP_PREFIX) and entry.is_file():
            yield ObjectInfo(key=key, size=entry.stat().st_size)


def _failed(verb: str, path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot {verb} {path}: {error.strerror or error}", hint="check its permissions and the disk, then run again"
    )
