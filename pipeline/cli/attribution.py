"""`gristmill release attribution`: whose licence texts a release's rows rest on, as one document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from foundation.canonical import Json
from foundation.errors import UsageError
from manifests import Attribution, Credit, LicenceText, open_release
from pipeline.cli.output import Output, printable

FORMATS = ("text", "json")

_HELP = """Whose licence texts the rows rest on: a document like NOTICE, in order of repository.

For each repository and licence expression: the file that states it, who holds the copyright by that file's own words,
how many files and bytes. Then the texts: the canonical ones of all licences named, and every text found. Exits 1, with
similar names, when the release has no row of ORIGIN.

\b
Examples:
  gristmill release attribution out > NOTICE
  gristmill release attribution out --origin numpy/numpy
  gristmill release attribution out/releases/demo/1.0.0 --no-texts --format json
"""


def attribution(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A release, or a build's output folder with one.")],
    *,
    origin: Annotated[str | None, typer.Option(help="Only this repository: an origin, or a full name.")] = None,
    format: Annotated[str, typer.Option(help="text or json.")] = "text",  # noqa: A002 - the option's name
    texts: Annotated[bool, typer.Option("--texts/--no-texts", help="With the licence texts, or without.")] = True,
) -> None:
    """Run the command; see `_HELP`."""
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}", hint=f"one of {', '.join(FORMATS)}")
    found = open_release(directory).attribution(origin)
    lines = _document(found, texts=texts) if format == "text" else _json(found, texts=texts)
    Output().lines(lines)


def register(group: typer.Typer) -> None:
    """Add the command to the group `release`."""
    group.command("attribution", help=_HELP)(attribution)


def _document(found: Attribution, *, texts: bool) -> Iterator[str]:
    yield printable(f"Attribution of {found.release}{f', {found.origin}' if found.origin else ''}")
    before: Credit | None = None
    for entry in found.entries():
        if before is None or before.origin != entry.origin:
            yield from ("", *map(printable, _repository(entry)))
        if before is None or (before.origin, before.licence_expression) != (entry.origin, entry.licence_expression):
            yield printable(f"  {entry.licence_expression or 'no licence found'} ({entry.license_type})")
        yield from map(printable, _notice(entry))
        before = entry
    if texts:
        for text in found.texts():
            yield from ("", "-" * 80, printable(_heading(text)), "")
            yield from (printable(line.expandtabs()) for line in text.text.splitlines())


def _repository(entry: Credit) -> Iterator[str]:
    name = f" ({entry.repo_name})" if entry.repo_name else ""
    yield f"{entry.origin}{name}"
    if entry.anchor:
        yield f"  {entry.anchor}"


def _notice(entry: Credit) -> Iterator[str]:
    where = entry.licence_path or "no file"
    if entry.licence_origin not in (entry.origin, None):
        where = f"{entry.licence_origin}:{where}"
    source = f" ({entry.licence_source})" if entry.licence_source else ""
    files = "1 file" if entry.files == 1 else f"{entry.files:,} files"
    yield f"    {files}, {entry.bytes:,} bytes: {where}{source}"
    for line in entry.copyrights or ():
        yield f"      {line}"
    if entry.text_sha256:
        yield f"      text {entry.text_sha256}"


def _heading(text: LicenceText) -> str:
    return f"{text.licence}, canonical text" if text.licence else f"text {text.text_sha256}"


def _json(found: Attribution, *, texts: bool) -> Iterator[str]:
    """One JSON document, an entry or text a line."""
    yield f'{{"release": {json.dumps(found.release)}, "origin": {json.dumps(found.origin)}, "entries": ['
    yield from _listed(entry.to_json() for entry in found.entries())
    yield '], "texts": ['
    yield from _listed(text.to_json() for text in found.texts()) if texts else ()
    yield "]}"


def _listed(items: Iterable[dict[str, Json]]) -> Iterator[str]:
    """Each item as JSON, a comma behind all but the last."""
    held: str | None = None
    for item in items:
        if held is not None:
            yield f"{held},"
        held = json.dumps(item, ensure_ascii=False)
    if held is not None:
        yield held
