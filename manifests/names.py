"""Matching what a person typed against names that exist, and safe globs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import polars as pl

from foundation.errors import UsageError

_LONGEST_GLOB = 1000


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest of `known`, letter case ignored, or lists the first of them."""
    by_fold = {item.casefold(): item for item in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_fold[close[0]]!r}?"
    listed = sorted(by_fold.values())
    return "known: " + ", ".join(listed[:20]) + (", …" if len(listed) > 20 else "") if listed else "there are none"


def check_columns(columns: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """`columns` without repetitions; UsageError names an unknown one and its nearest name."""
    for column in columns:
        if column not in known:
            raise UsageError(f"unknown column {column!r}", hint=nearest(column, known))
    if not columns:
        raise UsageError("no columns asked for", hint=f"choose from {', '.join(known)}")
    return tuple(dict.fromkeys(columns))


def glob_matches(column: str, glob: str) -> pl.Expr:
    """Whether the text in `column` matches `glob` wholly: `*` is any text (also `/`), `?` one character.

    Everything else is literal; letter case is ignored; null never matches. The regular expression engine
    behind it takes linear time, so no pattern can stall it.
    """
    if not glob or len(glob) > _LONGEST_GLOB:
        raise UsageError(f"a glob has 1 to {_LONGEST_GLOB} characters", hint="for example 'numpy/*'")
    parts = (".*" if char == "*" else "." if char == "?" else pl.escape_regex(char) for char in glob)
    return pl.col(column).str.contains(rf"(?is)\A(?:{''.join(parts)})\z").fill_null(value=False)
