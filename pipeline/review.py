"""The review of licences: which notices of a build a person should read, by how much rests on them.

A notice's *weight* is what names it in its licence evidence: contents that were read (`licence_evidence` of the
contents) and contents that were dropped for their licence before (`evidence` of the decisions); bytes are those of the
originals. Evidence lists at most eight statements a content, so a notice behind those is not counted there.

Cost: one pass over the evidence columns, streamed; memory grows with the notices in doubt and what names them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from foundation.canonical import Json
from foundation.errors import ConfigError, IntegrityError
from manifests.flow_tables import FlowTables, find_tables
from stages import licences

_NOTICE = r'"notice":"([0-9a-f]{64})"'
_AGAIN = "build again with this version: it keeps the notices for the review"


@dataclasses.dataclass(frozen=True)
class DoubtfulNotice:
    """A notice in doubt: why, what was detected, what rests on it, one place where it stands, and its text.

    `text` is in normal form and redacted, cut where `length` (characters) is more, null where it holds a private key;
    `place` is the `origin:path` of the statement, as the first content (by origin and path) that rests on it has it in
    evidence, null where that names none; contents, kept (contents) and bytes are counts.
    """

    notice: str
    doubts: tuple[str, ...]
    expression: str | None
    status: str
    score: float | None
    rule: str | None
    tool: str | None
    contents: int
    kept: int
    bytes: int
    place: str | None
    length: int
    text: str | None

    def to_json(self) -> dict[str, Json]:
        """The same as JSON."""
        return {**dataclasses.asdict(self), "doubts": list(self.doubts)}


@dataclasses.dataclass(frozen=True)
class Review:
    """The doubtful notices of a build, the heaviest first, and how many there are: all, in doubt, reviewed."""

    build: Path
    notices: tuple[DoubtfulNotice, ...]
    total: int
    doubtful: int
    reviewed: int

    def to_json(self) -> dict[str, Json]:
        """The same as JSON."""
        counts = {"total": self.total, "doubtful": self.doubtful, "reviewed": self.reviewed}
        return {"build": str(self.build), "notices": [each.to_json() for each in self.notices], **counts}


def review_licences(directory: str | Path, *, limit: int | None = None) -> Review:
    """The notices in doubt of the build that `directory` belongs to, by (bytes, contents, notice), at most `limit`.

    Notices that an override of the build decides are left out and counted. ConfigError when the build kept no notices.
    """
    tables = find_tables(directory)
    if tables is None or tables.notices is None:
        raise ConfigError(f"{directory} holds no licence notices", hint=_AGAIN)
    try:
        return _review(tables, tables.notices, limit)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise IntegrityError(
            f"cannot read a table of {tables.build}: {type(error).__name__}: {error}", hint="run the build again"
        ) from error


def _review(tables: FlowTables, paths: Sequence[Path], limit: int | None) -> Review:
    notices = _scan(paths).unique("notice", keep="any") if paths else _none()
    counts = notices.select(
        total=pl.len(), doubtful=_in_doubt().sum(), reviewed=pl.col("reviewed").is_not_null().sum()
    ).collect(engine="streaming")
    doubted = notices.filter(_in_doubt()).collect(engine="streaming")
    weighed = doubted.join(_weights(tables, doubted["notice"]), on="notice", how="left").with_columns(
        pl.col("contents", "kept", "bytes").fill_null(0)
    )
    ordered = weighed.sort("bytes", "contents", "notice", descending=[True, True, False])
    chosen = ordered if limit is None else ordered.head(limit)
    found = [_doubtful(row) for row in chosen.to_dicts()]
    total, doubtful, reviewed = (int(counts[name][0]) for name in ("total", "doubtful", "reviewed"))
    return Review(tables.build, tuple(found), total=total, doubtful=doubtful, reviewed=reviewed)


def _doubtful(row: dict[str, Any]) -> DoubtfulNotice:
    names = {field.name for field in dataclasses.fields(DoubtfulNotice)}
    known = {name: value for name, value in row.items() if name in names}
    return DoubtfulNotice(**known | {"doubts": tuple(row["doubts"]), "place": _place(row)})


def _place(row: dict[str, Any]) -> str | None:
    """`origin:path` of the statement in `evidence`; an opted-out copy is not named there, and not here."""
    if row["evidence"] is None:
        return None
    document = json.loads(row["evidence"])
    origin = document["copy"]["origin"] if "copy" in document else row["origin"]
    statements = [document, *document.get("with", [])]
    path = next((each["path"] for each in statements if each.get("notice") == row["notice"]), None)
    return None if origin is None or path is None else f"{origin}:{path}"


def _in_doubt() -> pl.Expr:
    return (pl.col("doubts").list.len() > 0) & pl.col("reviewed").is_null()


def _weights(tables: FlowTables, wanted: pl.Series) -> pl.DataFrame:
    """(notice, contents, kept, bytes, origin, evidence) of the `wanted` notices that some evidence names."""
    decisions = _scan(tables.decisions)
    kept = decisions.filter(pl.col("verdict") == "kept").select("sha1_git", kept=pl.lit(1, pl.Int64))
    evidence = [_read(tables), _dropped(tables, decisions)]
    rows = pl.concat([each for each in evidence if each is not None])
    named = rows.with_columns(notice=pl.col("evidence").str.extract_all(_NOTICE).list.unique()).explode("notice")
    named = named.with_columns(pl.col("notice").str.extract(_NOTICE)).filter(pl.col("notice").is_in(wanted.implode()))
    first = ("origin", "path", "sha1_git")
    grouped = (
        named.join(kept, on="sha1_git", how="left")
        .group_by("notice")
        .agg(
            contents=pl.len().cast(pl.Int64),
            kept=pl.col("kept").sum(),
            bytes=pl.col("length").sum(),
            origin=pl.col("origin").sort_by(first).first(),
            evidence=pl.col("evidence").sort_by(first).first(),
        )
    )
    return grouped.collect(engine="streaming")


def _read(tables: FlowTables) -> pl.LazyFrame | None:
    """Contents that were read: sha1_git, origin, path, length, evidence."""
    if not tables.contents:
        return None
    if not tables.contents_are_whole():
        raise ConfigError(f"{tables.build} lacks parts of its contents", hint="build again: what is left is used")
    columns = ["sha1_git", "origin", "path", "length", pl.col("licence_evidence").alias("evidence")]
    return _scan(tables.contents).select(columns)


def _dropped(tables: FlowTables, decisions: pl.LazyFrame) -> pl.LazyFrame:
    """Contents that were dropped for their licence without being read, likewise."""
    refused = decisions.filter(pl.col("stage") == licences.NAME).select("sha1_git", "origin", "path", "evidence")
    lengths = _scan(tables.occurrences).select("sha1_git", "length").unique("sha1_git", keep="any")
    joined = refused.join(lengths, on="sha1_git", how="left")
    if tables.contents:
        joined = joined.join(_scan(tables.contents).select("sha1_git"), on="sha1_git", how="anti")
    return joined.select("sha1_git", "origin", "path", "length", "evidence")


def _scan(paths: Sequence[Path]) -> pl.LazyFrame:
    return pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)


def _none() -> pl.LazyFrame:
    return pl.from_arrow(licences.NOTICES_KEPT.empty_table()).lazy()  # type: ignore[union-attr]
