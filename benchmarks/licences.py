"""Licences: time of the licence stage against ScanCode's own `get_licenses`, and whether both say the same.

Usage: python benchmarks/licences.py FOLDER [--megabytes 200] [--sample 120] [--compare 500] [--seed 0] [--seconds 1200]
    [--without NAME …]

Reads files below FOLDER in order of path, up to `--megabytes` (10^6 bytes), each distinct content once, but for
folders that are `--without` (a licence database such as `licensedcode` is no package like others). `stage` is
everything from decoded text to expression: finding the notices in all of these files and detecting each distinct one.
`second run` is the same with the memo that the first left. The candidate files are those in which the stage found a
notice. `get_licenses` runs over a random `--sample` of these, one at a time, in the same process; its time for all
candidates is that of the sample times (all bytes / sampled bytes), and, as a second estimate, times (all files /
sampled files). CPU seconds of this process; ScanCode's index is loaded before anything is timed.

The same expression: over a random `--compare` of the candidates (as many as `--seconds` of wall clock allow), the
licences that the stage finds in the file against those of `get_licenses`, joined by AND, both in normal form.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from foundation import spdx
from foundation.errors import ConfigError
from foundation.frames import frame
from stages.decoding import decode
from stages.licences import MemoResolver, Resolver, licence_kind, notices_of_files, notices_of_headers, stated
from stages.licences.detection import DETECTED, UNKNOWN

BATCH = 500
Answer = TypeVar("Answer")


@dataclasses.dataclass(frozen=True)
class Files:
    """Distinct files: their place on disk, path below the folder, size in bytes, text (null when binary)."""

    places: list[Path]
    table: pa.Table  # sha1_git (number in `places`), path, kind, text, language
    sizes: list[int]


def read(folder: Path, *, megabytes: float, without: frozenset[str]) -> Files:
    """The files below `folder` in order of path, distinct contents only, up to `megabytes`."""
    places, contents, seen, size = [], [], set(), 0
    inside = (path for path in folder.rglob("*") if without.isdisjoint(path.relative_to(folder).parts))
    for place in sorted(path for path in inside if path.is_file() and not path.is_symlink()):
        data = place.read_bytes()
        if data and hash(data) not in seen and len(data) <= 5_000_000 and b"\0" not in data[:8192]:
            seen.add(hash(data))
            places.append(place)
            contents.append(data)
            size += len(data)
        if size >= megabytes * 1e6:
            break
    texts = decode(pa.array(contents, pa.large_binary()))["text"]
    paths = pa.array([str(place.relative_to(folder)).encode("utf-8", "surrogateescape") for place in places])
    columns = {
        "sha1_git": [str(at) for at in range(len(places))],
        "path": paths.cast(pa.binary()),
        "kind": licence_kind(paths.cast(pa.binary())),
        "text": texts,
        "language": pa.nulls(len(places), pa.string()),
    }
    return Files(places, pa.table(columns), [len(data) for data in contents])


def timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    """What `work` returns, and the CPU seconds of this process that it took."""
    start = time.process_time()
    answer = work()
    return answer, time.process_time() - start


def stage(files: Files, resolver: Resolver) -> dict[str, list[str]]:
    """The stage over all `files`: {number of the file: expressions found in it}."""
    found: dict[str, list[str]] = {}
    for at in range(0, files.table.num_rows, BATCH):
        batch = files.table.slice(at, BATCH)
        notices = pa.concat_tables(
            [notices_of_files(batch.filter(batch["kind"].is_valid())), notices_of_headers(batch)]
        )
        for row in (
            stated(frame(notices), frame(resolver(notices))).select("sha1_git", "status", "expression").to_dicts()
        ):
            found.setdefault(row["sha1_git"], []).extend(
                [row["expression"]] if row["status"] in (DETECTED, UNKNOWN) else []
            )
    return found


def theirs(place: Path) -> str:
    """`get_licenses` of one file as one expression; empty when it names nothing."""
    from scancode.api import get_licenses

    told = [entry["license_expression_spdx"] for entry in get_licenses(str(place))["license_detections"]]
    return joined(told)


def joined(expressions: list[str]) -> str:
    """AND of `expressions` in normal form, pointers to a licence elsewhere left out where something is named."""
    try:
        whole = spdx.conjunction(spdx.normalise(text) for text in expressions)
    except ConfigError:
        return "invalid"
    parts = list(spdx.conditions(whole)) if whole else []
    named = [part for part in parts if not part.startswith("LicenseRef-scancode-unknown")]
    return spdx.conjunction(named or parts) or ""


def why(ours: str, other: str) -> str:
    """In what two answers differ."""
    mine, yours = set(spdx.conditions(ours) if ours else ()), set(spdx.conditions(other) if other else ())
    if spdx.families(ours or None) == spdx.families(other or None):
        return "same families: -only, -or-later or operators"
    if not mine:
        return "only get_licenses finds anything (text in code or far below the head)"
    if not yours:
        return "only the stage finds anything"
    if mine < yours:
        return "get_licenses finds more (text in code or far below the head)"
    return "the stage finds more" if yours < mine else "another licence"


def main() -> None:
    """Print the table and the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--sample", type=int, default=120)
    parser.add_argument("--compare", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--without", nargs="*", default=["licensedcode"])
    asked = parser.parse_args()
    theirs(Path(__file__))  # loads the index
    files = read(asked.folder, megabytes=asked.megabytes, without=frozenset(asked.without))
    print(f"{len(files.sizes)} files, {sum(files.sizes) / 1e6:.1f} MB", flush=True)
    with tempfile.TemporaryDirectory() as memo:
        found, first = timed(lambda: stage(files, MemoResolver(memo)))
        print(f"stage {first:.1f} CPU s", flush=True)
        _, second = timed(lambda: stage(files, MemoResolver(memo)))
    candidates = sorted(found, key=int)
    order = random.Random(asked.seed).sample(candidates, min(len(candidates), max(asked.sample, asked.compare)))
    answers: dict[str, tuple[str, float]] = {}
    end = time.monotonic() + asked.seconds
    for name in order:
        if time.monotonic() > end and len(answers) >= asked.sample:
            break
        answers[name] = timed(lambda name=name: theirs(files.places[int(name)]))  # type: ignore[misc]
    report(files, found, answers, first=first, second=second)


def report(
    files: Files, found: dict[str, list[str]], answers: dict[str, tuple[str, float]], *, first: float, second: float
) -> None:
    """Print what was measured."""
    size = {name: files.sizes[int(name)] for name in found}
    spent = sum(seconds for _, seconds in answers.values())
    by_bytes = spent * sum(size.values()) / sum(size[name] for name in answers)
    by_files = spent * len(found) / len(answers)
    print(f"candidates {len(found)}, {sum(size.values()) / 1e6:.1f} MB")
    print(f"stage {first:.1f} CPU s; second run {second:.2f} CPU s")
    print(f"get_licenses {spent:.1f} CPU s on {len(answers)} candidates, {sum(size[n] for n in answers) / 1e6:.2f} MB")
    print(f"get_licenses on all candidates, by files {by_files:.0f} s, by bytes {by_bytes:.0f} s")
    for label, own in (("stage", first), ("second run", second)):
        print(f"{label}: {by_files / own:.0f} times as fast by files, {by_bytes / own:.0f} by bytes")
    reasons: Counter[str] = Counter()
    for name, (other, _) in answers.items():
        ours = joined(found[name])
        if ours != other:
            reasons[why(ours, other)] += 1
            print(f"  differs: {files.places[int(name)].name}: {ours or '-'} | {other or '-'}")
    same = len(answers) - sum(reasons.values())
    print(f"same expression {same} of {len(answers)} = {same / len(answers):.4f}")
    for reason, count in reasons.most_common():
        print(f"  {count:4d} {reason}")


if __name__ == "__main__":
    main()
