"""The tables beside the shards, as the manifest states them.

`attribution`, `licences`, `languages`, `paths` and `repositories` (their schemas: foundation.schema.RELEASE_*) are cut
into parts by a hash of their key (foundation.layout.TABLES, `part_of`); a part without rows has no file. Each file is
counted: paths by `via`, licence texts by kind, languages by type; repositories and attribution by sums of columns.
Invariants, checked in every manifest:

- `paths` and `repositories` are there both or not at all, of one cut; as many paths have `via` = `row` as the release
  has rows; the repositories' sums of files present and resembled are the paths';
- `attribution` and `licences` are there both or not at all; the notices that lead (`leading`) add up to the release's
  rows (that every text attribution points at is there, the build checks when it lists the texts);
- `languages` has at least as many rows as there are languages among the release's rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

import polars as pl
import pyarrow as pa
from pydantic import model_validator

from foundation.canonical import sha256_file
from foundation.errors import InternalError
from foundation.exchange import bucket_of
from foundation.frames import frame
from foundation.layout import TABLE_PATH, TABLES, table_path
from foundation.schema import (
    LICENCE_TEXT_KINDS,
    PRESENT_VIAS,
    RELEASE_ATTRIBUTION,
    RELEASE_LANGUAGES,
    RELEASE_LICENCES,
    RELEASE_PATHS,
    RELEASE_REPOSITORIES,
    VIAS,
)
from foundation.tables import read_batches
from manifests.nouns import Column, Noun, Positive, Sha256, check_order
from manifests.summary import columns_of, footer

SCHEMAS: Mapping[str, pa.Schema] = MappingProxyType(
    {
        "attribution": RELEASE_ATTRIBUTION,
        "languages": RELEASE_LANGUAGES,
        "licences": RELEASE_LICENCES,
        "paths": RELEASE_PATHS,
        "repositories": RELEASE_REPOSITORIES,
    }
)
NOTHING = "none"  # how `counts` spells a null `via`
_COUNTED = {"languages": "type", "licences": "kind", "paths": "via"}  # rows by the values of a column
_SUMMED = {"attribution": ("files", "leading"), "repositories": ("files", "present", "resembled")}
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "languages": ("data", "markup", "programming", "prose"),
        "licences": LICENCE_TEXT_KINDS,
        "paths": (*VIAS, NOTHING),
        **_SUMMED,
    }
)
_TOGETHER = (("attribution", "licences"), ("paths", "repositories"))


class TableFile(Noun):
    """One part of a table: `bytes` is the file's size; `counts` are its rows by a column's values, or columns' sums."""

    path: str
    sha256: Sha256
    rows: Positive
    bytes: Positive
    counts: dict[str, Positive]


class Table(Noun):
    """One table: into how many `parts` its keys are hashed, its columns, and the parts that have rows."""

    name: Literal["attribution", "languages", "licences", "paths", "repositories"]
    parts: Positive
    columns: tuple[Column, ...]
    files: tuple[TableFile, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the parts that have rows."""
        found = (TABLE_PATH.fullmatch(file.path) for file in self.files)
        return tuple(int(match.group(2)) if match else -1 for match in found)

    def total(self, *counts: str) -> int:
        """The sum of the named counts over all parts."""
        return sum(file.counts.get(name, 0) for file in self.files for name in counts)

    @model_validator(mode="after")
    def check_files(self) -> Self:
        """Parts lie where their table and number say, in order; counts are the table's, and those of rows add up."""
        check_order((file.path for file in self.files), f"files of {self.name}")
        for number, file in zip(self.numbers, self.files, strict=True):
            if not 0 <= number < self.parts or file.path != table_path(self.name, number):
                raise ValueError(f"{file.path!r} is no place for a part of {self.name}, which has {self.parts}")
            if not file.counts.keys() <= set(_KEYS[self.name]):
                raise ValueError(f"{file.path}: counts {sorted(file.counts)} are not of {_KEYS[self.name]}")
            if self.name in _COUNTED and sum(file.counts.values()) != file.rows:
                raise ValueError(f"{file.path}: counts do not add up to {file.rows} rows")
        return self


def check_tables(tables: Sequence[Table], *, rows: int, languages: int) -> None:
    """ValueError unless `tables` are in order, complete, and in agreement with each other and the release.

    The release has `rows` rows in so many `languages` (undecided ones aside).
    """
    check_order((table.name for table in tables), "tables")
    named = {table.name: table for table in tables}
    for one, other in _TOGETHER:
        if (one in named) != (other in named):
            raise ValueError(f"tables {one} and {other} belong together")
    if "attribution" in named and named["attribution"].total("leading") != rows:
        raise ValueError(f"attribution leads {named['attribution'].total('leading')} rows, the release has {rows}")
    if "languages" in named and sum(file.rows for file in named["languages"].files) < languages:
        raise ValueError(f"table languages does not have all of {languages} languages")
    if "paths" in named:
        _check_repositories(named["paths"], named["repositories"], rows=rows)


def _check_repositories(paths: Table, repositories: Table, *, rows: int) -> None:
    if (paths.parts, paths.numbers) != (repositories.parts, repositories.numbers):
        raise ValueError("tables paths and repositories are not cut alike")
    if paths.total("row") != rows:
        raise ValueError(f"paths point at {paths.total('row')} rows, but the release has {rows}")
    stated = (repositories.total("present"), repositories.total("resembled"))
    if stated != (paths.total(*PRESENT_VIAS), paths.total("near_duplicate")):
        raise ValueError("repositories do not agree with paths")


def part_of(key: str, parts: int) -> int:
    """The part of a table that holds `key` (an origin, a text's hash): `foundation.exchange.bucket_of`."""
    return int(bucket_of(pa.array([key], pa.string()), parts)[0])


def tables_of(root: Path, staged: Sequence[str], parts: Mapping[str, int]) -> tuple[Table, ...]:
    """The manifest's entries for the staged tables, `parts` of each; InternalError for a wrong part."""
    return tuple(
        Table(
            name=name,  # type: ignore[arg-type]
            parts=parts[name],
            columns=columns_of(SCHEMAS[name]),
            files=tuple(
                summarise_part(root / path, path, parts[name]) for path in sorted(staged) if path.startswith(f"{name}/")
            ),
        )
        for name in TABLES
        if name in parts
    )


def summarise_part(path: Path, relative: str, parts: int) -> TableFile:
    """The manifest's entry for one part, read a row group at a time.

    InternalError when its columns are not the table's, when it has no rows, or holds a key of another part.
    """
    found = TABLE_PATH.fullmatch(relative)
    name, number = (found.group(1), int(found.group(2))) if found else ("", -1)
    if footer(path)[1] != columns_of(SCHEMAS[name]):
        raise InternalError(f"{relative}: its columns are not those of table {name}")
    key = TABLES[name]
    wanted = [key, *([_COUNTED[name]] if name in _COUNTED else _SUMMED[name])]
    counts: Counter[str] = Counter()
    rows = 0
    for batch in read_batches(path, columns=wanted):
        if (bucket_of(pa.chunked_array([batch[key].unique()]), parts) != number).any():
            raise InternalError(f"{relative} holds {'an' if key == 'origin' else 'a'} {key} of another part")
        counts.update(_counts(frame(batch), name))
        rows += batch.num_rows
    if not rows:
        raise InternalError(f"{relative}: a part without rows has no file")
    positive = {key: count for key, count in sorted(counts.items()) if count}
    return TableFile(path=relative, sha256=sha256_file(path), rows=rows, bytes=path.stat().st_size, counts=positive)


def _counts(rows: pl.DataFrame, name: str) -> dict[str, int]:
    if name in _COUNTED:
        return dict(rows.group_by(pl.col(_COUNTED[name]).fill_null(NOTHING)).len().iter_rows())
    return {column: int(rows[column].sum()) for column in _SUMMED[name]}
