"""A whole repository as a release holds it: every path, what stands for it, and how complete that is.

A path is *present* when the release holds its text: as a row of its own, as the same content kept from another
place (`identical`), or as another content with the same redacted text (`exact_duplicate`); a file without bytes
(`empty`) needs no row. It is *resembled* when a near duplicate stands for it, with the verified Jaccard similarity. All
else is missing, for a stated reason. Texts are those of the release, decoded and redacted: not always the archive's
bytes.

Opted-out paths are not listed, so they count nowhere. What is no file of its own (a submodule, a directory that the
archive lacks) is listed, and counted apart (`not_files`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from foundation.canonical import Json
from foundation.errors import IntegrityError
from foundation.frames import frame
from foundation.schema import NOT_FILES, PRESENT_VIAS
from foundation.tables import read_table
from manifests.identifiers import path_text
from manifests.listing import any_between, groups_with, tables_in
from manifests.manifest import Manifest
from manifests.nouns import Shard
from manifests.selection import check_shard

STATE = (
    "origin",
    "repo_name",
    "visit_date",
    "snapshot_id",
    "branch_name",
    "revision_id",
    "directory_id",
    "anchor",
)
"""What a view says of its repository: columns of RELEASE_REPOSITORIES."""
_HINT = "run `gristmill release verify` to list all damage, then restore those files"


@dataclasses.dataclass(frozen=True)
class RepositoryFile:
    """One path of a repository.

    `path` is text, bytes that are not UTF-8 as `\\xNN`; `path_raw` is as git stores it; both are redacted. `via` is
    row, identical, exact_duplicate, empty, near_duplicate, or None when the release has nothing: `reason` says why.
    `kept` and `kept_origin` name the row that stands for it, `jaccard` its exact similarity, `text` is that
    row's text (or empty); None when there is none, or it was not asked for.
    """

    path: str
    path_raw: bytes
    mode: int
    content_id: str
    via: str | None
    kept: str | None
    kept_origin: str | None
    jaccard: float | None
    reason: str | None
    text: str | None = None

    @property
    def present(self) -> bool:
        """Whether the release holds this file's own text."""
        return self.via in PRESENT_VIAS

    def to_json(self) -> dict[str, Json]:
        """The file as JSON, without its text and the raw path."""
        document = dataclasses.asdict(self)
        return {key: item for key, item in document.items() if key not in ("path_raw", "text")}


@dataclasses.dataclass(frozen=True)
class FileCounts:
    """Files of a repository: `files` = `present` + `resembled` + the sum of `missing` (by reason).

    `not_files` are paths counted apart, by reason.
    """

    files: int
    present: int
    resembled: int
    missing: Mapping[str, int]
    not_files: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class RepositoryView:
    """One repository of a release: its state in the archive, how complete it is, and its files.

    `release` is `<name>@<version>`. `listing()` and `files()` may be called any number of times.
    """

    release: str
    origin: str
    repo_name: str | None
    visit_date: dt.datetime | None
    snapshot_id: str | None
    branch_name: str | None
    revision_id: str | None
    directory_id: str | None
    anchor: str | None
    counts: FileCounts
    _source: _Source = dataclasses.field(repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """The folder of the release."""
        return self._source.root

    @property
    def completeness(self) -> float:
        """Files whose text the release holds, of all files: 0 to 1; 1 when there are no files."""
        return self.counts.present / self.counts.files if self.counts.files else 1.0

    @property
    def completeness_with_near(self) -> float:
        """The same, with near duplicates standing for what they resemble."""
        counts = self.counts
        return (counts.present + counts.resembled) / counts.files if counts.files else 1.0

    def listing(self) -> Iterator[RepositoryFile]:
        """Every path, in order of its bytes, without texts; no shard is read."""
        for row in self._source.paths.iter_rows(named=True):
            yield _file(row)

    def files(self) -> Iterator[RepositoryFile]:
        """Every path once: in the order of the shards that hold the texts, then those that have none.

        Reads only the row groups that can hold a wanted text; memory is one of them. IntegrityError names a
        damaged shard, or the table when it points at a row that is nowhere.
        """
        yield from self._source.texts()

    def to_json(self) -> dict[str, Json]:
        """State, figures and listing as JSON; dates in ISO-8601."""
        state: dict[str, Json] = {name: getattr(self, name) for name in ("release", *STATE)}
        return {
            **state,
            "visit_date": self.visit_date.isoformat() if self.visit_date else None,
            "counts": dataclasses.asdict(self.counts),
            "completeness": self.completeness,
            "completeness_with_near": self.completeness_with_near,
            "listing": [file.to_json() for file in self.listing()],
        }


@dataclasses.dataclass(frozen=True)
class _Source:
    """Where the view's files come from: its rows of RELEASE_PATHS, from `table`, and the release's shards."""

    root: Path
    shards: tuple[Shard, ...]
    paths: pl.DataFrame
    table: Path
    checked: bool

    def texts(self) -> Iterator[RepositoryFile]:
        pointed = self.paths.filter(pl.col("kept").is_not_null())
        origins = pointed["kept_origin"].unique().sort().to_list()
        left = set(pointed["kept"])
        for shard in self._candidates(origins):
            if not left:
                break
            for texts in self._row_groups(shard, origins, left):
                left.difference_update(texts)
                for row in pointed.filter(pl.col("kept").is_in(list(texts))).iter_rows(named=True):
                    yield _file(row, text=texts[row["kept"]])
        if left:
            self._explain_loss(origins, sorted(left))
        for row in self.paths.filter(pl.col("kept").is_null()).iter_rows(named=True):
            yield _file(row, text="" if row["via"] == "empty" else None)

    def _candidates(self, origins: Sequence[str]) -> Iterator[Shard]:
        return (shard for shard in self.shards if any_between(origins, shard.min_origin, shard.max_origin))

    def _row_groups(self, shard: Shard, origins: Sequence[str], wanted: set[str]) -> Iterator[dict[str, str]]:
        """Wanted texts by content_id, a row group at a time.

        A shard that has no such row group, by a footer that is not yet checked, is not hashed: were the
        footer damaged, its row would be missed, and that is noticed in the end.
        """
        path = self.root / shard.path
        for group in groups_with(path, origins):
            self._check(shard)
            identifiers = read_table(path, columns=["content_id"], group=group)["content_id"].to_pylist()
            if wanted.isdisjoint(identifiers):
                continue
            rows = frame(read_table(path, columns=["content_id", "content"], group=group))
            found = rows.filter(pl.col("content_id").is_in(list(wanted)))
            self._check(shard)
            yield dict(found.iter_rows())

    def _explain_loss(self, origins: Sequence[str], lost: Sequence[str]) -> None:
        for shard in self._candidates(origins):
            self._check(shard)
        raise IntegrityError(
            f"{self.table} points at {len(lost)} rows that no shard holds, e.g. content {lost[0]}", hint=_HINT
        )

    def _check(self, shard: Shard) -> None:
        if self.checked:
            check_shard(self.root / shard.path, shard)


def find_repository(root: Path, manifest: Manifest, origin: str, *, checked: bool) -> RepositoryView:
    """The view of `origin` (or a full name that only one repository has); see `manifests.repository`."""
    tables = tables_in(root, manifest, checked=checked)
    state = tables.state(origin)
    paths = tables.listed(state["origin"])
    counts = count_files(paths)
    source = _Source(root, manifest.shards, paths, tables.path_of(state["origin"]), checked)
    if any(getattr(counts, name) != state[name] for name in ("files", "present", "resembled")):
        raise IntegrityError(f"{source.table} does not agree with table repositories on {state['origin']}", hint=_HINT)
    named = {name: state[name] for name in STATE}
    return RepositoryView(release=tables.release, **named, counts=counts, _source=source)


def count_files(paths: pl.DataFrame) -> FileCounts:
    """The figures of RELEASE_PATHS rows."""
    apart = pl.col("reason").is_in(list(NOT_FILES)).fill_null(value=False)
    files, others = paths.filter(~apart), paths.filter(apart)
    return FileCounts(
        files=files.height,
        present=files.filter(pl.col("via").is_in(list(PRESENT_VIAS))).height,
        resembled=files.filter(pl.col("via") == "near_duplicate").height,
        missing=_by_reason(files.filter(pl.col("via").is_null())),
        not_files=_by_reason(others),
    )


def _by_reason(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows.group_by("reason").len().sort("reason").iter_rows())


def _file(row: Mapping[str, Any], *, text: str | None = None) -> RepositoryFile:
    named = {key: item for key, item in row.items() if key not in ("origin", "path", "path_redactions")}
    return RepositoryFile(path=path_text(row["path"]), path_raw=row["path"], text=text, **named)
