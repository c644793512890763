"""`gristmill query`: rows of a release by language, licence and repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foundation.errors import UsageError
from manifests import DEFAULT_COLUMNS, Coverage, Question, ask, flat_rows, json_rows, write_answer
from pipeline.cli.output import Output

_FORMATS = ("table", "json", "csv", "parquet")
_SHOWN = 100
_HELP = """Rows of a release by language, licence and repository.

Reads only the shards that can hold an answer, and checks their checksums. What matched, what was read and
whether rows were left out goes to stderr.

\b
Examples:
  gristmill query out --language Python --license permissive
  gristmill query out/releases/demo/1.0.0 --license 'Apache-2.0 OR MIT' --repo 'numpy/*'
  gristmill query out --language Rust --columns path,content --limit 5 --format json
  gristmill query out --license MIT --format parquet --out mit.parquet
"""


def query(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A release, or a build's output folder that holds one.")
    ],
    *,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="Linguist's name, in any case; 'none' for undecided. Repeatable."),
    ] = None,
    licence: Annotated[
        list[str] | None,
        typer.Option("--license", help="SPDX expression or a class (permissive, …). Repeatable: any of them."),
    ] = None,
    repo: Annotated[
        list[str] | None, typer.Option("--repo", help="Glob on the repository's name; * and ?. Repeatable.")
    ] = None,
    columns: Annotated[str | None, typer.Option(help="Columns, separated by commas.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help=f"Most rows to return [default: {_SHOWN}; all with --out].")
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(help="table, json, csv or parquet [default: table; with --out its suffix].")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the rows to this file instead of stdout.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")] = False,
) -> None:
    """Run the command; see `_HELP`."""
    output = Output(json=as_json, quiet=quiet)
    chosen = _format(format, out, as_json=as_json)
    question = ask(
        directory,
        language=language or None,
        licence=licence or None,
        repository=repo or None,
        columns=None if columns is None else [name.strip() for name in columns.split(",") if name.strip()],
        limit=limit if limit is not None or out is not None else _SHOWN,
    )
    covered = _show(question, output, chosen) if out is None else _save(question, out, chosen)
    output.note(covered.line)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("query", help=_HELP)(query)


def _format(asked: str | None, out: Path | None, *, as_json: bool) -> str:
    if as_json and asked not in (None, "json"):
        raise UsageError(f"--json and --format {asked} contradict each other", hint="give one of them")
    suffix = out.suffix.removeprefix(".") if out is not None else ""
    chosen = "json" if as_json else asked or (suffix if suffix in _FORMATS[1:] else "table")
    if chosen not in _FORMATS:
        raise UsageError(f"unknown format {chosen!r}", hint=f"one of {', '.join(_FORMATS)}")
    if chosen == "parquet" and out is None:
        raise UsageError("parquet cannot go to stdout", hint="add --out FILE")
    if chosen == "table" and out is not None:
        raise UsageError("a table cannot go to a file", hint="choose --format json, csv or parquet")
    return chosen


def _show(question: Question, output: Output, chosen: str) -> Coverage:
    result = question.answer()
    rows = json_rows(result.rows) if chosen == "json" else flat_rows(result.rows)
    if chosen == "table" and result.rows.columns == list(DEFAULT_COLUMNS):
        rows = [{**row, "swhid": str(row["swhid"]).partition(";")[0]} for row in rows]  # the rest is in other columns
    output.rows(rows, columns=result.rows.columns, format=chosen)
    return result.coverage


def _save(question: Question, out: Path, chosen: str) -> Coverage:
    return question.coverage(write_answer(question, out, format=chosen))
