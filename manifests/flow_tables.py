"""The tables of a build, for point look-ups.

`tables.json` in the build's folder lists the Parquet parts of each table. Every look-up is a lazy scan
with its filter pushed down, so memory is the matching rows; cost is a pass over the columns of the filter,
less the row groups whose statistics rule them out. Texts are read from the row groups that hold them, one
row group at a time: that is the bound of memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, ValidationError

from foundation.errors import ConfigError, IntegrityError, UsageError
from foundation.frames import frame
from foundation.schema import DECISIONS, OCCURRENCES, REPOSITORIES
from foundation.tables import group_count, read_table
from manifests.manifest import MANIFEST, first_problem, load_manifest
from manifests.release import find_release

TABLES = "tables.json"
FIRST = 20
Row: TypeAlias = "dict[str, Any]"


class _Listing(BaseModel):
    """tables.json; tables that are not looked up here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    repositories: tuple[str, ...]
    occurrences: tuple[str, ...]
    decisions: tuple[str, ...]
    contents: tuple[str, ...] = ()
    notices: tuple[str, ...] | None = None
    release: str | None = None


@dataclasses.dataclass(frozen=True)
class FlowTables:
    """The repositories, occurrences, decisions and contents of one finished build, and where its release is.

    The contents may be gone: they are the largest of a build's tables, and only texts are looked up there. `notices`
    are the licence notices that the build kept for the review; None for a build that kept none.
    """

    build: Path
    repositories: tuple[Path, ...]
    occurrences: tuple[Path, ...]
    decisions: tuple[Path, ...]
    contents: tuple[Path, ...]
    release: Path | None
    notices: tuple[Path, ...] | None = None

    def repositories_named(self, names: Sequence[str]) -> list[Row]:
        """Repositories whose origin or name is one of `names`, by origin."""
        wanted = pl.col("origin").is_in(names) | pl.col("repo_name").is_in(names)
        return _rows(_scan(self.repositories, REPOSITORIES).filter(wanted).sort("origin"))

    def repositories_like(self, word: str) -> list[str]:
        """At most three origins that contain `word`, letter case ignored."""
        wanted = pl.col("origin").str.to_lowercase().str.contains(word.lower(), literal=True)
        found = _scan(self.repositories, REPOSITORIES).select("origin").filter(wanted).sort("origin").head(3)
        return [row["origin"] for row in _rows(found)]

    def occurrences_at(self, origin: str, paths: Sequence[bytes]) -> list[Row]:
        """Occurrences in `origin` at any of `paths`."""
        wanted = (pl.col("origin") == origin) & pl.col("path").is_in(list(paths))
        return _rows(_scan(self.occurrences, OCCURRENCES).filter(wanted).sort("path"))

    def occurrences_renamed(self, origin: str) -> list[Row]:
        """Occurrences in `origin` in whose path something was redacted (`path_redactions` of each is not null)."""
        rows = _scan(self.occurrences, OCCURRENCES)
        if "path_redactions" not in rows.collect_schema().names():
            return []
        wanted = (pl.col("origin") == origin) & pl.col("path_redactions").is_not_null()
        return _rows(rows.filter(wanted).sort("path"))

    def occurrences_where(self, column: str, value: str) -> tuple[int, list[Row]]:
        """How many occurrences have `value` in `column`, and the first FIRST of them by (origin, path)."""
        found = _scan(self.occurrences, OCCURRENCES).filter(pl.col(column) == value)
        count = _rows(found.select(pl.len().alias("count")))[0]["count"]
        return count, _rows(found.sort("origin", "path").head(FIRST))

    def decision(self, sha1_git: str) -> Row | None:
        """The decision about a content, or None when the catalog never held it."""
        found = _rows(_scan(self.decisions, DECISIONS).filter(pl.col("sha1_git") == sha1_git).head(1))
        return found[0] if found else None

    def texts(self, identifiers: Sequence[str]) -> dict[str, str | None]:
        """The redacted text of each sha1_git that the contents hold; None for one that was refused unread."""
        present = [part for part in self.contents if part.is_file()]
        if not present:
            return {}
        parts = pl.scan_parquet(present, glob=False, hive_partitioning=False, include_file_paths="_file")
        found = _rows(parts.filter(pl.col("sha1_git").is_in(identifiers)).select("_file").unique())
        holding = {row["_file"] for row in found}
        texts: dict[str, str | None] = {}
        for part in (part for part in present if str(part) in holding):
            texts |= _texts_in(part, identifiers)
        return texts

    def contents_are_whole(self) -> bool:
        """Whether every part of the contents is still there."""
        return bool(self.contents) and all(part.is_file() for part in self.contents)


def find_tables(path: str | Path) -> FlowTables | None:
    """The build that `path` belongs to: its own folder, an output folder with one build, or a release's.

    None for a release whose build is not beside it; ConfigError when `path` is none of these, UsageError when
    there are several builds to choose from.
    """
    folder = Path(path)
    if (folder / TABLES).is_file():
        return load_tables(folder)
    builds = [item.parent for item in sorted(folder.glob(f"builds/*/{TABLES}"))]
    if len(builds) > 1:
        listed = ", ".join(str(build) for build in builds[:10])
        raise UsageError(f"{folder} holds {len(builds)} builds", hint=f"choose one: {listed}")
    if builds:
        return load_tables(builds[0])
    release = find_release(folder)
    if not (release / MANIFEST).is_file():
        raise ConfigError(
            f"{folder} is neither a build, nor an output folder, nor a release",
            hint="finish the build first; it writes tables.json at its end",
        )
    return _beside(release.resolve())


def _beside(release: Path) -> FlowTables | None:
    build = release.parent.parent.parent / "builds" / load_manifest(release).name
    if not (build / TABLES).is_file():
        return None
    tables = load_tables(build)
    return tables if tables.release == release else None


def load_tables(build: Path) -> FlowTables:
    """Read `tables.json`; IntegrityError when it is damaged or names files outside the build."""
    path = build / TABLES
    try:
        listing = _Listing.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise IntegrityError(f"{path}: {first_problem(error)}", hint="run the build again: it rewrites it") from None
    return FlowTables(
        build=build,
        repositories=_inside(build, listing.repositories),
        occurrences=_inside(build, listing.occurrences),
        decisions=_inside(build, listing.decisions),
        contents=_inside(build, listing.contents),
        notices=None if listing.notices is None else _inside(build, listing.notices),
        release=None if listing.release is None else (build / listing.release).resolve(),
    )


def _inside(build: Path, paths: Sequence[str]) -> tuple[Path, ...]:
    for path in paths:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise IntegrityError(f"{build / TABLES}: {path!r} is outside the build", hint="run the build again")
    return tuple(build / path for path in paths)


def _scan(paths: Sequence[Path], schema: pa.Schema) -> pl.LazyFrame:
    if not paths:
        return frame(schema.empty_table()).lazy()
    return pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)


def _texts_in(part: Path, identifiers: Sequence[str]) -> dict[str, str | None]:
    wanted = pa.array(identifiers, pa.string())
    texts: dict[str, str | None] = {}
    for group in range(group_count(part)):
        ids = read_table(part, columns=["sha1_git"], group=group)["sha1_git"]
        here = pc.is_in(ids, value_set=wanted)
        if pc.any(here).as_py():
            column = read_table(part, columns=["text"], group=group)["text"]
            texts |= zip(ids.filter(here).to_pylist(), column.filter(here).to_pylist(), strict=True)
    return texts


def _rows(rows: pl.LazyFrame) -> list[Row]:
    try:
        return rows.collect(engine="streaming").to_dicts()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise IntegrityError(
            f"cannot read a table of the build: {type(error).__name__}: {error}", hint="run the build again"
        ) from error
