"""What loading a source gives, and the tree that path-based sources are gathered in."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from urllib.parse import quote

from archive.objects import DIRECTORY_MODE, Entry, refused_name
from archive.write import Rows
from foundation.errors import UsageError

# `.invalid` is reserved (RFC 2606): an origin made up for local code can never be anybody's.
LOCAL_ORIGIN = "https://local.invalid"
MAX_PATH_BYTES = 16 << 10


class SourceError(UsageError):
    """A source cannot be ingested as a whole: it is damaged, empty, or exceeds a limit."""


@dataclasses.dataclass(frozen=True, order=True)
class Note:
    """An entry that was left out and why; `path` is text, undecodable bytes backslash-escaped."""

    path: str
    reason: str

    @classmethod
    def of(cls, path: bytes, reason: str) -> Note:
        """The note for a path of bytes."""
        return cls(path.decode("utf-8", "backslashreplace"), reason)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A source turned into rows: visit type, snapshot id, derived origin, and notes of what was left out.

    `incomplete`: an object that belongs to the source could not be read; the visit is then `partial`.
    """

    visit_type: str
    snapshot: str
    origin: str
    rows: Rows
    notes: tuple[Note, ...] = ()
    incomplete: bool = False


def local_origin(kind: str, name: str) -> str:
    """The URL of code that has no public origin: `https://local.invalid/<kind>/<name>`."""
    return f"{LOCAL_ORIGIN}/{kind}/{quote(name, safe='@+~!', errors='surrogateescape')}"


class Tree:
    """Files and directories by path (bytes, `/`-separated, relative); refuses what could not be one tree."""

    def __init__(self) -> None:
        self.files: dict[bytes, tuple[int, str]] = {}
        self._directories: set[bytes] = {b""}

    def add_file(self, path: bytes, mode: int, target: str) -> str:
        """Put a file; returns why it was refused, or an empty string. A path given twice keeps the last one."""
        reason = "a directory has this name" if path in self._directories else self._add_parents(path)
        if not reason:
            self.files[path] = (mode, target)
        return reason

    def add_directory(self, path: bytes) -> str:
        """Put a directory, empty so far; returns why it was refused, or an empty string."""
        if path in self.files:
            return "a file has this name"
        reason = self._add_parents(path)
        if not reason:
            self._directories.add(path)
        return reason

    def build(self, rows: Rows) -> str:
        """Note every directory in `rows`, deepest first; returns the root's id."""
        children: defaultdict[bytes, list[Entry]] = defaultdict(list)
        for path, (mode, target) in self.files.items():
            parent, _, name = path.rpartition(b"/")
            children[parent].append(Entry(name, mode, target))
        for path in sorted(self._directories - {b""}, key=lambda path: (-path.count(b"/"), path)):
            parent, _, name = path.rpartition(b"/")
            children[parent].append(Entry(name, DIRECTORY_MODE, rows.directory(children.pop(path, []))))
        return rows.directory(children.pop(b"", []))

    def _add_parents(self, path: bytes) -> str:
        missing = []
        parent = path.rpartition(b"/")[0]
        while parent not in self._directories:
            if parent in self.files:
                return "it lies below a file"
            missing.append(parent)
            parent = parent.rpartition(b"/")[0]
        self._directories.update(missing)
        return ""


def safe_path(path: bytes) -> tuple[bytes, str]:
    """(`path` without `.` and empty components, reason of refusal or empty)."""
    parts = [part for part in path.split(b"/") if part not in (b"", b".")]
    if path.startswith(b"/"):
        return path, "absolute path"
    if b"\0" in path:
        return path, "NUL in the name"
    if b".." in parts:
        return path, "path leaves the archive"
    if len(path) > MAX_PATH_BYTES:
        return path, f"path longer than {MAX_PATH_BYTES} bytes"
    if any(refused_name(part) for part in parts):
        return path, "refused name (.git)"
    return b"/".join(parts), ""


def link_leaves(path: bytes, target: bytes) -> bool:
    """Whether the symbolic link `path` → `target` is absolute or climbs out of the tree."""
    if target.startswith(b"/") or b"\0" in target:
        return True
    depth = path.count(b"/")
    for part in target.split(b"/"):
        depth += -1 if part == b".." else 0 if part in (b"", b".") else 1
        if depth < 0:
            return True
    return False
