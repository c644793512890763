"""`gristmill build`: run a recipe, or print its plan."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from foundation.errors import UsageError
from pipeline.build import BuildResult, build
from pipeline.cli.output import Output
from pipeline.plan import plan_of, plan_text
from pipeline.progress import Progress
from pipeline.recipe_file import load_recipe
from stages.decisions import REPORT as GUARD_REPORT

EPILOG = """\
Examples:

  gristmill build quickstart --archive my-archive --out out

  gristmill build recipes/stack.toml --archive s3://bucket --as-of 2025-05-18 --out out --workers 16

  gristmill build recipes/stack.toml --out out --dry-run
"""


def register(app: typer.Typer) -> None:
    """Add `build` to `app`."""
    app.command("build", epilog=EPILOG)(build_command)


def build_command(  # noqa: PLR0917 - typer reads options from parameters
    recipe: Annotated[
        str, typer.Argument(help="Recipe: a TOML file, or the name of a shipped one (quickstart, stack).")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for builds/ and releases/.")],
    archive: Annotated[str, typer.Option("--archive", help="Archive: a folder or s3://bucket[/prefix].")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="Latest full visit not after this day, YYYY-MM-DD (UTC).")] = "",
    exclusions: Annotated[
        Path | None, typer.Option("--exclusions", help="Opt-outs to honour: a file of `gristmill optout export`.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="Ray workers; 0 runs in this process. Default: cores.")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="Ray cluster to run on, e.g. auto or host:6379.")
    ] = None,
    rerun_changed: Annotated[
        bool, typer.Option("--rerun-changed", help="Resume although the recipe or inputs changed.")
    ] = False,
    keep_names: Annotated[
        bool, typer.Option("--keep-names", help="Keep work tables with the archive's own names; see guide-redaction.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Plain lines, no live display.")] = False,
) -> None:
    """Build a release from an archive: catalog, licences, languages, redaction, deduplication, opt-out, shards."""
    output, day, loaded = Output(json=json, quiet=quiet), parse_day(as_of), load_recipe(recipe)
    if dry_run:
        plan = plan_of(loaded, out=out, archive=archive, as_of=day, exclusions=exclusions)
        output.document(plan, text=plan_text(plan))
        return
    progress = Progress(quiet=quiet, live=False) if no_progress or json else Progress(quiet=quiet)
    result = build(
        loaded,
        out=out,
        archive=archive,
        as_of=day,
        exclusions=exclusions,
        workers=workers,
        address=address,
        rerun_changed=rerun_changed,
        keep_names=keep_names,
        progress=progress,
    )
    output.note(result.near.summary())
    say_guard(output, result)
    if unmatched := result.overrides.warning():
        output.warn(unmatched)
    output.document(result.to_json(), text=result_text(result))


def say_guard(output: Output, result: BuildResult) -> None:
    """What the guard found, on stderr; a warning that quiet does not silence when a group is over its limit."""
    found = result.guard
    if found.exceeded:
        output.warn(
            "\n".join([found.summary(), *found.lines(samples=False), f"  pairs: see {GUARD_REPORT} of the build"])
        )
    else:
        output.note(found.summary())


def parse_day(text: str) -> dt.date | None:
    """`YYYY-MM-DD` as a date; UsageError for anything else, None for an empty text."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r} is not a day", hint="write it as YYYY-MM-DD, e.g. 2025-05-18") from error


def result_text(result: BuildResult) -> str:
    """The funnel and where the release is, for people."""
    lines = ["stage            in        kept     dropped"]
    for row in result.funnel:
        dropped = row["dropped"]
        reasons = ", ".join(f"{name} {count}" for name, count in dropped.items()) if isinstance(dropped, dict) else ""
        lines.append(f"{row['stage']!s:<13}{row['in']!s:>6}{row['kept']!s:>12}     {reasons or '-'}")
    lines += ["", f"rows         {result.rows}", f"merkle root  {result.merkle_root}", f"release      {result.release}"]
    return "\n".join(lines)
