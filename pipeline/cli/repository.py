"""`gristmill release repository`: a whole repository as a release holds it, listed or written as a tree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foundation.canonical import Json
from foundation.errors import PartialFailure, UsageError
from manifests import RepositoryFile, RepositoryView, WrittenTree, write_tree
from manifests import repository as find_repository
from pipeline.cli.output import Output, printable

_HELP = """Every path of a repository and what the release holds for it, with a completeness figure.

A path is present as a row of its own (row), as the same bytes kept from another place (identical), as the same redacted
text (exact_duplicate), or because it has no bytes (empty). A near_duplicate only resembles it, with the Jaccard
similarity shown. All else is missing, with the reason. Exits 1, with similar names, when the release holds nothing.

With --out the files that are present are written as a tree, redacted and in UTF-8. Paths that are unsafe, or that the
file system cannot hold, are left out and named; the exit code is then 4.

\b
Examples:
  gristmill release repository out https://github.com/numpy/numpy
  gristmill release repository out/releases/demo/1.0.0 numpy/numpy --json
  gristmill release repository out numpy/numpy --out numpy --near
"""


def repository(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A release, or a build's output folder with one.")],
    origin: Annotated[str, typer.Argument(metavar="ORIGIN", help="An origin, or a full name that only one has.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the files that are present into this new folder.")] = None,
    near: Annotated[bool, typer.Option("--near", help="With --out: also what near duplicates resemble.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")] = False,
) -> None:
    """Run the command; see `_HELP`."""
    output = Output(json=as_json, quiet=quiet)
    if near and out is None:
        raise UsageError("--near says what --out writes", hint="add --out FOLDER, or leave --near out")
    view = find_repository(directory, origin)
    if out is None:
        lines = [_listed(file) for file in view.listing()] if not as_json else []
        output.document(view.to_json() if as_json else {}, text=_text([*lines, *_figures(view)]))
        return
    _save(view, out, output, near=near)


def register(group: typer.Typer) -> None:
    """Add the command to the group `release`."""
    group.command("repository", help=_HELP)(repository)


def _save(view: RepositoryView, out: Path, output: Output, *, near: bool) -> None:
    written = write_tree(view, out, near=near)
    document: dict[str, Json] = {**(view.to_json() if output.json else {}), "written": written.to_json()}
    lines = [f"wrote {written.files:,} files, {written.bytes:,} bytes: {out}"]
    output.document(document, text=_text([*lines, *_left(written), *_figures(view)]))
    if written.not_written:
        raise PartialFailure(
            f"{len(written.not_written)} of the files present could not be written into {out}",
            hint="their paths are listed; read them from Python with manifests.repository(…).files()",
        )


def _left(written: WrittenTree) -> list[str]:
    return [f"not written: {item.path}: {item.why}" for item in written.not_written]


def _listed(file: RepositoryFile) -> str:
    jaccard = "" if file.jaccard is None else f"{file.jaccard:.4f}"
    return f"{file.via or 'missing':<16} {jaccard:<7} {file.path}{f'  ({file.reason})' if file.reason else ''}"


def _figures(view: RepositoryView) -> list[str]:
    counts = view.counts
    missing = "".join(f", {count:,} {reason}" for reason, count in counts.missing.items())
    lines = [
        f"{view.origin} in {view.release}, {view.anchor or 'state unknown'}",
        f"{counts.present:,} of {counts.files:,} files present: completeness {view.completeness:.2%}; "
        f"with {counts.resembled:,} near duplicates {view.completeness_with_near:.2%}",
    ]
    if missing:
        lines.append(f"missing: {missing.removeprefix(', ')}")
    if counts.not_files:
        lines.append("not files: " + ", ".join(f"{count:,} {reason}" for reason, count in counts.not_files.items()))
    return lines


def _text(lines: list[str]) -> str:
    return "\n".join(printable(line) for line in lines)
