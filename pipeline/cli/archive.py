"""`gristmill archive ingest|ls|verify`: make, show and check archives in Software Heritage's format."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from archive import IngestReport, SourceReport, add_metadata, ingest, list_origins, open_archive
from archive import verify as verify_archive
from archive.ingest import MAX_CONTENT_BYTES, checked_origin
from foundation import clock
from foundation.canonical import Json
from foundation.errors import IntegrityError, PartialFailure, UsageError
from pipeline.cli.output import Output, printable

_INGEST = """Add git repositories, folders and archives (.tar.*, .tgz, .zip, .whl) to an archive.

Of a git repository HEAD's revision and tree are read; nothing of a source is ever run or unpacked to
disk. An origin is the URL of the git remote `origin`, else https://local.invalid/<kind>/<name>.
Running it again adds a later visit. Exits 4 if a source could not be read; the others are kept.

\b
Examples:
  gristmill archive ingest ~/src/project --out archive
  gristmill archive ingest downloads/*.whl downloads/*.tgz --out archive
  gristmill archive ingest ./vendored --origin https://example.org/acme/vendored --out archive
"""
_LS = """List the origins of an archive: visits, status and date of the latest one, and what HEAD names.

\b
Examples:
  gristmill archive ls archive
  gristmill archive ls s3://softwareheritage --export 2025-05-18-popular-1k --json
"""
_VERIFY = """Re-hash every content and recompute every id of an archive.

Lists all damage on stdout, one file and object a row; exits 6 if there is any.

\b
Examples:
  gristmill archive verify archive
  gristmill archive verify archive --json
"""
_LS_COLUMNS = ("origin", "visits", "visit_type", "status", "date", "head", "target")

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Make, show and check archives in Software Heritage's format."
)

Address = Annotated[str, typer.Argument(metavar="ARCHIVE", help="A folder, or s3://bucket[/prefix].")]
Export = Annotated[str | None, typer.Option(help="Which export (default: the newest by name).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")]


@app.command("ingest", help=_INGEST)
def ingest_command(
    sources: Annotated[list[Path], typer.Argument(help="Git repositories, folders or archives.")],
    *,
    out: Annotated[Path, typer.Option(help="The archive's folder; made if need be, appended to if there.")],
    origin: Annotated[str | None, typer.Option(help="Origin URL of the one source given.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="Repositories Parquet file to put beside the archive.")] = None,
    visit_date: Annotated[str | None, typer.Option(help="ISO date or time of the visit (default: now), UTC.")] = None,
    export: Annotated[str | None, typer.Option(help="Export to write (default: the newest, else the date).")] = None,
    max_content_bytes: Annotated[
        int, typer.Option(min=1, help="Larger files are noted, not kept.")
    ] = MAX_CONTENT_BYTES,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run `archive ingest`; see `_INGEST`."""
    output = Output(json=as_json, quiet=quiet)
    if origin is not None and len(sources) != 1:
        raise UsageError(f"--origin names one source, but {len(sources)} were given", hint="ingest them one by one")
    report = ingest(
        sources,
        out,
        visit_date=_moment(visit_date),
        origins={} if origin is None else {str(sources[0]): checked_origin(origin)},
        export_name=export,
        max_content_bytes=max_content_bytes,
    )
    if metadata is not None:
        add_metadata(out, str(metadata))
    output.document(_report_json(report), text="\n".join(map(_line, report.sources)))
    output.note(f"{report.contents_written:,} new contents in {report.archive} (export {report.export})")
    if report.failed:
        raise PartialFailure(
            f"{len(report.failed)} of {len(report.sources)} sources could not be ingested",
            hint="see the lines marked failed; the other sources are in the archive",
        )


@app.command("ls", help=_LS)
def ls_command(address: Address, *, export: Export = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Run `archive ls`; see `_LS`."""
    rows: list[dict[str, Json]] = []
    for row in list_origins(open_archive(address, export=export)):
        date = None if row.date is None else clock.timestamp(row.date)
        rows.append({**dataclasses.asdict(row), "date": date})
    Output(json=as_json, quiet=quiet).rows(rows, columns=_LS_COLUMNS)


@app.command("verify", help=_VERIFY)
def verify_command(address: Address, *, export: Export = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Run `archive verify`; see `_VERIFY`."""
    archive = open_archive(address, export=export)
    report = verify_archive(archive)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in report.checked.items())
    lines = [f"{item.file}: {item.object or 'file'}: {item.problem}" for item in report.damage]
    document: dict[str, Json] = {
        "archive": archive.uri,
        "export": archive.export,
        "sound": report.sound,
        "checked": report.checked,
        "damage": [dataclasses.asdict(item) for item in report.damage],
    }
    output = Output(json=as_json, quiet=quiet)
    output.document(document, text="\n".join(map(printable, lines)) or f"ok: {archive.uri}: {counts}")
    if not report.sound:
        files = len({item.file for item in report.damage})
        raise IntegrityError(
            f"{archive.uri}: {len(report.damage)} objects in {files} files are damaged",
            hint="fetch the files listed again, or ingest their sources again",
        )


def _moment(text: str | None) -> dt.datetime:
    if text is None:
        return clock.now()
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"not a date: {text!r}", hint="expected e.g. 2026-01-31 or 2026-01-31T12:00:00+00:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _line(source: SourceReport) -> str:
    if source.problem:
        return printable(f"failed     {source.source}: ") + printable(source.problem.replace("\n", "; "))
    lines = [f"{source.status:<10} {source.source} → {source.origin} (visit {source.visit}, {source.visit_type})"]
    lines += [f"  left out {note.path}: {note.reason}" for note in source.notes]
    return "\n".join(map(printable, lines))


def _report_json(report: IngestReport) -> dict[str, Json]:
    document: dict[str, Json] = dataclasses.asdict(report)
    return document
