"""Finding a repository in a release's tables, and reading its paths, without reading the rest.

Both tables lie in the part that the origin's hash names; inside a part, row groups without the origin are skipped by
their statistics. Only a name that is not spelled as an origin is searched for in all parts of
`repositories`. Every file is checked against the manifest before it is believed. Memory: one row group, and
the repository's own paths.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from foundation.errors import AnswerIsNo, ConfigError, IntegrityError, UsageError
from foundation.frames import frame
from foundation.layout import table_path
from foundation.origins import name_key, name_keys, origin_key, origin_keys
from foundation.schema import RELEASE_PATHS, RELEASE_REPOSITORIES
from foundation.tables import read_table
from manifests.manifest import Manifest
from manifests.names import nearest
from manifests.selection import check_shard
from manifests.tables import Table, TableFile, part_of

_ALIKE = 3  # similar names shown
_FEW = 10_000  # names that are compared letter by letter to find a similar one
_LONGEST = 16_384


@dataclasses.dataclass(frozen=True)
class Tables:
    """The repository tables of one release; `checked` is whether files are hashed on first use."""

    root: Path
    release: str
    paths: Table
    repositories: Table
    checked: bool

    def state(self, asked: str) -> dict[str, Any]:
        """The RELEASE_REPOSITORIES row of the repository that `asked` names: an origin, or else a full name.

        Letter case, scheme, `www.` and a final `.git` do not count when nothing is spelled exactly so.
        UsageError when several repositories answer to it, AnswerIsNo with similar names when none does.
        """
        if not 0 < len(asked) <= _LONGEST or any("\ud800" <= char <= "\udfff" for char in asked):
            raise UsageError(f"an origin is text of 1 to {_LONGEST} characters", hint="give an URL or owner/name")
        found = self._part(self.repositories, asked, RELEASE_REPOSITORIES)
        if found.is_empty():
            found = self._part(self.repositories, self._spelled(asked), RELEASE_REPOSITORIES)
        return found.row(0, named=True)

    def listed(self, origin: str) -> pl.DataFrame:
        """The RELEASE_PATHS rows of `origin`, in order of path."""
        return self._part(self.paths, origin, RELEASE_PATHS)

    def path_of(self, origin: str) -> Path:
        """The file that lists the paths of `origin`."""
        return self.root / table_path("paths", part_of(origin, self.paths.parts))

    def _part(self, table: Table, origin: str, schema: pa.Schema) -> pl.DataFrame:
        wanted = table_path(table.name, part_of(origin, table.parts))
        empty = frame(schema.empty_table())
        for part in (part for part in table.files if part.path == wanted):
            path = self._checked(part)
            found = [frame(read_table(path, group=group)) for group in groups_with(path, [origin])]
            self._checked(part)
            mine = (rows.filter(pl.col("origin") == origin) for rows in found)
            return pl.concat([empty, *mine], how="diagonal")  # an older release lacks `path_redactions`
        return empty

    def _spelled(self, asked: str) -> str:
        """The one origin that `asked` means although it is spelled otherwise."""
        by_origin = origin_keys(pl.col("origin")) == origin_key(asked)
        wanted = (by_origin | (name_keys(pl.col("repo_name")) == name_key(asked))).fill_null(value=False)
        found = sorted(origin for rows in self._names() for origin in rows.filter(wanted)["origin"])
        if len(found) > 1:
            listed = ", ".join(found[:_ALIKE]) + (", …" if len(found) > _ALIKE else "")
            raise UsageError(
                f"{asked!r} names {len(found)} repositories of {self.release}", hint=f"give the origin: {listed}"
            )
        if found:
            return str(found[0])
        raise AnswerIsNo(
            f"{self.release} holds nothing of {asked!r}",
            hint=self._alike(asked) or "`gristmill explain` with the folder of the build says why",
        )

    def _alike(self, asked: str) -> str:
        """A hint that names origins like `asked`, or an empty string."""
        word = name_key(asked).rstrip("/").rpartition("/")[2]
        if word:
            holds = pl.col("origin").str.to_lowercase().str.contains(word, literal=True)
            found = sorted(origin for rows in self._names() for origin in rows.filter(holds)["origin"].head(_ALIKE))
            if found:
                return f"similar: {', '.join(found[:_ALIKE])}"
        if sum(part.rows for part in self.repositories.files) > _FEW:
            return ""
        hint = nearest(asked, (origin for rows in self._names() for origin in rows["origin"]))
        return hint if hint.startswith("did you mean") else ""

    def _names(self) -> Iterator[pl.DataFrame]:
        """(origin, repo_name) of every repository, a part at a time."""
        for part in self.repositories.files:
            yield frame(read_table(self._checked(part), columns=["origin", "repo_name"]))

    def _checked(self, part: TableFile) -> Path:
        path = self.root / part.path
        if self.checked:
            check_shard(path, part)
        return path


def tables_in(root: Path, manifest: Manifest, *, checked: bool) -> Tables:
    """The repository tables of the release at `root`; ConfigError when it was made without them."""
    release = f"{manifest.name}@{manifest.version}"
    paths, repositories = manifest.table("paths"), manifest.table("repositories")
    if paths is None or repositories is None:
        raise ConfigError(
            f"{release} does not list its repositories' paths",
            hint="build a version with `repository_paths = true` in the recipe's [release]",
        )
    return Tables(root, release, paths, repositories, checked)


def groups_with(path: Path, keys: Sequence[str], *, column: str = "origin") -> list[int]:
    """The row groups of a Parquet file whose `column` may hold any of `keys` (ascending), by its statistics.

    IntegrityError when the footer cannot be read.
    """
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata
            at = [metadata.schema.column(at).path for at in range(metadata.num_columns)].index(column)
            stats = [metadata.row_group(group).column(at).statistics for group in range(metadata.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise IntegrityError(
            f"cannot read the footer of {path}: {error}", hint="run `gristmill release verify` to list all damage"
        ) from error
    return [group for group, held in enumerate(stats) if _may_hold(held, keys)]


def any_between(origins: Sequence[str], low: str, high: str) -> bool:
    """Whether any of `origins` (ascending) is from `low` to `high`."""
    at = bisect_left(origins, low)
    return at < len(origins) and origins[at] <= high


def _may_hold(statistics: Any, origins: Sequence[str]) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return any_between(origins, statistics.min, statistics.max)
