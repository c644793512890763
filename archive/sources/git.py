"""Git repositories, read as data: HEAD's revision (and the tag on the way) with its whole tree.

Nothing of the repository is run: no git command, no hook, no filter. Ids are git's own; each object is
re-hashed, and what is missing or damaged is noted and makes the visit `partial`. People's names are
kept only as SHA-256, as Software Heritage's exports do.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from dulwich.errors import ChecksumMismatch, FileFormatException, NotGitRepository
from dulwich.repo import Repo

from archive.objects import (
    Branch,
    Entry,
    GitObject,
    directory_id,
    parse_object,
    parse_signature,
    parse_tree,
    refused_name,
)
from archive.sources.source import Loaded, Note, SourceError, local_origin
from archive.write import ArchiveWriter, Rows
from foundation.errors import ArchiveError
from foundation.swhid import git_object_id

VISIT_TYPE = "git"
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_TARGET_TYPES = {"commit": "revision", "tree": "directory", "blob": "content", "tag": "release"}
_MAX_TAG_HOPS = 16
_HEX_ID = re.compile(rb"[0-9a-f]{40}")
# What dulwich lets through when a repository's files are damaged.
_DAMAGED = (
    KeyError,
    ValueError,
    IndexError,
    TypeError,
    AssertionError,
    EOFError,
    OSError,
    zlib.error,
    struct.error,
    NotGitRepository,
    FileFormatException,
    ChecksumMismatch,
)


def is_git(path: Path) -> bool:
    """Whether `path` is a git repository, bare or with a work tree."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def load_git(path: Path, writer: ArchiveWriter) -> Loaded:
    """Read HEAD of the repository `path` into `writer`; SourceError if there is no commit to read."""
    try:
        repository = Repo(str(path))
    except _DAMAGED as error:
        raise SourceError(f"{path} is not a readable git repository: {error}", hint="run `git fsck` in it") from error
    with repository:
        reader = _Reader(repository, path, writer)
        branches = reader.branches()
        target = reader.target_of(branches)
        reader.load(target)
        snapshot = reader.rows.snapshot(branches)
        origin = _origin(repository, path)
    return Loaded(VISIT_TYPE, snapshot, origin, reader.rows, tuple(sorted(set(reader.notes))), reader.incomplete)


class _Reader:
    def __init__(self, repository: Repo, path: Path, writer: ArchiveWriter) -> None:
        self.repository, self.path, self.writer = repository, path, writer
        self.rows = Rows()
        self.notes: list[Note] = []
        self.incomplete = False

    def branches(self) -> dict[bytes, Branch]:
        """HEAD and the branch it leads to; beside an unborn HEAD stands main, master or the first branch."""
        try:
            refs = {bytes(name): bytes(value) for name, value in self.repository.refs.as_dict().items()}
            head = self.repository.refs.read_ref(b"HEAD") or b""  # type: ignore[arg-type]
        except _DAMAGED as error:
            raise SourceError(f"{self.path}: its refs cannot be read: {error}") from error
        if not head.startswith(b"ref: "):
            return {b"HEAD": self._branch(bytes(head))}
        name = bytes(head).removeprefix(b"ref: ").strip()
        found = {b"HEAD": Branch(name, "alias")}
        heads = sorted(ref for ref in refs if ref.startswith(b"refs/heads/"))
        for candidate in (name, b"refs/heads/main", b"refs/heads/master", *heads):
            if candidate in refs:
                return {**found, candidate: self._branch(refs[candidate])}
        raise SourceError(
            f"{self.path} has no commit", hint="commit something, or ingest a copy without its .git folder"
        )

    def target_of(self, branches: dict[bytes, Branch]) -> str:
        """The object id that the branches end at."""
        return next(branch.target for _, branch in sorted(branches.items()) if isinstance(branch.target, str))

    def load(self, name: str) -> None:
        """The object `name` with all below it; tags are followed."""
        for _ in range(_MAX_TAG_HOPS):
            kind, body = self._get(name)
            if kind == "commit":
                self._tree(self._revision(name, parse_object(body)))
                return
            if kind != "tag":
                self._blob(name) if kind == "blob" else self._tree(name)
                return
            name = self._release(name, parse_object(body))
        raise SourceError(f"{self.path}: HEAD leads through more than {_MAX_TAG_HOPS} tags")

    def _branch(self, target: bytes) -> Branch:
        if not _HEX_ID.fullmatch(target):
            raise SourceError(
                f"{self.path}: HEAD is not a SHA-1 object id",
                hint="SHA-256 repositories have no SWHIDs; convert it first",
            )
        kind, _ = self._get(target.decode())
        return Branch(target.decode(), _TARGET_TYPES[kind])

    def _get(self, name: str) -> tuple[str, bytes]:
        """(kind, body) of an object whose hash was checked; SourceError if it is missing or damaged."""
        try:
            number, body = self.repository.object_store.get_raw(name.encode())  # type: ignore[arg-type]
            kind = _KINDS[number]
        except KeyError as error:
            raise SourceError(
                f"{self.path}: object {name} is missing", hint="is the clone shallow or partial?"
            ) from error
        except _DAMAGED as error:
            raise SourceError(f"{self.path}: object {name} is damaged: {error}", hint="run `git fsck`") from error
        if git_object_id(kind, body) != name:
            raise SourceError(f"{self.path}: object {name} is damaged: its hash differs", hint="run `git fsck`")
        return kind, body

    def _revision(self, name: str, commit: GitObject) -> str:
        tree, parents = commit.first(b"tree"), commit.every(b"parent")
        if tree is None or not _HEX_ID.fullmatch(tree) or not all(_HEX_ID.fullmatch(parent) for parent in parents):
            raise SourceError(f"{self.path}: commit {name} names no tree", hint="run `git fsck`")
        known = (b"tree", b"parent", b"author", b"committer")
        self.rows.revision(
            name,
            directory=tree.decode(),
            message=commit.message,
            author=parse_signature(commit.first(b"author")),
            committer=parse_signature(commit.first(b"committer")),
            parents=[parent.decode() for parent in parents],
            headers=[header for header in commit.headers if header[0] not in known],
        )
        return tree.decode()

    def _release(self, name: str, tag: GitObject) -> str:
        target, kind = tag.first(b"object") or b"", (tag.first(b"type") or b"").decode("ascii", "replace")
        if not _HEX_ID.fullmatch(target) or kind not in _TARGET_TYPES:
            raise SourceError(f"{self.path}: tag {name} names no object", hint="run `git fsck`")
        author, date = parse_signature(tag.first(b"tagger"))
        self.rows.release(
            name,
            name=tag.first(b"tag") or b"",
            message=tag.message,
            target=(target.decode(), _TARGET_TYPES[kind]),
            author=author,
            date=date,
        )
        return target.decode()

    def _tree(self, root: str) -> None:
        """Every distinct directory and content below `root`; the root itself must be there."""
        self._get(root)
        waiting, seen = [(b"", root)], {root}
        while waiting:
            path, name = waiting.pop()
            for entry in self._entries(path, name):
                if entry.target in seen or entry.type == "rev":
                    continue
                seen.add(entry.target)
                below = path + b"/" + entry.name if path else entry.name
                if entry.type == "dir":
                    waiting.append((below, entry.target))
                else:
                    self._blob(entry.target, below)

    def _entries(self, path: bytes, name: str) -> list[Entry]:
        try:
            kind, body = self._get(name)
            found = list(parse_tree(body)) if kind == "tree" else None
        except (SourceError, ArchiveError) as error:
            return self._lost(path, error.message)
        if found is None:
            return self._lost(path, f"object {name} is not a tree")
        kept: dict[bytes, Entry] = {}
        for entry in found:
            if refused_name(entry.name) or entry.name in kept:
                reason = "name occurs twice" if entry.name in kept else "refused name"
                self.notes.append(Note.of(path + b"/" + entry.name if path else entry.name, reason))
            else:
                kept[entry.name] = entry
        entries = list(kept.values())
        canonical = len(kept) == len(found) and directory_id(entries) == name
        self.rows.directory(entries, None if canonical else b"tree %d\0" % len(body) + body)
        return entries

    def _blob(self, name: str, path: bytes = b"") -> None:
        try:
            kind, body = self._get(name)
        except SourceError as error:
            self._lost(path, error.message)
            return
        if kind != "blob":
            self._lost(path, f"object {name} is not a blob")
            return
        self.writer.add(self.rows, body)

    def _lost(self, path: bytes, reason: str) -> list[Entry]:
        self.incomplete = True
        self.notes.append(Note.of(path, reason.removeprefix(f"{self.path}: ")))
        return []


def _origin(repository: Repo, path: Path) -> str:
    """The public URL of remote `origin` without credentials, else a local one named after the folder."""
    try:
        remote = bytes(repository.get_config().get((b"remote", b"origin"), b"url")).decode()
    except _DAMAGED:
        remote = ""
    name = path.resolve().name.removesuffix(".git") or "repository"
    return public_url(remote) or local_origin("git", name)


def public_url(remote: str) -> str:
    """`https://host/path` of a remote (http, https, git, ssh, or scp-like), or an empty string for a local one."""
    short = re.fullmatch(r"(?:[^@/:\s]+@)?([A-Za-z0-9.-]+\.[A-Za-z]{2,}):(?!//)([^\s]+)", remote)
    if short:
        host, path = short.group(1), short.group(2)
    else:
        try:
            parts = urlsplit(remote)
            host, path = parts.hostname or "", parts.path
            if parts.scheme not in ("http", "https", "git", "ssh", "git+ssh") or not host:
                return ""
        except ValueError:
            return ""
    clean = quote(unquote(path).strip("/").removesuffix(".git"), safe="/@+~!$&'()*,;=:")
    return f"https://{host}/{clean}" if clean else ""
