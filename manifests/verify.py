"""Verifying a release: every damaged, missing or added file is named, whatever else is damaged.

The manifest is trusted only as far as its own checksum goes; every other file has its checksum in the
manifest, and SHA256SUMS is wholly determined by it. When the manifest itself is damaged, the other
files are still checked against SHA256SUMS. Cost: every byte is read once, in parallel threads.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeAlias

from foundation.canonical import Json, sha256_file
from foundation.errors import ConfigError, IntegrityError
from manifests.manifest import MANIFEST, SUMS, Manifest, load_manifest
from manifests.summary import footer

Kind: TypeAlias = Literal["missing", "extra", "size", "hash", "unreadable", "rows", "schema", "manifest", "sums"]

_SUMS_LINE = re.compile(r"([0-9a-f]{64})  ([^\\/\0][^\\\0]*)")


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one file of a release (path relative to it)."""

    file: str
    kind: Kind
    detail: str


@dataclasses.dataclass(frozen=True)
class VerifyReport:
    """What was checked (files, bytes) and what is wrong with it, in order of file."""

    release: str
    files: int
    bytes: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Json]:
        """The report as JSON values."""
        problems: list[Json] = [{"file": item.file, "kind": item.kind, "detail": item.detail} for item in self.problems]
        return {"release": self.release, "ok": self.ok, "files": self.files, "bytes": self.bytes, "problems": problems}


def verify(release: str | Path, *, threads: int | None = None) -> VerifyReport:
    """Check the release folder `release` in full; ConfigError if there is no such folder or no release in it."""
    root = Path(release)
    present, problems = _listing(root)
    if MANIFEST not in present and SUMS not in present:
        raise ConfigError(
            f"{release} is not a release: it has neither {MANIFEST} nor {SUMS}",
            hint="expected a folder releases/<name>/<version>",
        )
    manifest, trouble = _manifest(root, present)
    problems += trouble
    expected, trouble = _expected(root, present, manifest)
    problems += trouble
    sizes = manifest.sizes() if manifest else {}
    extra = {*present} - {*expected, MANIFEST, SUMS}
    problems += [Problem(path, "extra", "not part of the release") for path in extra]
    checks = [(path, digest, sizes.get(path)) for path, digest in expected.items() if path != MANIFEST]
    with ThreadPoolExecutor(max_workers=threads or min(8, os.cpu_count() or 1)) as pool:
        found = pool.map(lambda check: _check_file(root, present, *check), checks)
        problems += [problem for problem in found if problem]
    if manifest:
        problems += _check_footers(root, manifest, damaged={problem.file for problem in problems})
    return VerifyReport(str(release), len(present), sum(present.values()), tuple(sorted(set(problems))))


def _listing(root: Path) -> tuple[dict[str, int], list[Problem]]:
    """Sizes of the plain files below `root`, and a problem for anything that is neither file nor folder."""
    present: dict[str, int] = {}
    problems = []
    for folder, folders, files in os.walk(root):
        for name in sorted(files + [name for name in folders if Path(folder, name).is_symlink()]):
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if path.is_symlink() or not path.is_file():
                problems.append(Problem(relative, "unreadable", "not a plain file"))
            else:
                present[relative] = path.stat().st_size
    return present, problems


def _manifest(root: Path, present: Mapping[str, int]) -> tuple[Manifest | None, list[Problem]]:
    if MANIFEST not in present:
        return None, [Problem(MANIFEST, "missing", "the release has no manifest")]
    try:
        return load_manifest(root), []
    except IntegrityError as error:
        return None, [Problem(MANIFEST, "manifest", error.message.removeprefix(f"{root / MANIFEST}: "))]


def _expected(
    root: Path, present: Mapping[str, int], manifest: Manifest | None
) -> tuple[dict[str, str], list[Problem]]:
    """Expected checksums by path, from the manifest or else from SHA256SUMS, and what is wrong with the latter."""
    problems = []
    data = b""
    if SUMS not in present:
        problems.append(Problem(SUMS, "missing", "the release has no SHA256SUMS"))
    else:
        try:
            data = (root / SUMS).read_bytes()
        except OSError as error:
            problems.append(Problem(SUMS, "unreadable", str(error.strerror)))
    if manifest:
        if data and data != manifest.sums():
            problems.append(Problem(SUMS, "sums", _first_difference(manifest.sums(), data)))
        elif not data and not problems:
            problems.append(Problem(SUMS, "sums", "empty"))
        return manifest.checksums(), problems
    expected = {}
    for number, line in enumerate(data.decode("utf-8", "backslashreplace").splitlines(), start=1):
        found = _SUMS_LINE.fullmatch(line)
        if found and ".." not in found.group(2).split("/"):
            expected[found.group(2)] = found.group(1)
        else:
            problems.append(Problem(SUMS, "sums", f"line {number} is not `<sha256>  <path>`"))
    return expected, problems


def _first_difference(expected: bytes, found: bytes) -> str:
    pairs = zip(expected.split(b"\n"), found.split(b"\n"), strict=False)
    for number, (line, other) in enumerate(pairs, start=1):
        if line != other:
            return f"line {number} is not what the manifest says"
    return "ends too early or too late"


def _check_file(root: Path, present: Mapping[str, int], path: str, digest: str, size: int | None) -> Problem | None:
    """The first thing wrong with one file's bytes: there, its size, its hash."""
    if path not in present:
        return Problem(path, "missing", "listed, but not there")
    if size is not None and present[path] != size:
        return Problem(path, "size", f"expected {size} bytes, found {present[path]}")
    try:
        found = sha256_file(root / path)
    except OSError as error:
        return Problem(path, "unreadable", str(error.strerror))
    return Problem(path, "hash", f"expected {digest}, found {found}") if found != digest else None


def _check_footers(root: Path, manifest: Manifest, *, damaged: Collection[str]) -> list[Problem]:
    """Whether shards and tables with the right bytes hold the rows and columns that the manifest states."""
    stated = [(shard.path, shard.rows, manifest.columns) for shard in manifest.shards]
    stated += [(part.path, part.rows, table.columns) for table in manifest.tables for part in table.files]
    problems = []
    for path, expected, columns in stated:
        if path in damaged:
            continue
        try:
            rows, found = footer(root / path)
        except IntegrityError as error:
            problems.append(Problem(path, "unreadable", error.message))
            continue
        if rows != expected:
            problems.append(Problem(path, "rows", f"expected {expected} rows, found {rows}"))
        if found != columns:
            problems.append(Problem(path, "schema", "its columns are not those of the manifest"))
    return problems
