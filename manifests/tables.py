"""The repository tables as the manifest states them: what stands for every path of every repository.

Table `paths` (foundation.schema.RELEASE_PATHS) and `repositories` (RELEASE_REPOSITORIES) are cut into the same number
of parts, by a hash of the origin (`part_of`); a part without rows has no file. Invariants, checked in every manifest:
both tables have the same parts; paths are counted by `via`; as many have `via` = `row` as the release has rows; and
the repositories' sums of files present and resembled are the paths'.
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
from foundation.schema import PRESENT_VIAS, RELEASE_PATHS, RELEASE_REPOSITORIES, VIAS
from foundation.tables import read_batches
from manifests.nouns import Column, Noun, Positive, Sha256, check_order
from manifests.summary import columns_of, footer

SCHEMAS: Mapping[str, pa.Schema] = MappingProxyType({"paths": RELEASE_PATHS, "repositories": RELEASE_REPOSITORIES})
NOTHING = "none"  # how `counts` spells a null `via`
_SUMS = ("files", "present", "resembled")
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType({"paths": (*VIAS, NOTHING), "repositories": _SUMS})


class TableFile(Noun):
    """One part of a table: `bytes` is the file's size; `counts` are paths by `via`, or sums over its repositories."""

    path: str
    sha256: Sha256
    rows: Positive
    bytes: Positive
    counts: dict[str, Positive]


class Table(Noun):
    """One repository table: into how many `parts` origins are hashed, its columns, and the parts that have rows."""

    name: Literal["paths", "repositories"]
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
        """Parts lie where their table and number say, in order; counts are the table's, and the paths' add up."""
        check_order((file.path for file in self.files), f"files of {self.name}")
        for number, file in zip(self.numbers, self.files, strict=True):
            if not 0 <= number < self.parts or file.path != table_path(self.name, number):
                raise ValueError(f"{file.path!r} is no place for a part of {self.name}, which has {self.parts}")
            if not file.counts.keys() <= set(_KEYS[self.name]):
                raise ValueError(f"{file.path}: counts {sorted(file.counts)} are not of {_KEYS[self.name]}")
            if self.name == "paths" and sum(file.counts.values()) != file.rows:
                raise ValueError(f"{file.path}: counts do not add up to {file.rows} rows")
        return self


def check_tables(tables: Sequence[Table], *, rows: int) -> None:
    """ValueError unless `tables` are none at all, or both, of one cut, in agreement with each other and `rows`."""
    if not tables:
        return
    if tuple(table.name for table in tables) != TABLES:
        raise ValueError(f"tables are not {TABLES}")
    paths, repositories = tables
    if (paths.parts, paths.numbers) != (repositories.parts, repositories.numbers):
        raise ValueError("tables paths and repositories are not cut alike")
    if paths.total("row") != rows:
        raise ValueError(f"paths point at {paths.total('row')} rows, but the release has {rows}")
    stated = (repositories.total("present"), repositories.total("resembled"))
    if stated != (paths.total(*PRESENT_VIAS), paths.total("near_duplicate")):
        raise ValueError("repositories do not agree with paths")


def part_of(origin: str, parts: int) -> int:
    """The part of both tables that holds `origin`: `foundation.exchange.bucket_of`."""
    return int(bucket_of(pa.array([origin], pa.string()), parts)[0])


def tables_of(root: Path, staged: Sequence[str], parts: int) -> tuple[Table, ...]:
    """The manifest's entries for the staged tables; none when `parts` is 0. InternalError for a wrong part."""
    if not parts:
        return ()
    files = [summarise_part(root / path, path, parts) for path in sorted(staged)]
    return tuple(
        Table(
            name=name,  # type: ignore[arg-type]
            parts=parts,
            columns=columns_of(SCHEMAS[name]),
            files=tuple(file for file in files if file.path.startswith(f"{name}/")),
        )
        for name in TABLES
    )


def summarise_part(path: Path, relative: str, parts: int) -> TableFile:
    """The manifest's entry for one part, read a row group at a time.

    InternalError when its columns are not the table's, when it has no rows, or holds an origin of another part.
    """
    found = TABLE_PATH.fullmatch(relative)
    name, number = (found.group(1), int(found.group(2))) if found else ("", -1)
    if footer(path)[1] != columns_of(SCHEMAS[name]):
        raise InternalError(f"{relative}: its columns are not those of table {name}")
    wanted = ["origin", "via"] if name == "paths" else ["origin", *_SUMS]
    counts: Counter[str] = Counter()
    rows = 0
    for batch in read_batches(path, columns=wanted):
        if (bucket_of(pa.chunked_array([batch["origin"].unique()]), parts) != number).any():
            raise InternalError(f"{relative} holds an origin of another part")
        counts.update(_counts(frame(batch), name))
        rows += batch.num_rows
    if not rows:
        raise InternalError(f"{relative}: a part without rows has no file")
    positive = {key: count for key, count in sorted(counts.items()) if count}
    return TableFile(path=relative, sha256=sha256_file(path), rows=rows, bytes=path.stat().st_size, counts=positive)


def _counts(rows: pl.DataFrame, name: str) -> dict[str, int]:
    if name == "paths":
        return dict(rows.group_by(pl.col("via").fill_null(NOTHING)).len().iter_rows())
    return {column: int(rows[column].sum()) for column in _SUMS}
