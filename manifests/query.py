"""Asking a release for rows: by language, licence and repository, with counts of what was looked at.

Every answer states how many rows matched, how many were scanned and whether rows were left out. The rows
and their order depend on the release and the question alone.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from foundation.canonical import Json
from foundation.errors import UsageError
from manifests.release import Names, Verify, open_release
from manifests.selection import Selection

DEFAULT_COLUMNS = (
    "path",
    "repo_name",
    "language",
    "license_type",
    "licence_expression",
    "length_bytes",
    "swhid",
)
"""What a query returns unless asked otherwise; the content only comes when it is named."""

_ISO = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclasses.dataclass(frozen=True)
class Coverage:
    """What an answer covers: `shown` rows of `matched`, found by reading `scanned` rows of `shards` shards.

    `of_rows` and `of_shards` are the whole release's; `release` is `<name>@<version>`.
    """

    release: str
    shown: int
    matched: int
    scanned: int
    shards: int
    of_rows: int
    of_shards: int

    @property
    def truncated(self) -> bool:
        """Whether rows matched that are not shown."""
        return self.shown < self.matched

    @property
    def line(self) -> str:
        """One line for people: matched, scanned, truncated."""
        cut = f"showing {self.shown:,} (truncated; raise --limit)" if self.truncated else f"showing all {self.shown:,}"
        return (
            f"{self.release}: matched {self.matched:,} · scanned {self.scanned:,} of {self.of_rows:,} rows"
            f" in {self.shards:,} of {self.of_shards:,} shards · {cut}"
        )


@dataclasses.dataclass(frozen=True)
class Result:
    """The answer: `rows`, at most as many as the limit, and what they cover."""

    rows: pl.DataFrame
    coverage: Coverage

    @property
    def matched(self) -> int:
        """Rows that match, shown or not."""
        return self.coverage.matched

    @property
    def scanned(self) -> int:
        """Rows of the shards that were read."""
        return self.coverage.scanned

    @property
    def truncated(self) -> bool:
        """Whether rows matched that are not in `rows`."""
        return self.coverage.truncated


@dataclasses.dataclass(frozen=True)
class Question:
    """A checked question about one release: what to read, and at most how many rows (None: all)."""

    release: str
    selection: Selection
    limit: int | None

    def frames(self) -> Iterator[pl.DataFrame]:
        """The answer's rows, a frame a shard; for answers that do not fit in memory."""
        return self.selection.frames(limit=self.limit)

    def answer(self) -> Result:
        """Read the answer."""
        rows = self.selection.collect(limit=self.limit)
        return Result(rows, self.coverage(rows.height))

    def coverage(self, shown: int) -> Coverage:
        """What an answer of `shown` rows covers; counts the matches only when the limit cut them."""
        totals, chosen = self.selection.manifest.totals, self.selection
        whole = self.limit is None or shown < self.limit
        return Coverage(
            release=self.release,
            shown=shown,
            matched=shown if whole else chosen.count(),
            scanned=chosen.rows,
            shards=len(chosen.shards),
            of_rows=totals.rows,
            of_shards=totals.shards,
        )


def ask(
    release: str | Path,
    *,
    language: Names = None,
    licence: Names = None,
    repository: Names = None,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    verify: Verify = "manifest",
) -> Question:
    """Check a question without reading data; arguments as in `query`."""
    if limit is not None and limit < 0:
        raise UsageError(f"limit {limit} is negative", hint="leave it out for all rows")
    opened = open_release(release, verify=verify)
    selection = opened.select(
        languages=language,
        licences=licence,
        repositories=repository,
        columns=DEFAULT_COLUMNS if columns is None else columns,
    )
    return Question(f"{opened.manifest.name}@{opened.manifest.version}", selection, limit)


def query(
    release: str | Path,
    *,
    language: Names = None,
    licence: Names = None,
    repository: Names = None,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    verify: Verify = "manifest",
) -> Result:
    """The rows of `release` in these languages, under these licences, of these repositories.

    language: the manifest's name in any case, or `none`. licence: an SPDX query (`MIT`, `permissive`,
    `Apache-2.0 OR MIT`). repository: a glob on `repo_name` in any case. Several of one kind: any of them. columns
    default to DEFAULT_COLUMNS; limit None is all. UsageError names what is unknown and the nearest name.
    """
    return ask(
        release,
        language=language,
        licence=licence,
        repository=repository,
        columns=columns,
        limit=limit,
        verify=verify,
    ).answer()


def json_rows(rows: pl.DataFrame) -> list[dict[str, Json]]:
    """Rows as JSON values: timestamps ISO-8601 UTC, binary as base64, NaN as null, nested values kept."""
    plain: list[dict[str, Json]] = _plain(rows).to_dicts()
    return plain


def flat_rows(rows: pl.DataFrame) -> list[dict[str, Json]]:
    """As `json_rows`, with lists and structs as JSON text, for tables and CSV."""
    nested = [name for name, kind in rows.schema.items() if kind.is_nested()]
    return [{**row, **{name: _text(row[name]) for name in nested if row[name] is not None}} for row in json_rows(rows)]


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        [pl.col(name).dt.to_string(_ISO) for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
        + [pl.col(name).bin.encode("base64") for name, kind in rows.schema.items() if kind == pl.Binary]
        + [pl.col(name).fill_nan(None) for name, kind in rows.schema.items() if kind.is_float()]
    )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
