"""`make demo`: real packages in, a verified and queryable release out, in demo/.

    demo/packages/   what pip and npm downloaded (kept by `make clean`)
    demo/archive/    the same as a Software Heritage archive
    demo/out/        the build and its release

Each step is a command of `gristmill`, shown as it runs. What an earlier run finished is reused.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl

from foundation.canonical import Json, fingerprint
from foundation.errors import GristmillError, PartialFailure
from foundation.storage import write_atomic
from manifests import Manifest, load_manifest
from pipeline.cli.output import Output, report
from pipeline.recipe_file import load_recipe
from scripts.demo_download import Pin, fetch, read_pins

DEMO = Path("demo")
RECIPE = Path("recipes/quickstart.toml")
VISIT_DATE = "2026-11-20"  # fixed, so that the same packages give the same release everywhere
_LANGUAGES = 30
_LICENCES = 5


def main() -> int:
    """Run the demo; returns its exit code."""
    output = Output()
    try:
        release = run(output)
    except GristmillError as error:
        return report(error, as_json=False)
    except KeyboardInterrupt:
        output.warn("interrupted; run `make demo` again to go on from here")
        return 130
    show(load_manifest(release), release, output)
    return 0


def run(output: Output) -> Path:
    """Download, ingest, build and verify; returns the release's folder."""
    pins = read_pins()
    packages = fetch(pins, DEMO / "packages", output.note)
    ingest(packages, pins, output)
    gristmill("build", str(RECIPE), "--archive", str(DEMO / "archive"), "--out", str(DEMO / "out"), output=output)
    identity = load_recipe(RECIPE).release
    release = DEMO / "out" / "releases" / identity.name / identity.version
    gristmill("release", "verify", str(release), output=output)
    return release


def ingest(packages: list[Path], pins: tuple[Pin, ...], output: Output) -> None:
    """Make demo/archive from `packages`, unless it was made from these very files."""
    names = {path.name for path in packages}
    made_from = fingerprint({"date": VISIT_DATE} | {pin.file: pin.sha256 for pin in pins if pin.file in names}).encode()
    stamp, archive = DEMO / "archive.made-from", DEMO / "archive"
    if stamp.is_file() and stamp.read_bytes() == made_from and archive.is_dir():
        output.note(f"demo: {archive} is up to date")
        return
    stamp.unlink(missing_ok=True)
    for stale in (archive, DEMO / "out"):
        shutil.rmtree(stale, ignore_errors=True)
    gristmill(
        "archive", "ingest", *map(str, packages), "--out", str(archive), "--visit-date", VISIT_DATE, output=output
    )
    write_atomic(stamp, made_from)


def gristmill(*arguments: str, output: Output) -> None:
    """Run one `gristmill` command, its progress on stderr; PartialFailure when it fails."""
    shown = arguments if len(arguments) < 10 else [*arguments[:2], "demo/packages/*", *arguments[-4:]]
    output.note(f"\n$ gristmill {' '.join(shown)}")
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        output.note(done.stdout)
        raise PartialFailure(
            f"`gristmill {arguments[0]}` ended with exit code {done.returncode}; its message is above",
            hint="mend that and run `make demo` again; `make clean` first if an older Gristmill made demo/out",
        )


def show(manifest: Manifest, release: Path, output: Output) -> None:
    """The funnel, the language × licence table, where the release is, and what to try next."""
    output.note("\nFunnel: what entered each stage, and what it dropped why")
    output.rows(funnel_rows(manifest), columns=["stage", "unit", "in", "kept", "dropped"])
    output.note("\nRows by language and licence")
    rows, columns = language_rows(manifest)
    output.rows(rows, columns=columns)
    totals = manifest.totals
    text = "\n".join(
        [
            "",
            f"{manifest.name}@{manifest.version}: {totals.rows:,} files, {totals.bytes:,} bytes of code, "
            f"{totals.shards} shards, Merkle root {manifest.merkle_root[:16]}…",
            f"The release is in {release}/ (checked; `sha256sum -c SHA256SUMS` agrees).",
            "",
            "Try next:",
            *(f"  .venv/bin/gristmill {command}" for command in next_commands(release)),
        ]
    )
    output.document({}, text=text)


def funnel_rows(manifest: Manifest) -> list[dict[str, Json]]:
    """One row a stage: stage, unit, in, kept, dropped (reasons with counts, most frequent first)."""
    rows: list[dict[str, Json]] = []
    for stage in manifest.funnel:
        reasons = sorted(stage.dropped.items(), key=lambda item: (-item[1], item[0]))
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
        rows.append(
            {"stage": stage.stage, "unit": stage.unit, "in": stage.entered, "kept": stage.kept, "dropped": dropped}
        )
    return rows


def language_rows(manifest: Manifest) -> tuple[list[dict[str, Json]], list[str]]:
    """(rows, columns) of rows by language, over the most frequent licence expressions."""
    cells: Counter[tuple[str, str]] = Counter()
    by_language: Counter[str] = Counter()
    by_licence: Counter[str] = Counter()
    for shard in manifest.shards:
        language = shard.language or "(undecided)"
        for item in shard.licences:
            licence = item.expression or "(none found)"
            cells[language, licence] += item.rows
            by_language[language] += item.rows
            by_licence[licence] += item.rows
    licences = [name for name, _ in _most(by_licence)][:_LICENCES]
    rows: list[dict[str, Json]] = []
    for language, total in _most(by_language)[:_LANGUAGES]:
        named: dict[str, Json] = {licence: cells[language, licence] or None for licence in licences}
        rest = total - sum(cells[language, licence] for licence in licences)
        rows.append({"language": language, **named, "other": rest or None, "all": total})
    return rows, ["language", *licences, "other", "all"]


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def next_commands(release: Path) -> tuple[str, ...]:
    """Three commands that work on the demo's release as it is."""
    origin, path = near_duplicate(DEMO / "out" / "builds" / load_recipe(RECIPE).release.name)
    return (
        f"query {release} --language Python --license 'Apache-2.0 OR MIT' --columns repo_name,path --limit 10",
        f"explain {DEMO / 'out'} {shlex.quote(f'{origin}:{path}')}",
        f"optout submit repository {shlex.quote(origin)} --registry {DEMO / 'optout.db'}",
    )


def near_duplicate(build: Path) -> tuple[str, str]:
    """(origin, path) of the dropped file that resembles its kept one most, by similarity, origin, path."""
    tables = json.loads((build / "tables.json").read_bytes())
    decisions = pl.scan_parquet([build / part for part in tables["decisions"]])
    dropped = decisions.filter(pl.col("reason") == "near_duplicate", pl.col("jaccard") < 1).sort(
        ["jaccard", "origin", "path"], descending=[True, False, False]
    )
    first = dropped.select("origin", "path").head(1).collect()
    return first.item(0, "origin"), first.item(0, "path").decode("utf-8", "backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
