"""Writing the files that a release holds of a repository as a tree.

Paths are strangers': each is walked from an open folder, one component at a time, without following a link, and
files are only ever made new. Refused are absolute paths, empty, `.` and `..` components, NUL, and every spelling of
`.git` that some file system takes for it (git's own `verify_path`), so that nothing written can be a repository's
configuration. Symbolic links are never made. The tree is built beside its place and renamed there once, so
a killed run leaves no half of it under the name asked for. Memory: one row group of texts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from foundation.canonical import Json
from foundation.errors import UsageError
from foundation.storage.atomic import TEMP_PREFIX, storage_error
from manifests.repository import RepositoryFile, RepositoryView

_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_EXECUTABLE = 0o100755
# What a whole disk or a lost one says: no other path would fare better.
_FATAL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE)
# Code points that HFS+ ignores in names (git's utf8.c, next_hfs_char), and NTFS's short name of `.git`.
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_GIT = (".git", "git~1")


@dataclasses.dataclass(frozen=True, order=True)
class NotWritten:
    """A path (as text) that the release holds and that could not be written, and why."""

    path: str
    why: str


@dataclasses.dataclass(frozen=True)
class WrittenTree:
    """What was written (files, bytes) below `folder`, and what could not be, in order of path."""

    folder: str
    files: int
    bytes: int
    not_written: tuple[NotWritten, ...]

    def to_json(self) -> dict[str, Json]:
        """The same as JSON."""
        left: list[Json] = [{"path": item.path, "why": item.why} for item in self.not_written]
        return {"folder": self.folder, "files": self.files, "bytes": self.bytes, "not_written": left}


def write_tree(view: RepositoryView, folder: str | Path, *, near: bool = False) -> WrittenTree:
    """Write the files that are present (with `near`: also what near duplicates stand for) into `folder`.

    `folder` must be absent or empty, and outside the release (UsageError). A path that is refused, or that this file
    system cannot hold, is left out and named; StorageError when nothing more can be written. Text is UTF-8; the
    executable bit is kept.
    """
    target = Path(folder)
    _check_free(target, view.folder)
    temp: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temp = Path(tempfile.mkdtemp(prefix=TEMP_PREFIX, dir=target.parent))
        temp.chmod(0o755)
        written = _fill(temp, (file for file in view.files() if file.present or (near and file.via)))
        temp.rename(target)
    except OSError as error:
        raise storage_error(error, target) from error
    finally:
        if temp is not None:
            shutil.rmtree(temp, ignore_errors=True)
    return dataclasses.replace(written, folder=str(target))


def refusal(path: bytes) -> str | None:
    """Why a stranger's path is never written, or None when it may be."""
    if path.startswith(b"/"):
        return "it is absolute"
    if b"\0" in path:
        return "it holds a NUL"
    for part in path.split(b"/"):
        if part in (b"", b".", b".."):
            return "it has an empty component" if not part else f"it has a component {part.decode()!r}"
        if _is_git(part):
            return "it has a component that is git's own folder"
    return None


def _is_git(part: bytes) -> bool:
    """Whether a file system may take `part` for `.git`: any case, ignored code points, trailing dots and spaces."""
    name = _IGNORED.sub("", part.decode("utf-8", "surrogateescape")).lower()
    return name.partition(":")[0].rstrip(". ") in _GIT or name.rstrip(". ").startswith((".git\\", "git~1\\"))


def _check_free(target: Path, release: Path) -> None:
    if target.resolve().is_relative_to(release.resolve()):
        raise UsageError(f"{target} is inside the release", hint="releases are immutable: choose a folder outside")
    try:
        taken = target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir())))
    except OSError as error:
        raise storage_error(error, target) from error
    if taken:
        raise UsageError(f"{target} is not an empty folder", hint="give a folder that does not exist yet")


def _fill(root: Path, files: Iterator[RepositoryFile]) -> WrittenTree:
    count = size = 0
    left: list[NotWritten] = []
    handle = os.open(root, _FOLDER)
    try:
        for file in files:
            why = refusal(file.path_raw) or _write(handle, file)
            if why is not None:
                left.append(NotWritten(file.path, why))
            else:
                count, size = count + 1, size + len((file.text or "").encode())
    finally:
        os.close(handle)
    return WrittenTree(str(root), count, size, tuple(sorted(left)))


def _write(root: int, file: RepositoryFile) -> str | None:
    """Write one file below the open folder `root`; returns why it cannot be, and raises OSError when nothing can."""
    *folders, name = file.path_raw.split(b"/")
    try:
        with _opened(root, folders) as folder:
            handle = os.open(name, _FILE, 0o755 if file.mode == _EXECUTABLE else 0o644, dir_fd=folder)
            with os.fdopen(handle, "wb") as stream:
                stream.write((file.text or "").encode())
    except OSError as error:
        if error.errno in _FATAL:
            raise
        return str(error.strerror or error)
    return None


@contextlib.contextmanager
def _opened(root: int, folders: Sequence[bytes]) -> Iterator[int]:
    """The folder `folders` below `root`, made where it is missing, no link followed."""
    handle = os.dup(root)
    try:
        for name in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=handle)
            inner = os.open(name, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)
