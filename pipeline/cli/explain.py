"""`gristmill explain`: why a file is in a release, or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from manifests import explain as find_explanation
from pipeline.cli.output import Output, printable
from pipeline.named import name_redaction

_HELP = """Why a file is in the release or not: stage, rule, value, threshold, evidence, the kept file it duplicates.

For a duplicate a short unified diff of the two redacted texts follows. Exits 1 when the build never saw it.

\b
Examples:
  gristmill explain out swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2
  gristmill explain out 'https://github.com/numpy/numpy:setup.py'
  gristmill explain out/builds/demo numpy/numpy:LICENSE.txt --json --no-diff
  gristmill explain out https://github.com/numpy/numpy
"""


def explain(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A build's output folder, one build in it, or a release.")
    ],
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="swh:1:cnt:…, origin:path, repository-name:path, or an origin.")
    ],
    no_diff: Annotated[
        bool, typer.Option("--no-diff", help="Leave out how a duplicate differs from the kept file.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Run the command; see `_HELP`."""
    found = find_explanation(directory, identifier, diff=not no_diff, redacted=name_redaction(directory))
    text = "\n".join(printable(line) for line in found.lines())
    Output(json=as_json).document(found.to_json(), text=text)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain", help=_HELP)(explain)
