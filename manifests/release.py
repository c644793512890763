"""Reading a published release: open it, scan it, take one row.

Reading never returns wrong rows: the manifest carries its own checksum, and a shard's SHA-256 is checked
the first time this process uses it (again whenever the file changes). `verify="none"` gives that up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import polars as pl

from foundation.errors import AnswerIsNo, IntegrityError, UsageError
from foundation.swhid import parse_core
from manifests.attribution import Attribution, find_attribution
from manifests.identifiers import qualifiers
from manifests.manifest import MANIFEST, Manifest, load_manifest
from manifests.repository import RepositoryView, find_repository
from manifests.selection import Selection, choose
from manifests.verify import verify as verify_release

Names: TypeAlias = "str | Sequence[str] | None"
Verify: TypeAlias = Literal["manifest", "full", "none"]


@dataclasses.dataclass(frozen=True)
class Release:
    """An open release: its folder and its manifest. `checked` is whether shards are hashed on first use."""

    path: Path
    manifest: Manifest
    checked: bool = True

    def select(
        self, *, languages: Names = None, licences: Names = None, repositories: Names = None, columns: Names = None
    ) -> Selection:
        """Choose rows; each argument is one name, several, or None for all; nothing is read yet.

        languages: as in the manifest, letter case ignored, `none` for the undecided. licences: queries as
        `foundation.spdx.query` takes them (`MIT`, `permissive`, `Apache-2.0 OR MIT`); a row is in when any
        accepts it. repositories: globs on `repo_name`. Unknown names raise UsageError.
        """
        return choose(
            self.path,
            self.manifest,
            languages=_listed(languages),
            licences=_listed(licences),
            repositories=_listed(repositories),
            columns=_listed(columns),
            checked=self.checked,
        )

    def scan(
        self, *, languages: Names = None, licences: Names = None, repositories: Names = None, columns: Names = None
    ) -> pl.LazyFrame:
        """The chosen rows as a polars lazy frame over the needed shards only; arguments as in `select`.

        The shards are checked before this returns (IntegrityError names a damaged one); collect it at once, or use
        `read`, which also notices files that change meanwhile.
        """
        return self.select(languages=languages, licences=licences, repositories=repositories, columns=columns).lazy()

    def read(
        self, *, languages: Names = None, licences: Names = None, repositories: Names = None, columns: Names = None
    ) -> pl.DataFrame:
        """The chosen rows in memory; arguments as in `select`."""
        return self.select(languages=languages, licences=licences, repositories=repositories, columns=columns).collect()

    def row(self, swhid: str) -> dict[str, Any]:
        """The one row that a core or qualified SWHID names, all columns; AnswerIsNo when there is none.

        A qualified SWHID must be the row's own; a core SWHID finds the row of that content.
        """
        kind, identifier = parse_core(swhid)
        if kind != "cnt":
            raise UsageError(f"a row is a content, not {kind!r}: {swhid!r}", hint="expected swh:1:cnt:<40 hex digits>")
        wanted, origin = pl.col("content_id") == identifier, None
        if ";" in swhid:
            wanted, origin = wanted & (pl.col("swhid") == swhid), qualifiers(swhid).get("origin")
        found = self.select().where(wanted, origins=None if origin is None else [origin]).collect(limit=1)
        if found.is_empty():
            raise AnswerIsNo(
                f"{swhid} is not in {self.manifest.name}@{self.manifest.version}",
                hint="`gristmill explain` with the folder of the build says why",
            )
        return found.row(0, named=True)

    def attribution(self, origin: str | None = None) -> Attribution:
        """Whose licence texts the rows rest on, and those texts; of one repository if `origin` (or its name) is given.

        AnswerIsNo with similar names when the release has no row of it, UsageError when several answer to the name,
        ConfigError when the release was made without the table.
        """
        return find_attribution(self.path, self.manifest, origin, checked=self.checked)

    def repository(self, origin: str) -> RepositoryView:
        """Every path of one repository and what stands for it; `origin` may be a full name that only one has.

        AnswerIsNo with similar names when the release holds nothing of it, UsageError when several answer to the name,
        ConfigError when the release does not list its repositories' paths.
        """
        return find_repository(self.path, self.manifest, origin, checked=self.checked)


def repository(release: str | Path | Release, origin: str) -> RepositoryView:
    """Every path of one repository of a release, and what stands for it; see `Release.repository`."""
    opened = release if isinstance(release, Release) else open_release(release)
    return opened.repository(origin)


def attribution(release: str | Path | Release, origin: str | None = None) -> Attribution:
    """Whose licence texts a release's rows rest on, and those texts; see `Release.attribution`."""
    opened = release if isinstance(release, Release) else open_release(release)
    return opened.attribution(origin)


def open_release(path: str | Path, *, verify: Verify = "manifest") -> Release:
    """Open a release folder, or a build's output folder that holds exactly one release.

    `verify`: "manifest" checks the manifest now and each shard when it is first read; "full" checks every
    file now; "none" never checks shards. ConfigError when there is no release, IntegrityError names
    what is damaged.
    """
    if verify not in ("manifest", "full", "none"):
        raise UsageError(f"verify={verify!r}", hint="one of manifest, full, none")
    folder = find_release(path)
    if verify == "full":
        problems = verify_release(folder).problems
        if problems:
            listed = ", ".join(f"{problem.file} ({problem.kind})" for problem in problems[:5])
            raise IntegrityError(f"release {folder} is damaged: {listed}", hint="restore these files from a good copy")
    return Release(folder, load_manifest(folder), checked=verify != "none")


def find_release(path: str | Path) -> Path:
    """`path` if it is a release folder, else the only release in `path/releases`; else ConfigError, UsageError."""
    folder = Path(path)
    if (folder / MANIFEST).is_file():
        return folder
    found = [item.parent for item in sorted(folder.glob(f"releases/*/*/{MANIFEST}")) if item.parent.name[0] != "."]
    if len(found) > 1:
        listed = ", ".join(str(item) for item in found[:10])
        raise UsageError(f"{folder} holds {len(found)} releases", hint=f"choose one: {listed}")
    return found[0] if found else folder


def _listed(names: Names) -> Sequence[str] | None:
    return (names,) if isinstance(names, str) else names
