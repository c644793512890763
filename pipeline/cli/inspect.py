"""`gristmill inspect`: run one analysis stage on your own files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foundation.canonical import Json
from pipeline.cli.output import Output, printable
from pipeline.inspect import inspect

EPILOG = """\
Examples:

  gristmill inspect languages files.parquet languages.parquet

  gristmill inspect redaction files.parquet spans.parquet --json

  gristmill inspect duplicates files.parquet clusters.parquet --pairs pairs.parquet --threshold 0.8
"""


def register(app: typer.Typer) -> None:
    """Add `inspect` to `app`."""
    app.command("inspect", epilog=EPILOG)(inspect_command)


def inspect_command(
    stage: Annotated[str, typer.Argument(help="languages, licences, redaction, quality or duplicates.")],
    source: Annotated[Path, typer.Argument(metavar="IN", help="Parquet file with columns id, path, content (binary).")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Parquet file to write.")],
    *,
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="PAIRS", help="With duplicates: also write the similar pairs to this Parquet file."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="FLOAT", help="With duplicates: the exact Jaccard that makes a duplicate; 0.7 if left out."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.")] = False,
) -> None:
    """Run one analysis stage on the files of a Parquet table and write what it finds.

    languages → id, language, vendored, generated, documentation; licences → id, spdx, class, evidence;
    redaction → id, start, end, label, detector (characters); quality → signals; duplicates → id, cluster,
    representative, jaccard, and in PAIRS a, b, jaccard: every pair of distinct contents at or above the threshold,
    a < b.
    """
    rows = inspect(stage, source, target, pairs=pairs, threshold=threshold)
    document: dict[str, Json] = {"stage": stage, "rows": rows, "out": str(target)}
    text = f"{rows} rows → {printable(str(target))}"
    if pairs is not None:
        document["pairs"] = str(pairs)
        text += f", pairs → {printable(str(pairs))}"
    Output(json=json, quiet=quiet).document(document, text=text)
