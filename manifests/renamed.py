"""Files that are asked for by a path in which redaction replaced something.

A build and its release show such a path with numbered placeholders, and nothing holds the one in the archive. So the
path asked for is redacted too, and compared without the numbers, which only all paths of a repository give.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import polars as pl

from foundation.errors import UsageError
from manifests.flow_tables import FlowTables, Row
from manifests.identifiers import Named, path_bytes, path_text

Redacted: TypeAlias = Callable[[bytes], bytes]
"""How a path is shown, its placeholders without numbers: `stages.redaction.redact_name` with the build's settings."""

_NUMBER = r"<([A-Z][A-Z0-9_]*)_[0-9]+>"
_FEW = 5


def plain_name(path: str, redacted: Redacted) -> str:
    """`path` as text, redacted, without numbers."""
    return path_text(redacted(path_bytes(path)[-1]))


def alike(plain: str) -> pl.Expr:
    """Whether a release's row has a path that was redacted to `plain`, numbers aside."""
    was_redacted = pl.col("path_redactions").list.len().fill_null(0) > 0
    return was_redacted & (pl.col("path").str.replace_all(_NUMBER, "<$1>") == plain)


def shown(tables: FlowTables, named: Named, redacted: Redacted) -> Named:
    """`named` with every path as the tables of the build spell it, in its text too.

    UsageError when several paths of the repository differ in nothing but what was redacted.
    """
    readings, text = [], named.text
    for name, path in named.readings:
        new = path if path is None else _spelled(tables, name, path, redacted)
        readings.append((name, new))
        if path is not None and new != path:
            text = text.replace(path_text(path_bytes(path)[0]), str(new))
    return dataclasses.replace(named, text=text, readings=tuple(readings))


def _spelled(tables: FlowTables, name: str, path: str, redacted: Redacted) -> str:
    plain = plain_name(path, redacted)
    if plain == path_text(path_bytes(path)[-1]):
        return path
    origins = [row["origin"] for row in tables.repositories_named([name])]
    rows = [row for origin in origins for row in tables.occurrences_renamed(origin)]
    found = sorted({path_text(row["path"]) for row in rows if _without_numbers(row) == plain})
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} paths of {name} are {plain!r} once they are redacted",
            hint=f"ask for one of them: {', '.join(found[:_FEW])}",
        )
    return found[0] if found else plain


def _without_numbers(occurrence: Row) -> str:
    """The path of an occurrence with plain placeholders in it."""
    text = path_text(occurrence["path"])
    for span in reversed(occurrence["path_redactions"]):
        plain = text[span["start"] : span["end"]].rpartition("_")[0] + ">"
        text = text[: span["start"]] + plain + text[span["end"] :]
    return text
