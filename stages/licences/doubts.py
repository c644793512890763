"""Which notices a person should read: doubts, and the table of notices that a build keeps for the review.

Output of `kept_notices` (NOTICES_KEPT), one row a distinct notice, in order of `notice`:

    notice      string  key; see `notices.py`
    kind        string  its sort (`notices.py`); the first in order of the alphabet if it stands in several places
    length      int64   characters of its normal form
    text        string  the first MAX_TEXT of them; null where nothing is in doubt
    doubts      list    of DOUBTS, in that order; empty when nothing is in doubt
    expression, status, score, rule, tool   as detected (`detection.py`), whatever an override says
    reviewed    string  canonical JSON of the override that decides it; null without

Invariants: a function of the notices and their detections alone; texts are in normal form and not redacted, so whoever
writes the table redacts them first (`contents.notices`). Cost: polars over the distinct notices of a task.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from foundation import spdx
from foundation.errors import ConfigError
from stages.licences.acceptance import PLACEHOLDERS
from stages.licences.detection import DETECTED, INVALID, NONE, TIMED_OUT, TOOL, UNKNOWN
from stages.licences.overrides import reviewed
from stages.licences.spread import TERMS

DOUBTS: Mapping[str, str] = MappingProxyType(
    {
        "timed_out": "the notice was not read to its end within the time limit",
        "unknown": "it refers to a licence, or holds terms, that no data knows",
        "disputed": "the two sources of the licence classes disagree on a licence in it",
        "low_score": "ScanCode's score is below 80 of 100",
        "approximate": "recognised by likeness, or by a rule that ScanCode is not sure of: a score from 80 to below 95",
    }
)
"""Doubts, the gravest first → what they mean."""

LOW_SCORE = 80.0
"""Below it less than four fifths of a known text, or only clues, were matched: ScanCode's own documents call matches
below 80 likely wrong."""

SURE_SCORE = 95.0
"""From here on less than one word in twenty differs from a text that ScanCode knows (`detection.MIN_COVERAGE`)."""

MAX_TEXT = 16_384

NOTICES_KEPT = pa.schema(
    [
        ("notice", pa.string()),
        ("kind", pa.string()),
        ("length", pa.int64()),
        ("text", pa.string()),
        ("doubts", pa.list_(pa.string())),
        ("expression", pa.string()),
        ("status", pa.string()),
        ("score", pa.float64()),
        ("rule", pa.string()),
        ("tool", pa.string()),
        ("reviewed", pa.string()),
    ]
)


def kept_notices(
    notices: pl.DataFrame, detections: pl.DataFrame, overrides: pl.DataFrame | None = None
) -> pl.DataFrame:
    """NOTICES_KEPT of `notices` (NOTICES) and what was detected in them (DETECTIONS, without overrides)."""
    distinct = notices.sort("notice", "kind").unique("notice", keep="first", maintain_order=True)
    found = detections.select("notice", "expression", "status", "score", "rule", "tool")
    rows = distinct.select("notice", "kind", "text").join(found, on="notice", how="inner", maintain_order="left")
    rows = rows.with_columns(length=pl.col("text").str.len_chars().cast(pl.Int64))
    doubted = rows.with_columns(doubts=doubts(rows))
    text = pl.when(pl.col("doubts").list.len() > 0).then(pl.col("text").str.slice(0, MAX_TEXT))
    marks = reviewed(doubted.select("notice", "expression", "status", "score", "rule", "tool"), overrides)
    return doubted.with_columns(text=text, reviewed=marks["reviewed"]).select(NOTICES_KEPT.names)


def doubts(rows: pl.DataFrame) -> pl.Series:
    """The doubts about each row (kind, length, expression, status, score, tool), a list of strings."""
    strange = {text: _unknown(text) for text in rows["expression"].unique().drop_nulls()}
    disputed = spdx.licence_data().disputed
    argued = {text: not disputed.isdisjoint(_ids(text)) for text in strange}
    expression, heard = pl.col("expression"), pl.col("status").is_in([DETECTED, UNKNOWN, INVALID])
    unread = (pl.col("kind") == "text") & (pl.col("status") == NONE) & (pl.col("length") >= TERMS)
    placeholder = expression.replace_strict(strange, default=False, return_dtype=pl.Boolean)
    known = heard & (pl.col("tool") == TOOL)
    conditions = {
        "timed_out": pl.col("status") == TIMED_OUT,
        "unknown": unread | (heard & placeholder),
        "disputed": heard & expression.replace_strict(argued, default=False, return_dtype=pl.Boolean),
        "low_score": known & (pl.col("score") < LOW_SCORE),
        "approximate": known & pl.col("score").is_between(LOW_SCORE, SURE_SCORE, closed="left"),
    }
    named = [pl.when(hit.fill_null(value=False)).then(pl.lit(name)) for name, hit in conditions.items()]
    return rows.select(doubts=pl.concat_list(named).list.drop_nulls())["doubts"]


def _ids(expression: str) -> frozenset[str]:
    try:
        return frozenset(name.removesuffix("+") for name in spdx.identifiers(expression))
    except ConfigError:
        return frozenset()


def _unknown(expression: str) -> bool:
    """Whether some id in `expression` has no terms that are known; exceptions that stand alone have some."""
    data = spdx.licence_data()
    named = _ids(expression)
    known = {name for name in named if name in data.classes or name in data.ignorable or name.lower() in data.names}
    return not named or bool(named & PLACEHOLDERS) or named != known
