"""`gristmill redaction`: what redaction did to a release, for people to judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.audit import RedactionReport, Sample, redaction_report
from pipeline.cli.output import Output, printable

EPILOG = """\
Examples:

  gristmill redaction report --build out

  gristmill redaction report --build out/builds/demo --kind EMAIL --kind KEY --samples 20

  gristmill redaction report --build out/releases/demo/1.0.0 --samples 0 --json > redaction.json
"""
_TOP = 20

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What redaction replaced.")


@app.callback()
def group() -> None:
    """What redaction replaced."""


@app.command("report", epilog=EPILOG)
def report(
    build: Annotated[Path, typer.Option("--build", help="A build, an output folder with one, or a release.")],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind, e.g. EMAIL; repeatable.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, max=1000, help="Places shown for each rule.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")] = False,
) -> None:
    """Count what was replaced by kind, detector, rule and language, and show places as they are shipped.

    Every place shows the release's own text, with the placeholder where the value was: a person can judge from it
    whether something should have stayed. The same release gives the same places. See docs/guide-redaction.md.
    """
    output = Output(json=as_json, quiet=quiet)
    found = redaction_report(build, kinds=[name.upper() for name in kind] if kind else None, samples=samples)
    output.document(found.to_json(), text=report_text(found))
    output.note(f"{found.redacted:,} of {found.files:,} files of {found.release} were redacted")


def report_text(found: RedactionReport) -> str:
    """The report for people, strangers' characters escaped."""
    share = f" ({found.redacted / found.files:.1%})" if found.files else ""
    lines = [
        found.release,
        f"  files        {found.files:,}, redacted {found.redacted:,}{share}",
        f"  paths        redacted {found.paths:,}",
        f"  kinds        {_listed(found.sums('kind'))}",
        f"  detectors    {_listed(found.sums('detector'))}",
        "",
        "rules",
    ]
    for tally in sorted(found.tallies, key=lambda each: (-each.spans, each.kind, each.detector, each.rule, each.path)):
        name = f"{tally.kind:<14}{tally.detector:<16}{printable(tally.rule)}{' (path)' if tally.path else ''}"
        lines.append(f"  {name:<72}{tally.spans:>10,} in {tally.files:,} files")
    lines += ["", f"languages ({len(found.languages):,})"]
    for each in found.languages[:_TOP]:
        name = printable(each.language or "(undecided)")
        lines.append(f"  {name:<30}{each.redacted:>10,} of {each.files:,} files   {_listed(each.kinds)}".rstrip())
    if len(found.languages) > _TOP:
        lines.append(f"  and {len(found.languages) - _TOP:,} more: --json lists all")
    return "\n".join([*lines, *(line for sample in found.samples for line in _sample_lines(sample))])


def _listed(counts: object) -> str:
    items = dict(counts).items() if isinstance(counts, dict) else ()
    return ", ".join(f"{name} {count:,}" for name, count in items) or ("nothing" if counts == {} else "")


def _sample_lines(sample: Sample) -> list[str]:
    before, after = (printable(text) for text in (sample.before, sample.after))
    return [
        "",
        f"{sample.kind} {sample.detector} {printable(sample.rule)}, {sample.length:,} characters",
        f"  {printable(sample.origin)}:{printable(sample.path)}:{sample.line}",
        f"  | {before}{printable(sample.placeholder)}{after}",
    ]
