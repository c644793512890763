"""`gristmill inspect`: run one analysis stage on your own files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.output import Output
from pipeline.inspect import inspect

EPILOG = """\
Examples:

  gristmill inspect languages files.parquet languages.parquet

  gristmill inspect redaction files.parquet spans.parquet --json
"""


def register(app: typer.Typer) -> None:
    """Add `inspect` to `app`."""
    app.command("inspect", epilog=EPILOG)(inspect_command)


def inspect_command(
    stage: Annotated[str, typer.Argument(help="languages, licences, redaction, quality or duplicates.")],
    source: Annotated[Path, typer.Argument(metavar="IN", help="Parquet file with columns id, path, content (binary).")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Parquet file to write.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.")] = False,
) -> None:
    """Run one analysis stage on the files of a Parquet table and write what it finds.

    languages → id, language, vendored, generated; licences → id, spdx, class, evidence; redaction → id, start,
    end, label, detector (characters); quality → signals; duplicates → id, cluster, representative, jaccard.
    """
    rows = inspect(stage, source, target)
    Output(json=json, quiet=quiet).document(
        {"stage": stage, "rows": rows, "out": str(target)}, text=f"{rows} rows → {target}"
    )
