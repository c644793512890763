"""Attribution: whose licence texts a release's rows rest on, as its tables `attribution` and `licences` state it.

`entries()` come in order of origin, expression, source, notice and place; `texts()` canonical ones first, in order of
their SPDX ids, then those found in repositories, in order of part and hash. Every file is checked against the manifest
before it is believed. Memory: one row group of each part of `attribution` (4,096 rows), one row group of `licences`
(512 texts) and the canonical texts; for one origin its own rows.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from foundation import spdx
from foundation.canonical import Json
from foundation.errors import AnswerIsNo, ConfigError, IntegrityError, UsageError
from foundation.frames import frame
from foundation.layout import table_path
from foundation.origins import name_key, name_keys, origin_key, origin_keys
from foundation.tables import group_count, read_table
from manifests.listing import groups_with
from manifests.manifest import Manifest
from manifests.names import nearest
from manifests.selection import check_shard
from manifests.tables import Table, TableFile, part_of

_ORDER = ("origin", "licence_expression", "licence_source", "notice", "licence_origin", "licence_path", "kind")
_FEW = 10_000  # names that are compared letter by letter to find a similar one
_HINT = "run `gristmill release verify` to list all damage, then restore those files"


@dataclasses.dataclass(frozen=True)
class Credit:
    """One notice that rows of `origin` under `licence_expression` rest on; columns of RELEASE_ATTRIBUTION."""

    origin: str
    licence_expression: str | None
    licence_source: str | None
    notice: str | None
    licence_origin: str | None
    licence_path: str | None
    license_type: str
    kind: str | None
    text_sha256: str | None
    copyrights: tuple[str, ...] | None
    files: int
    bytes: int
    leading: int
    repo_name: str | None
    snapshot_id: str | None
    revision_id: str | None
    anchor: str | None

    def to_json(self) -> dict[str, Json]:
        """The entry as JSON values."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class LicenceText:
    """One text; columns of RELEASE_LICENCES. `licence` is the SPDX id of a canonical one, None for a found one."""

    text_sha256: str
    kind: str
    licence: str | None
    copyrights: tuple[str, ...] | None
    text: str

    def to_json(self) -> dict[str, Json]:
        """The text as JSON values."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Attribution:
    """The attribution of a release, or of one `origin` of it; `release` is `<name>@<version>`."""

    release: str
    origin: str | None
    _root: Path = dataclasses.field(repr=False)
    _attribution: Table = dataclasses.field(repr=False)
    _licences: Table = dataclasses.field(repr=False)
    _checked: bool = dataclasses.field(repr=False)

    def entries(self) -> Iterator[Credit]:
        """Every entry, in order (see the module); any number of times."""
        wanted = self._attribution.files
        if self.origin is not None:
            path = table_path("attribution", part_of(self.origin, self._attribution.parts))
            wanted = tuple(file for file in wanted if file.path == path)
        return heapq.merge(*(self._entries_of(file) for file in wanted), key=_sort_key)

    def texts(self) -> Iterator[LicenceText]:
        """The texts that the entries point at, and the canonical ones of what their expressions name; each once.

        IntegrityError when an entry points at a text that is not there.
        """
        if self.origin is None:
            yield from self._canonical(None)
            for file in self._licences.files:
                yield from self._found(file, range(group_count(self._root / file.path)), None)
            return
        entries = list(self.entries())
        yield from self._canonical({name for entry in entries for name in spdx.names(entry.licence_expression)})
        yield from self._pointed_at(sorted({entry.text_sha256 for entry in entries if entry.text_sha256 is not None}))

    def _entries_of(self, file: TableFile) -> Iterator[Credit]:
        path = self._file(file)
        groups = range(group_count(path)) if self.origin is None else groups_with(path, [self.origin])
        for group in groups:
            rows = frame(read_table(path, group=group))
            if self.origin is not None:
                rows = rows.filter(pl.col("origin") == self.origin)
            for row in rows.iter_rows(named=True):
                yield Credit(**_frozen(row))

    def _canonical(self, names: set[str] | None) -> Iterator[LicenceText]:
        """Canonical texts by id, all or those of `names`."""
        rows = []
        for file in self._licences.files:
            path = self._file(file)
            for group in range(group_count(path)) if file.counts.get("canonical") else ():
                found = frame(read_table(path, group=group)).filter(pl.col("kind") == "canonical")
                rows += found.to_dicts()
        for row in sorted(rows, key=lambda row: str(row["licence"])):
            if names is None or row["licence"] in names:
                yield LicenceText(**_frozen(row))

    def _pointed_at(self, hashes: Sequence[str]) -> Iterator[LicenceText]:
        for digest in hashes:
            where = table_path("licences", part_of(digest, self._licences.parts))
            found = False
            for file in (file for file in self._licences.files if file.path == where):
                for text in self._found(file, groups_with(self._file(file), [digest], column="text_sha256"), digest):
                    found = True
                    yield text
            if not found:
                raise IntegrityError(f"{self._root / where} lacks licence text {digest}", hint=_HINT)

    def _found(self, file: TableFile, groups: Sequence[int], digest: str | None) -> Iterator[LicenceText]:
        path = self._file(file)
        for group in groups:
            rows = frame(read_table(path, group=group)).filter(pl.col("kind") == "found")
            for row in (rows if digest is None else rows.filter(pl.col("text_sha256") == digest)).iter_rows(named=True):
                yield LicenceText(**_frozen(row))

    def _file(self, file: TableFile) -> Path:
        path = self._root / file.path
        if self._checked:
            check_shard(path, file)
        return path


def find_attribution(root: Path, manifest: Manifest, origin: str | None, *, checked: bool) -> Attribution:
    """The attribution of the release at `root`, or of the one repository that `origin` names; see `Release`."""
    release = f"{manifest.name}@{manifest.version}"
    attribution, licences = manifest.table("attribution"), manifest.table("licences")
    if attribution is None or licences is None:
        raise ConfigError(f"{release} has no attribution table", hint="build a new version of it")
    whole = Attribution(release, None, root, attribution, licences, checked)
    if origin is None:
        return whole
    exact = dataclasses.replace(whole, origin=origin)
    return exact if next(exact.entries(), None) else dataclasses.replace(whole, origin=_spelled(whole, origin))


def _spelled(whole: Attribution, asked: str) -> str:
    """The one origin that `asked` means although it is spelled otherwise, or is a repository's full name."""
    found: set[str] = set()
    names: list[str] = []
    for file in whole._attribution.files:
        rows = frame(read_table(whole._file(file), columns=["origin", "repo_name"])).unique()
        same = origin_keys(pl.col("origin")) == origin_key(asked)
        named = name_keys(pl.col("repo_name")) == name_key(asked)
        found.update(rows.filter((same | named).fill_null(value=False))["origin"])
        names += rows["origin"].sort().head(_FEW - len(names)).to_list()
    if len(found) > 1:
        raise UsageError(
            f"{asked!r} names {len(found)} repositories of {whole.release}",
            hint=f"give the origin: {', '.join(sorted(found)[:3])}",
        )
    if not found:
        raise AnswerIsNo(f"{whole.release} has no row of {asked!r}", hint=nearest(asked, names))
    return found.pop()


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    copyrights = row["copyrights"]
    return {**row, "copyrights": None if copyrights is None else tuple(copyrights)}


def _sort_key(entry: Credit) -> tuple[tuple[bool, str], ...]:
    """The table's order: by the columns in turn, nulls last."""
    values = (getattr(entry, name) for name in _ORDER)
    return tuple((value is None, value or "") for value in values)
