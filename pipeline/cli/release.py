"""`gristmill release verify|show|repository|attribution`: check a release, and show what it states about itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from foundation.errors import IntegrityError
from manifests import Manifest, find_release, load_manifest
from manifests import verify as verify_release
from pipeline.cli import attribution, repository
from pipeline.cli.output import Output, printable

_VERIFY = """Check every file of a release: checksums, manifest, Merkle root, row counts, columns.

Lists every damaged, missing or added file on stdout; exits 6 if there is one.

\b
Examples:
  gristmill release verify out/releases/demo/1.0.0
  gristmill release verify out --json
"""
_SHOW = """What a release states about itself: rows, languages, licences, and what each stage dropped.

\b
Examples:
  gristmill release show out/releases/demo/1.0.0
  gristmill release show out --json
"""
_TOP = 20

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A release, or a build's output folder with one.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")]


def verify(directory: Directory, *, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Run `release verify`; see `_VERIFY`."""
    output = Output(json=as_json, quiet=quiet)
    report = verify_release(find_release(directory))
    sizes = f"{report.files:,} files, {report.bytes:,} bytes"
    lines = [f"{problem.file}: {problem.kind}: {problem.detail}" for problem in report.problems]
    text = "\n".join(printable(line) for line in lines) or f"ok: {report.release}: {sizes}"
    output.document(report.to_json(), text=text)
    if not report.ok:
        damaged = len({problem.file for problem in report.problems})
        raise IntegrityError(
            f"{report.release}: {damaged} of its files are not as published",
            hint="restore the files listed from a good copy, then verify again",
        )


def show(directory: Directory, *, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Run `release show`; see `_SHOW`."""
    manifest = load_manifest(find_release(directory))
    output = Output(json=as_json, quiet=quiet)
    output.document(manifest.to_json(), text="\n".join(printable(line) for line in _lines(manifest)))


def register(app: typer.Typer) -> None:
    """Add the group `release` to `app`."""
    group = typer.Typer(
        no_args_is_help=True, help="Check and show published releases, their repositories and attribution."
    )
    group.command("verify", help=_VERIFY)(verify)
    group.command("show", help=_SHOW)(show)
    repository.register(group)
    attribution.register(group)
    app.add_typer(group, name="release")


def _table_lines(manifest: Manifest) -> list[str]:
    paths, repositories = manifest.table("paths"), manifest.table("repositories")
    if paths is None or repositories is None:
        return []
    files, present = repositories.total("files"), repositories.total("present")
    listed = sum(part.rows for part in repositories.files)
    resembled = paths.total("near_duplicate")
    return [f"  repositories {listed:,} of {files:,} files: {present:,} present, {resembled:,} resembled"]


def _evidence_lines(manifest: Manifest) -> list[str]:
    attribution, licences = manifest.table("attribution"), manifest.table("licences")
    if attribution is None or licences is None:
        return []
    found, canonical = licences.total("found"), licences.total("canonical")
    entries = sum(part.rows for part in attribution.files)
    return [f"  attribution  {entries:,} entries, {found:,} licence texts found, {canonical:,} canonical"]


def _redaction_lines(manifest: Manifest) -> list[str]:
    found = manifest.redacted
    files = f" in {found.files:,} files, {found.paths:,} paths" if found else ""
    lines = [f"  redacted     {sum(manifest.redactions.values()):,} spans{files}"]
    for name, counts in (("kinds", manifest.redactions), ("detectors", found.detectors if found else {})):
        if counts:
            listed = (f"{key} {count:,}" for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
            lines.append(f"    {name:<11}{', '.join(listed)}")
    return lines


def _lines(manifest: Manifest) -> list[str]:
    totals, registry = manifest.totals, manifest.created_from.registry
    lines = [
        f"{manifest.name}@{manifest.version}",
        f"  rows         {totals.rows:,} in {totals.shards:,} shards",
        f"  bytes        {totals.bytes:,} of original contents, {totals.file_bytes:,} on disk",
        *_table_lines(manifest),
        *_evidence_lines(manifest),
        *_redaction_lines(manifest),
        f"  registry     sequence {registry.sequence}",
        f"  merkle root  {manifest.merkle_root}",
        "",
        "funnel",
    ]
    for stage in manifest.funnel:
        lines.append(f"  {stage.stage:<20}{stage.entered:>12,} in {stage.kept:>12,} kept   ({stage.unit})")
        lines += [f"    - {reason:<30}{count:>12,}" for reason, count in sorted(stage.dropped.items())]
    languages = sorted(manifest.languages, key=lambda item: (-item.rows, item.language or ""))
    lines += ["", f"languages ({len(languages):,})"]
    lines += [f"  {item.language or '(undecided)':<30}{item.rows:>12,}" for item in languages[:_TOP]]
    lines += _more(languages)
    licences = sorted(manifest.licences, key=lambda item: (-item.rows, item.expression or "", item.license_type))
    lines += ["", f"licences ({len(licences):,})"]
    lines += [
        f"  {item.expression or '(none found)':<50}{item.license_type:<16}{item.rows:>12,}" for item in licences[:_TOP]
    ]
    return lines + _more(licences)


def _more(items: Sequence[object]) -> list[str]:
    return [f"  and {len(items) - _TOP:,} more: --json lists all"] if len(items) > _TOP else []
