"""Overrides: what people, having read a notice, say that it means.

An overrides file is TOML, one table an entry:

    [[override]]
    notice = "5d4e…"             # SHA-256 (hex) of the notice, as `gristmill review licences` names it
    expression = "BSD-3-Clause"  # SPDX, or NONE: the notice states no licence
    reviewer = "Ada Mill"
    date = 2026-11-23
    reason = "BSD-3-Clause with the holder's name in the third clause"

`reviewed` puts entries in the place of what was detected, after detection and before any licence is settled, so that
no memo ever holds one. The table that tasks read (OVERRIDES), in order of `notice`:

    notice      string  key
    expression  string  null: the notice states no licence
    reviewed    string  canonical JSON {"by", "date", "reason"}, as evidence shows it
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import pyarrow as pa
import pydantic

from foundation import spdx
from foundation.canonical import canonical_json
from foundation.errors import ConfigError

OVERRIDES = pa.schema([("notice", pa.string()), ("expression", pa.string()), ("reviewed", pa.string())])
NOTHING = "NONE"
REVIEW_RULE, REVIEW_TOOL = "reviewed", "review"
MAX_FILE = 16 << 20
_DETECTED, _NONE = "detected", "none"  # `detection`'s words


def _day(given: object) -> object:
    """A TOML date or `YYYY-MM-DD`; numbers and times of day are refused, which pydantic would take for days."""
    if isinstance(given, dt.date | str) and not isinstance(given, dt.datetime):
        return given
    raise ValueError("expected a day, YYYY-MM-DD")


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("expected words on one line, without control characters")
    return text.strip()


Line = Annotated[str, pydantic.Field(min_length=1, max_length=1000), pydantic.AfterValidator(_line)]


class Override(pydantic.BaseModel):
    """What people say of licence notices: `overrides = "FILE"` names a TOML file, relative to the recipe, whose
    `[[override]]` tables have these keys (docs/guide-licences.md). Its content belongs to the recipe, not its place.

    notice: SHA-256 of the notice, as `gristmill review licences` names it. expression: the SPDX expression that the
    notice stands for, or NONE. reviewer: who says so. date: the day of the review. reason: why, on one line.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    notice: Annotated[str, pydantic.Field(pattern=r"^[0-9a-f]{64}$")]
    expression: str
    reviewer: Line
    date: Annotated[dt.date, pydantic.BeforeValidator(_day)]
    reason: Line

    @pydantic.field_validator("expression")
    @classmethod
    def _spdx(cls, given: str) -> str:
        if given.strip().upper() == NOTHING:
            return NOTHING
        try:
            return spdx.normalise(given)
        except ConfigError as error:
            wrong = spdx.wrong_id(given)
            near = f"; the nearest id is {spdx.nearest(wrong)}" if wrong else f"; {error.hint}"
            raise ValueError(f"{error.message}{near}, and NONE says that it is no licence") from None


def read_overrides(path: str | Path) -> tuple[Override, ...]:
    """The entries of an overrides file, by notice; ConfigError names the file, the entry and the key."""
    path = Path(path)
    try:
        data = path.read_bytes()
        if len(data) > MAX_FILE:
            raise ConfigError(f"{path}: {len(data)} bytes, at most {MAX_FILE} are read", hint="split the review")
        document = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read the overrides {path}: {error.strerror}", hint="[licences] overrides names a file"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", hint="write [[override]] tables, in UTF-8") from error
    entries = document.pop("override", [])
    if document or not isinstance(entries, list):
        strange = ", ".join(sorted(document)) or "override"
        raise ConfigError(f"{path}: cannot read {strange!r}", hint="the file holds [[override]] tables alone")
    found = sorted((_entry(path, number, entry) for number, entry in enumerate(entries, 1)), key=lambda e: e.notice)
    return tuple(found)


def _entry(path: Path, number: int, entry: Any) -> Override:
    try:
        return Override.model_validate(entry)
    except pydantic.ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"])) or "entry"
        said = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{path}: override {number}: {key}: {said}",
            hint="an entry has notice (64 hex digits), expression, reviewer, date and reason",
        ) from None


def overrides_table(entries: Sequence[Override]) -> pa.Table:
    """OVERRIDES of `entries`."""
    rows = [
        {
            "notice": entry.notice,
            "expression": None if entry.expression == NOTHING else entry.expression,
            "reviewed": canonical_json(
                {"by": entry.reviewer, "date": entry.date.isoformat(), "reason": entry.reason}
            ).decode(),
        }
        for entry in sorted(entries, key=lambda entry: entry.notice)
    ]
    return pa.Table.from_pylist(rows, schema=OVERRIDES)


def reviewed(detections: pl.DataFrame, overrides: pl.DataFrame | None = None) -> pl.DataFrame:
    """DETECTIONS with a column `reviewed`: where OVERRIDES have a notice, what they say stands; row order is kept."""
    if overrides is None or not overrides.height:
        return detections.with_columns(reviewed=pl.lit(None, pl.String))
    said = overrides.select("notice", "reviewed", meant="expression")
    joined = detections.join(said, on="notice", how="left", maintain_order="left")
    theirs = pl.col("reviewed").is_not_null()
    nothing = pl.col("meant").is_null()
    return joined.with_columns(
        expression=pl.when(theirs).then("meant").otherwise("expression"),
        status=pl.when(theirs & nothing).then(pl.lit(_NONE)).when(theirs).then(pl.lit(_DETECTED)).otherwise("status"),
        score=pl.when(~theirs).then("score"),
        rule=pl.when(theirs).then(pl.lit(REVIEW_RULE)).otherwise("rule"),
        tool=pl.when(theirs).then(pl.lit(REVIEW_TOOL)).otherwise("tool"),
    ).drop("meant")
