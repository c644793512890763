"""How every command speaks: data on stdout, all else on stderr, one error shape.

Commands build rows or a document and hand them here; none of them prints.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table

from foundation.canonical import Json
from foundation.errors import GristmillError, UsageError

FORMATS = ("table", "json", "csv")


@dataclasses.dataclass(frozen=True)
class Output:
    """Where a command's words go; `json` makes stdout one JSON document, `quiet` silences notes."""

    json: bool = False
    quiet: bool = False
    stdout: TextIO = dataclasses.field(default_factory=lambda: sys.stdout)
    stderr: TextIO = dataclasses.field(default_factory=lambda: sys.stderr)

    def note(self, text: str) -> None:
        """A line for people, on stderr; silent when quiet."""
        if not self.quiet:
            print(text, file=self.stderr)

    def warn(self, text: str) -> None:
        """A line that matters even when quiet, on stderr."""
        print(f"warning: {text}", file=self.stderr)

    def document(self, value: Mapping[str, Json], *, text: str) -> None:
        """One result: `value` as JSON with --json, else `text`."""
        print(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2) if self.json else text, file=self.stdout)

    def lines(self, lines: Iterable[str]) -> None:
        """A result too long to hold, line by line."""
        for line in lines:
            print(line, file=self.stdout)

    def rows(self, rows: Sequence[Mapping[str, Json]], *, columns: Sequence[str], format: str = "table") -> None:
        """Rows in `format` (table, json, csv; json wins with --json); an empty table says so on stderr."""
        chosen = "json" if self.json else format
        if chosen == "json":
            print(json.dumps([dict(row) for row in rows], ensure_ascii=False, indent=2), file=self.stdout)
        elif chosen == "csv":
            print(_csv(rows, columns), end="", file=self.stdout)
        elif chosen == "table":
            self._table(rows, columns)
        else:
            raise UsageError(f"unknown format {chosen!r}", hint=f"one of {', '.join(FORMATS)}")

    def _table(self, rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> None:
        if not rows:
            self.note("No results found.")
            return
        table = Table(box=None, pad_edge=False)
        for column in columns:
            numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row.get(column)) for column in columns))
        plain_width = None if self.stdout.isatty() else 200
        Console(file=self.stdout, width=plain_width, markup=False, highlight=False).print(table)


def report(error: GristmillError, *, as_json: bool, stderr: TextIO | None = None) -> int:
    """Print `error` to stderr (as JSON with --json) and return its exit code; tracebacks with GRISTMILL_DEBUG."""
    stream = stderr or sys.stderr
    if as_json:
        kind = type(error).__name__
        print(
            json.dumps({"error": kind, "message": error.message, "hint": error.hint, "exit": error.exit_code}),
            file=stream,
        )
    else:
        print(f"error: {error.message}", file=stream)
        if error.hint:
            print(f"hint: {error.hint}", file=stream)
    if os.environ.get("GRISTMILL_DEBUG"):
        raise error
    return error.exit_code


def _cell(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(value))


def printable(text: str) -> str:
    """`text` with control characters escaped, so that a stranger's name cannot drive a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _csv(rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows([dict(row) for row in rows])
    return buffer.getvalue()
