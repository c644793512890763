"""Software Heritage's objects as bytes: ids of contents, directories, releases and snapshots; git's own objects parsed.

Ids are git's (`sha1("<type> <length>\\0" + manifest)`); the snapshot's manifest is Software Heritage's own
(swh-model, `git_objects.snapshot_git_object`). Everything here takes and gives bytes: names come from strangers.
"""

from __future__ import annotations

import dataclasses
import hashlib
import stat
from collections.abc import Iterable, Iterator, Sequence

from foundation.errors import ArchiveError
from foundation.swhid import git_object_id

DIRECTORY_MODE = 0o040000
FILE_MODE = 0o100644
EXECUTABLE_MODE = 0o100755
SYMLINK_MODE = 0o120000
SUBMODULE_MODE = 0o160000

_REFUSED_NAMES = (b"", b".", b"..", b".git")


@dataclasses.dataclass(frozen=True, order=True)
class Entry:
    """One directory entry: name (bytes), git mode, and id (hex) of what it points at."""

    name: bytes
    mode: int
    target: str

    @property
    def type(self) -> str:
        """`file`, `dir` or `rev`, as the export spells it."""
        return {DIRECTORY_MODE: "dir", SUBMODULE_MODE: "rev"}.get(stat.S_IFMT(self.mode), "file")


@dataclasses.dataclass(frozen=True)
class Hashes:
    """The four names of a content (hex) and its length in bytes."""

    sha1: str
    sha1_git: str
    sha256: str
    blake2s256: str
    length: int


class Hasher:
    """All four hashes of a content in one pass over its bytes; the length must be known before."""

    def __init__(self, length: int) -> None:
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._git = hashlib.sha1(b"blob %d\0" % length, usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._blake = hashlib.blake2s(digest_size=32)
        self.seen = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for digest in (self._sha1, self._git, self._sha256, self._blake):
            digest.update(data)
        self.seen += len(data)

    def result(self) -> Hashes:
        """The names of what was taken so far."""
        return Hashes(
            self._sha1.hexdigest(),
            self._git.hexdigest(),
            self._sha256.hexdigest(),
            self._blake.hexdigest(),
            self.seen,
        )


def hashes_of(data: bytes) -> Hashes:
    """The names of `data`."""
    hasher = Hasher(len(data))
    hasher.update(data)
    return hasher.result()


def refused_name(name: bytes) -> bool:
    """Whether `name` may not stand in a directory: it is empty, `.`, `..`, `.git`, or holds `/` or NUL."""
    return name in _REFUSED_NAMES or b"/" in name or b"\0" in name


def tree_manifest(entries: Iterable[Entry]) -> bytes:
    """git's tree of `entries`: ordered as if directory names ended in `/`, modes octal without padding."""
    ordered = sorted(entries, key=lambda entry: entry.name + b"/" * (stat.S_IFMT(entry.mode) == DIRECTORY_MODE))
    return b"".join(b"%o %s\0" % (entry.mode, entry.name) + bytes.fromhex(entry.target) for entry in ordered)


def directory_id(entries: Iterable[Entry], raw_manifest: bytes | None = None) -> str:
    """Id of a directory; one with a raw manifest (not canonical git) is named by that, header included."""
    if raw_manifest is not None:
        return hashlib.sha1(raw_manifest, usedforsecurity=False).hexdigest()
    return git_object_id("tree", tree_manifest(entries))


def parse_tree(body: bytes) -> Iterator[Entry]:
    """Entries of a git tree in stored order; ArchiveError if the bytes are not a tree."""
    at = 0
    while at < len(body):
        space = body.find(b" ", at, at + 16)
        end = body.find(b"\0", space + 1)
        if space < 0 or end < 0 or end + 21 > len(body):
            raise ArchiveError("git tree is malformed", hint="run `git fsck` in the repository")
        try:
            mode = int(body[at:space], 8)
        except ValueError as error:
            raise ArchiveError("git tree has a malformed mode", hint="run `git fsck` in the repository") from error
        yield Entry(body[space + 1 : end], mode & 0o777777, body[end + 1 : end + 21].hex())
        at = end + 21


@dataclasses.dataclass(frozen=True)
class Moment:
    """A time as git writes it: seconds since 1970, offset in minutes, and the offset's own bytes."""

    seconds: int
    offset: int
    raw_offset: bytes


@dataclasses.dataclass(frozen=True)
class GitObject:
    """A parsed commit or tag: header fields in order (continuation lines joined) and message (None: no blank line)."""

    headers: tuple[tuple[bytes, bytes], ...]
    message: bytes | None

    def first(self, name: bytes) -> bytes | None:
        """Value of the first header `name`."""
        return next((value for key, value in self.headers if key == name), None)

    def every(self, name: bytes) -> tuple[bytes, ...]:
        """Values of all headers `name`."""
        return tuple(value for key, value in self.headers if key == name)


def parse_object(body: bytes) -> GitObject:
    """A commit's or tag's headers and message."""
    head, blank, message = body.partition(b"\n\n")
    if body.startswith(b"\n"):
        head, blank, message = b"", b"\n", body[1:]
    headers: list[tuple[bytes, bytes]] = []
    for line in head.removesuffix(b"\n").split(b"\n"):
        if line.startswith(b" ") and headers:
            name, value = headers[-1]
            headers[-1] = name, value + b"\n" + line[1:]
        else:
            name, _, value = line.partition(b" ")
            headers.append((name, value))
    return GitObject(tuple(headers), message if blank else None)


def parse_signature(value: bytes | None) -> tuple[bytes | None, Moment | None]:
    """(full name, time) of an author, committer or tagger line; None for what is absent or malformed."""
    if not value:
        return None, None
    end = value.rfind(b">") + 1
    name, words = (value[:end], value[end:].split()) if end else (value, [])
    try:
        seconds = int(words[0])
    except (IndexError, ValueError):
        return name, None
    raw = words[1] if len(words) > 1 else b"+0000"
    return name, Moment(seconds, _minutes(raw), raw)


def _minutes(raw: bytes) -> int:
    """Offset in minutes of e.g. `+0530`; 0 if malformed or beyond the column's 16 bits (swh-model does the same)."""
    digits = raw[1:]
    if raw[:1] not in (b"+", b"-") or not digits.isdigit():
        return 0
    hours, minutes = divmod(int(digits), 100)
    total = (hours * 60 + minutes) * (-1 if raw[:1] == b"-" else 1)
    return total if minutes < 60 and -(2**15) <= total < 2**15 else 0


@dataclasses.dataclass(frozen=True)
class Branch:
    """Where a branch of a snapshot points: an object id (hex), or for an alias the other branch's name (bytes)."""

    target: str | bytes
    target_type: str


def snapshot_id(branches: Sequence[tuple[bytes, Branch]]) -> str:
    """Id of a snapshot; an alias to a branch that is not there counts it as dangling, as the loaders record it."""
    known = dict(branches)
    lines = {name: _branch_line(branch) for name, branch in known.items()}
    for branch in known.values():
        if isinstance(branch.target, bytes) and branch.target not in lines:
            lines[branch.target] = (b"dangling", b"")
    body = b"".join(
        kind + b" " + name + b"\0%d:" % len(target) + target for name, (kind, target) in sorted(lines.items())
    )
    return git_object_id("snapshot", body)


def _branch_line(branch: Branch) -> tuple[bytes, bytes]:
    target = branch.target if isinstance(branch.target, bytes) else bytes.fromhex(branch.target)
    return branch.target_type.encode(), target


_GIT_TYPES = {"revision": b"commit", "directory": b"tree", "content": b"blob", "release": b"tag", "snapshot": b"refs"}


def release_manifest(*, target: str, target_type: str, name: bytes, message: bytes | None) -> bytes:
    """git's tag of a release that has neither author nor date."""
    head = b"object %s\ntype %s\ntag %s\n" % (target.encode(), _GIT_TYPES[target_type], _escaped(name))
    return head if message is None else head + b"\n" + message


def _escaped(value: bytes) -> bytes:
    """Header value with its line ends continued by a space (git's folding)."""
    return value.replace(b"\n", b"\n ")
