"""Plain directories: every file as it lies there, links as links, `.git` left out.

Ids equal `swh.model.from_disk.Directory` of the same folder without special files: empty directories
are kept, a file with any execute bit is executable, a symbolic link's content is its target.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from archive.objects import EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE, Branch, refused_name
from archive.sources.source import Loaded, Note, SourceError, Tree, local_origin
from archive.write import ArchiveWriter, Rows, SourceChangedError

VISIT_TYPE = "directory"


def load_directory(path: Path, writer: ArchiveWriter) -> Loaded:
    """Read the folder `path` into `writer`; HEAD is its root directory.

    Special files, `.git` and what cannot be read are noted; SourceError if the folder itself cannot be.
    """
    walk = _Walk(os.fsencode(path), writer)
    incomplete = walk.run()
    snapshot = walk.rows.snapshot({b"HEAD": Branch(walk.tree.build(walk.rows), "directory")})
    origin = local_origin("directory", path.resolve().name)
    return Loaded(VISIT_TYPE, snapshot, origin, walk.rows, tuple(sorted(walk.notes)), incomplete)


class _Walk:
    def __init__(self, root: bytes, writer: ArchiveWriter) -> None:
        self.root, self.writer = root, writer
        self.rows, self.tree = Rows(), Tree()
        self.notes: list[Note] = []
        self._unread = False

    def run(self) -> bool:
        """Walk everything; returns whether something could not be read."""
        waiting = [b""]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(os.path.join(self.root, folder) if folder else self.root) as found:  # noqa: PTH118
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError as error:
                if not folder:
                    raise SourceError(f"cannot read {os.fsdecode(self.root)}: {error.strerror}") from error
                self._note(folder, error)
                continue
            for entry in entries:
                path = folder + b"/" + entry.name if folder else entry.name
                if refused_name(entry.name):
                    self.notes.append(Note.of(path, "refused name (.git)"))
                elif entry.is_dir(follow_symlinks=False):
                    self.tree.add_directory(path)
                    waiting.append(path)
                else:
                    self._file(path, entry)
        return self._unread

    def _file(self, path: bytes, entry: os.DirEntry[bytes]) -> None:
        if not entry.is_symlink() and not entry.is_file(follow_symlinks=False):
            self.notes.append(Note.of(path, "special file (device, socket or pipe)"))
            return
        try:
            if entry.is_symlink():
                mode, data = SYMLINK_MODE, _link(entry.path)
                hashes = self.writer.add(self.rows, data)
            else:
                with _regular(entry.path) as stream:
                    info = os.fstat(stream.fileno())
                    mode = EXECUTABLE_MODE if info.st_mode & 0o111 else FILE_MODE
                    hashes = self.writer.add_stream(self.rows, stream, info.st_size)
        except SourceChangedError as error:
            self._note(path, error)
            return
        self.tree.add_file(path, mode, hashes.sha1_git)

    def _note(self, path: bytes, error: Exception) -> None:
        self._unread = True
        reason = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
        self.notes.append(Note.of(path, f"cannot be read: {reason}"))


def _link(path: bytes) -> bytes:
    try:
        return os.readlink(path)  # noqa: PTH115 — names are bytes
    except OSError as error:
        raise SourceChangedError(f"the link cannot be read: {error.strerror}") from error


def _regular(path: bytes) -> BinaryIO:
    """The file opened without following a link and without waiting on a pipe that took its place."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise SourceChangedError("it is no longer a regular file")
        return os.fdopen(handle, "rb")
    except OSError as error:
        raise SourceChangedError(error.strerror or str(error)) from error
