"""`gristmill review`: what a person should look at before a corpus goes out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.output import Output, printable
from pipeline.review import DoubtfulNotice, Review, review_licences

TEXT_SHOWN = 1200
"""Characters of a notice's text that people are shown; --json has all that the build kept."""

EPILOG = """\
Examples:

  gristmill review licences --build out --limit 5

  gristmill review licences --build out/builds/demo --limit 0 --json > doubts.json
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What people should look at.")


@app.command("licences", epilog=EPILOG)
def licences(
    build: Annotated[Path, typer.Option("--build", help="A build, or an output folder that holds one.")],
    limit: Annotated[int, typer.Option("--limit", min=0, help="Most notices to list; 0 lists all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the list.")] = False,
) -> None:
    """Licence notices in doubt, those first on which most bytes rest, with their text.

    In doubt: timed_out, unknown, disputed, low_score, approximate. To settle one, write its notice and what it means
    into the recipe's overrides file and build again; see docs/guide-licences.md.
    """
    output = Output(json=as_json, quiet=quiet)
    found = review_licences(build, limit=limit or None)
    output.document(found.to_json(), text=review_text(found))
    output.note(review_counts(found))


def review_counts(review: Review) -> str:
    """How many notices there are, in a line."""
    left = review.doubtful - len(review.notices)
    more = f", {left} not shown" if left else ""
    return f"{review.total} notices: {review.doubtful} in doubt{more}, {review.reviewed} reviewed"


def review_text(review: Review) -> str:
    """The list for people, strangers' characters escaped."""
    return "\n\n".join(_entry(notice) for notice in review.notices) or "no notice is in doubt"


def _entry(notice: DoubtfulNotice) -> str:
    score = "" if notice.score is None else f"  score {notice.score:g}"
    rule = f"  rule {_cut(printable(notice.rule), 120)}" if notice.rule else ""
    lines = [
        f"notice    {notice.notice}",
        f"doubt     {', '.join(notice.doubts)}",
        f"decides   {notice.bytes} bytes in {notice.contents} contents, {notice.kept} of them kept",
        f"detected  {printable(notice.expression or notice.status)}{score}{rule}",
        f"stands in {_cut(printable(notice.place or 'a place that no evidence names'), 300)}",
    ]
    shown = (notice.text or "")[:TEXT_SHOWN]
    lines += [f"  | {printable(line)}" for line in shown.split("\n")]
    if notice.length > len(shown):
        lines.append(f"  | … {notice.length - len(shown)} more characters")
    return "\n".join(lines)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
