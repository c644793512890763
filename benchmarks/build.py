"""Throughput of a whole build: MB/s per core, rows/s, the share of each stage, peak memory of a worker.

    python benchmarks/build.py ARCHIVE [--workers N] [--recipe quickstart] [--out DIR]

Builds ARCHIVE into a fresh folder, twice: the first build detects licences for the first time, the second
finds every notice in the memo, so that the pass over bytes can be read off without ScanCode. Then the steps
inside the pass are timed one by one, in this process, over the same work. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

from foundation import clock
from foundation.tasks import Part, Task
from pipeline import BuildResult, build
from pipeline.progress import Progress


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--recipe", default="quickstart")
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    out = Path(arguments.out or tempfile.mkdtemp(prefix="gristmill-bench-"))
    first = timed(arguments, out / "first", memo=None)
    name = first[0].release.parent.name
    second = timed(arguments, out / "second", memo=out / "first" / "builds" / name / "licences" / "memo")
    report("first build", *first, workers=arguments.workers)
    report("second build (licence notices known)", *second, workers=arguments.workers)
    steps(out / "second" / "builds" / name, archive=arguments.archive)


def timed(arguments: argparse.Namespace, out: Path, *, memo: Path | None) -> tuple[BuildResult, float]:
    """One build into a fresh folder, with the licence memo of an earlier one; (result, wall seconds)."""
    from pipeline.recipe_file import load_recipe

    recipe = load_recipe(arguments.recipe)
    shutil.rmtree(out, ignore_errors=True)
    if memo is not None:
        shutil.copytree(memo, out / "builds" / recipe.release.name / "licences" / "memo")
    began = clock.monotonic()
    progress = Progress(live=False, stream=sys.stderr)
    result = build(recipe, out=out, archive=arguments.archive, workers=arguments.workers, progress=progress)
    return result, clock.monotonic() - began


def report(title: str, result: BuildResult, wall: float, *, workers: int) -> None:
    """A table of the stages of one build."""
    megabytes, cpu = result.raw_bytes / 1e6, sum(float(row["cpu_seconds"]) for row in result.stages)
    rate = megabytes / wall / max(1, workers)
    print(f"\n### {title}\n")
    print(f"{megabytes:.1f} MB read, {result.rows} rows released, {wall:.1f} s wall, {workers} workers: ", end="")
    print(f"{rate:.2f} MB/s per core, {result.rows / wall:.0f} rows/s; Merkle root {result.merkle_root[:16]}\n")
    print("| stage | tasks | CPU s | share | peak MB a worker |\n|---|---|---|---|---|")
    for row in result.stages:
        share = float(row["cpu_seconds"]) / cpu if cpu else 0.0
        print(
            f"| {row['stage']} | {row['tasks']} | {float(row['cpu_seconds']):.2f} | {share:.1%} "
            f"| {int(row['peak_bytes']) >> 20} |"
        )


def steps(root: Path, *, archive: str) -> None:
    """A table of the steps inside the pass over bytes, timed in this process over the build's own work."""
    from stages.contents import reading
    from stages.licences import MemoResolver

    tasks = [
        _again(record, root, archive=archive) for record in sorted((root / "contents" / "read").glob(".record-*.json"))
    ]
    resolver = MemoResolver(root / "licences" / "memo")
    spent: dict[str, float] = {}
    scratch = tempfile.mkdtemp()
    size = 0
    for number, task in enumerate([tasks[0], *tasks]):  # the first one warms caches and is not counted
        lent = dataclasses.replace(task, services={"licences": resolver})
        batch = reading.begin(lent)
        if number:
            size += int(batch.rows["length"].sum())
        for name, step in reading.STEPS:
            began = clock.cpu_seconds()
            batch = step(lent, batch)
            if number:
                spent[name] = spent.get(name, 0.0) + clock.cpu_seconds() - began
        began = clock.cpu_seconds()
        reading.finish(dataclasses.replace(lent, root=scratch), batch)
        if number:
            spent["sign and write"] = spent.get("sign and write", 0.0) + clock.cpu_seconds() - began
    total = sum(spent.values())
    print(
        f"\n### The pass over bytes: {size / 1e6:.1f} MB in {total:.1f} CPU s"
        f" = {size / 1e6 / total:.1f} MB per CPU second\n"
    )
    print("| step | CPU s | share | MB per CPU s |\n|---|---|---|---|")
    for name, seconds in spent.items():
        print(f"| {name} | {seconds:.2f} | {seconds / total:.1%} | {size / 1e6 / seconds:.1f} |")


def _again(record: Path, root: Path, *, archive: str) -> Task:
    """The task of a completion record, with the context of its build."""
    identity = json.loads(record.read_bytes())["identity"]
    inputs = {
        name: tuple(Part(path, digest, 0, group=group) for path, digest, group in parts)
        for name, parts in identity["inputs"].items()
    }
    return Task(
        worker=identity["worker"],
        version=identity["version"],
        root=str(root),
        folder=identity["folder"],
        partition=identity["partition"],
        outputs=tuple(identity["outputs"]),
        inputs=inputs,
        params=identity["params"],
        context={"archive": archive, "s3": None, "exclusions": None},
    )


if __name__ == "__main__":
    main()
