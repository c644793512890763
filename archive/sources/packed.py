"""Archives (tar, zip, wheel), read in a stream and never unpacked to disk.

Refused entry by entry, with a note: paths and links that leave the archive, absolute names, NUL, `.git`,
devices, sparse and encrypted entries. Refused as a whole: what exceeds the limits (a zip bomb) or is
damaged. Archives inside archives are contents like any other.

A wheel, an sdist or an npm package is written as Software Heritage's package loaders do: HEAD → alias
`releases/<version>` → release (without author or date) → root directory. Any other archive is a tarball:
HEAD → root directory. The top folder `name-version/` stays in the paths.
"""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from archive.objects import EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE, Branch, release_manifest
from archive.sources.source import Loaded, Note, SourceError, Tree, link_leaves, local_origin, safe_path
from archive.write import ArchiveWriter, Rows, SourceChangedError
from foundation.swhid import git_object_id

PACKED_SUFFIXES = (
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".zip", ".whl",
)  # fmt: skip
VISIT_TYPE = "tarball-directory"

_HEADER_BYTES = 16 << 20  # what one entry's headers (long names, pax records) may take
_MAX_LINK_BYTES = 1 << 16
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,  # zipfile: unknown compression
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
    struct.error,
    pa.ArrowException,
)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What an archive may unpack to: bytes, entries, and bytes for each byte packed (above `ratio_floor` bytes).

    Source code packs 3 to 10 times smaller; deflate's own bound is 1,032 (zlib.net, technical details).
    """

    total_bytes: int = 8 << 30
    entries: int = 1_000_000
    ratio: int = 200
    ratio_floor: int = 100 << 20

    def bytes_for(self, packed: int) -> int:
        """Most bytes that an archive of `packed` bytes may unpack to."""
        return min(self.total_bytes, max(self.ratio_floor, self.ratio * packed))


@dataclasses.dataclass(frozen=True)
class _Package:
    kind: str
    name: str
    version: str


@dataclasses.dataclass(frozen=True)
class _Member:
    """One entry; `kind` is file, directory, link, hardlink, or else the reason why it is refused."""

    path: bytes
    kind: str
    mode: int = 0
    size: int = 0
    link: bytes = b""
    stream: BinaryIO | None = None


def is_packed(path: Path) -> bool:
    """Whether the name says that `path` is an archive."""
    return path.name.lower().endswith(PACKED_SUFFIXES)


def load_packed(path: Path, writer: ArchiveWriter, limits: Limits) -> Loaded:
    """Read the archive `path` into `writer`; SourceError if it is damaged or exceeds `limits`."""
    budget = _Budget(path, limits)
    unpacked = _Unpacked(writer)
    members = _zip_members(path) if path.name.lower().endswith((".zip", ".whl")) else _tar_members(path, budget)
    while True:
        # the archive's own faults are told from those of our output by where they are raised
        try:
            member = next(members, None)
        except _DAMAGED as error:
            if isinstance(error, SourceError):
                raise
            raise _damaged(path, error) from error
        if member is None:
            break
        budget.entry(member.size)
        try:
            unpacked.add(member)
        except SourceChangedError as error:
            raise _damaged(path, error) from error
    return unpacked.loaded(path)


def _damaged(path: Path, error: Exception) -> SourceError:
    return SourceError(f"{path} is damaged: {error or type(error).__name__}", hint="fetch it again")


class _Budget:
    """Counts what an archive unpacks to and stops it at the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.bytes_left, self.entries_left = limits.bytes_for(path.stat().st_size), limits.entries

    def entry(self, size: int) -> None:
        """One more entry of `size` bytes."""
        self.entries_left -= 1
        self.bytes_left -= size
        if self.entries_left < 0 or self.bytes_left < 0:
            self.refuse()

    def refuse(self) -> None:
        """Stop: the archive is a bomb, or needs higher limits."""
        allowed = self.limits.bytes_for(self.path.stat().st_size)
        raise SourceError(
            f"{self.path} would unpack to more than {allowed:,} bytes or {self.limits.entries:,} entries",
            hint="if it is not a zip bomb, unpack it yourself and ingest the folder",
        )


class _Unpacked:
    """The tree that the members make."""

    def __init__(self, writer: ArchiveWriter) -> None:
        self.writer, self.rows, self.tree = writer, Rows(), Tree()
        self.notes: list[Note] = []

    def add(self, member: _Member) -> None:
        path, reason = safe_path(member.path)
        if not reason and not path:
            return  # the root itself
        if not reason:
            reason = self._put(path, member)
        if reason:
            self.notes.append(Note.of(member.path, reason))

    def _put(self, path: bytes, member: _Member) -> str:
        match member.kind:
            case "directory":
                return self.tree.add_directory(path)
            case "link" if not link_leaves(path, member.link):
                return self.tree.add_file(path, SYMLINK_MODE, self.writer.add(self.rows, member.link).sha1_git)
            case "hardlink" if member.link in self.tree.files:
                return self.tree.add_file(path, *self.tree.files[member.link])
            case "file" if member.stream is not None:
                hashes = self.writer.add_stream(self.rows, member.stream, member.size)
                mode = EXECUTABLE_MODE if member.mode & 0o111 else FILE_MODE
                return self.tree.add_file(path, mode, hashes.sha1_git)
            case "link" | "hardlink":
                return "link leaves the archive or comes before its target"
        return member.kind

    def loaded(self, path: Path) -> Loaded:
        """Root, snapshot and origin of what was added."""
        root = self.tree.build(self.rows)
        package = _package(path.name, self.tree)
        if package is None:
            snapshot = self.rows.snapshot({b"HEAD": Branch(root, "directory")})
            return Loaded(VISIT_TYPE, snapshot, local_origin("archive", path.name), self.rows, self._sorted())
        version = package.version.encode()
        message = f"Synthetic release for {package.name} version {package.version}\n".encode()
        release = git_object_id(
            "tag", release_manifest(target=root, target_type="directory", name=version, message=message)
        )
        self.rows.release(release, name=version, message=message, target=(root, "directory"))
        branch = b"releases/" + version
        snapshot = self.rows.snapshot({b"HEAD": Branch(branch, "alias"), branch: Branch(release, "release")})
        origin = local_origin(package.kind, f"{package.name}-{package.version}")
        return Loaded(package.kind, snapshot, origin, self.rows, self._sorted())

    def _sorted(self) -> tuple[Note, ...]:
        return tuple(sorted(self.notes))


def _package(file_name: str, tree: Tree) -> _Package | None:
    """Which package release an archive is, by its name and what it holds; None for any other archive."""
    if file_name.lower().endswith(".whl"):
        # name-version(-build)?-python-abi-platform.whl (binary distribution format specification)
        parts = file_name[: -len(".whl")].split("-")
        return _Package("pypi", _normal(parts[0]), parts[1]) if len(parts) in (5, 6) else None
    suffix = max((end for end in PACKED_SUFFIXES if file_name.lower().endswith(end)), key=len)
    stem = file_name[: -len(suffix)]
    found = re.fullmatch(r"(?P<name>.+?)-(?P<version>\d[^-]*(?:-[0-9A-Za-z.]+)?)", stem)
    if found is None:
        return None
    if stem.encode("utf-8", "surrogateescape") + b"/PKG-INFO" in tree.files:
        return _Package("pypi", _normal(found["name"]), found["version"])
    if b"package/package.json" in tree.files:
        return _Package("npm", found["name"], found["version"])
    return None


def _normal(name: str) -> str:
    """A Python project's normalised name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as file:
        for info in file.infolist():
            # names that are not flagged as UTF-8 were decoded as cp437, which loses nothing
            name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "surrogateescape")
            mode = info.external_attr >> 16
            if info.flag_bits & 0x1:
                yield _Member(name, "encrypted entry")
            elif info.is_dir():
                yield _Member(name, "directory")
            elif stat.S_ISLNK(mode):
                if info.file_size > _MAX_LINK_BYTES:
                    yield _Member(name, "link target too long", size=info.file_size)
                else:
                    yield _Member(name, "link", link=file.read(info))
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield _Member(name, "special file (device, socket or pipe)")
            else:
                with file.open(info) as stream:
                    wrapped = cast("BinaryIO", _Guarded(cast("BinaryIO", stream)))
                    yield _Member(name, "file", mode, info.file_size, stream=wrapped)


def _tar_members(path: Path, budget: _Budget) -> Iterator[_Member]:
    with path.open("rb") as packed:
        meter = _Meter(_decompressed(packed), budget)
        with tarfile.open(fileobj=meter, mode="r|", encoding="utf-8", errors="surrogateescape") as file:
            while (info := file.next()) is not None:
                # what is not read of this entry is skipped on the way to the next one's headers
                meter.allowance = _HEADER_BYTES + info.size
                yield _tar_member(file, info)
                # tarfile would remember every entry
                file.members = []  # type: ignore[attr-defined]


def _tar_member(file: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    name = info.name.encode("utf-8", "surrogateescape")
    link = info.linkname.encode("utf-8", "surrogateescape")
    if info.issparse():
        return _Member(name, "sparse file", size=info.size)
    if info.isdir():
        return _Member(name, "directory")
    if info.issym():
        return _Member(name, "link", link=link)
    if info.islnk():
        return _Member(name, "hardlink", link=safe_path(link)[0])
    if not info.isreg():
        return _Member(name, "special file (device, socket or pipe)")
    stream = cast("BinaryIO", _Guarded(cast("BinaryIO", file.extractfile(info))))
    return _Member(name, "file", info.mode, info.size, stream=stream)


def _decompressed(packed: BinaryIO) -> BinaryIO:
    """The tar stream inside, by its first bytes."""
    magic = packed.read(6)
    packed.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=packed))
    if magic.startswith(b"BZh"):
        return cast("BinaryIO", bz2.BZ2File(packed))
    if magic == b"\xfd7zXZ\x00":
        return cast("BinaryIO", lzma.LZMAFile(packed))
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd"))
    return packed


class _Meter(io.RawIOBase):
    """A stream that stops when an entry's headers, or the whole, grow beyond what they may."""

    def __init__(self, stream: BinaryIO, budget: _Budget) -> None:
        super().__init__()
        self._stream, self._budget = stream, budget
        self._left = budget.bytes_left + _HEADER_BYTES + 2048 * min(budget.entries_left, 1 << 20)
        self.allowance = _HEADER_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.allowance -= len(data)
        self._left -= len(data)
        if self.allowance < 0 or self._left < 0:
            self._budget.refuse()
        return data


class _Guarded(io.RawIOBase):
    """A member's stream whose faults are the archive's, not our disk's."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except _DAMAGED as error:
            if isinstance(error, SourceError):
                raise
            raise SourceChangedError(str(error) or type(error).__name__) from error
