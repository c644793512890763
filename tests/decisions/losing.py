"""Inputs and oracle of the guard's tests: decisions and verdicts on disk in any buckets, and plain counting."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections import defaultdict
from pathlib import Path

import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

from foundation.exchange import bucket_of, scatter
from foundation.frames import frame
from foundation.schema import DECISIONS
from foundation.tasks import Counts, Outcome, Part, Task, finished, perform
from stages.contents.schemas import VERDICTS
from stages.decisions import Guarded, GuardSettings, guard
from stages.decisions.deciding import counted

KEPT, EXACT, NEAR, EARLY = "kept", "exact_duplicate", "near_duplicate", "too_short"


@dataclasses.dataclass(frozen=True)
class Content:
    """One content: where it is, its language and size, and what was decided (KEPT, EXACT, NEAR or EARLY)."""

    number: int
    origin: str
    language: str | None
    size: int
    fate: str
    path: bytes = b"src/a.py"
    like: int | None = None  # number of the kept content

    @property
    def sha1_git(self) -> str:
        return sha1_git(self.number)


def sha1_git(number: int) -> str:
    return hashlib.sha1(b"%d" % number, usedforsecurity=False).hexdigest()


@st.composite
def contents(draw: st.DrawFn) -> list[Content]:
    """Up to 60 contents of few origins and languages; number 0 is kept and what duplicates resemble."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["https://a/x", "https://a/y", "https://b/z"]),
                st.sampled_from(["Go", "C", None]),
                st.integers(0, 9),
                st.sampled_from([KEPT, EXACT, NEAR, EARLY]),
            ),
            max_size=60,
        )
    )
    drawn = [Content(at, *row, like=0 if row[3] in (EXACT, NEAR) else None) for at, row in enumerate(rows, start=1)]
    return [Content(0, "https://a/x", "Go", 3, KEPT), *drawn]


def scatter_verdicts(task: Task) -> Counts:
    """Worker: the verdicts in the parameters, as the pass over bytes scatters them."""
    rows = pa.Table.from_pylist([{**dict(row), "path": b""} for row in task.params["rows"]], schema=VERDICTS)
    scatter(task, "verdicts", rows, VERDICTS, key="sha1_git", buckets=int(str(task.params["buckets"])))
    return {}


def write_decisions(task: Task) -> Counts:
    """Worker: the decisions of one bucket, sorted."""
    rows = [{**dict(row), "path": bytes.fromhex(row["path"])} for row in task.params["rows"]]
    table = pa.Table.from_pylist(rows, schema=DECISIONS).sort_by("sha1_git")
    task.write("decisions", table, DECISIONS)
    return counted(frame(table)) | {"kept_bytes": int(str(task.params["kept_bytes"]))}


def run(stage: str, tasks: list[Task]) -> list[Outcome]:
    return [finished(task) or perform(task) for task in tasks]


def run_twice_backwards(stage: str, tasks: list[Task]) -> list[Outcome]:
    """What a nervous cluster does: any order, every task repeated."""
    for task in reversed(tasks):
        perform(task)
    return [perform(task) for task in tasks]


def decided(
    root: Path, rows: list[Content], *, buckets: int = 3, parts: int = 2, seed: int = 0
) -> tuple[list[Outcome], tuple[Part, ...]]:
    """(outcomes of `decide`, VERDICTS parts) of `rows`, dealt to `parts` parts by `seed`."""
    dice, dealt = random.Random(seed), defaultdict(list)
    for row in dice.sample(rows, len(rows)):
        dealt[dice.randrange(parts)].append(row)
    read = [
        _task(root, "scatter_verdicts", part, "verdicts", {"rows": [_verdict(r) for r in mine], "buckets": buckets})
        for part, mine in sorted(dealt.items())
    ]
    numbers = bucket_of(pa.array([row.sha1_git for row in rows]), buckets)
    outcomes = []
    for bucket in sorted(set(numbers.tolist())):
        mine = [row for row, number in zip(rows, numbers, strict=True) if number == bucket]
        kept_bytes = sum(row.size for row in mine if row.fate == KEPT)
        params = {"rows": [_decision(row) for row in mine], "bucket": bucket, "kept_bytes": kept_bytes}
        outcomes.append(perform(_task(root, "write_decisions", bucket, "decisions", params)))
    return outcomes, tuple(perform(task).parts["verdicts"] for task in read)


def guarded(
    root: Path, rows: list[Content], settings: GuardSettings, *, buckets: int = 3, runner=run, **dealt: int
) -> Guarded:
    """The guard over `rows`."""
    outcomes, verdicts = decided(root, rows, buckets=buckets, **dealt)
    return guard(runner, root=str(root), settings=settings, decided=outcomes, verdicts=verdicts, buckets=buckets)


def decisions(root: Path, outcomes: tuple[Outcome, ...] | list[Outcome]) -> pl.DataFrame:
    """All decisions of `outcomes`, by sha1_git."""
    tables = [pl.read_parquet(root / outcome.parts["decisions"].path) for outcome in outcomes]
    return pl.concat([frame(DECISIONS.empty_table()), *tables]).sort("sha1_git")


def lost(rows: list[Content], kind: str) -> dict[str | None, tuple[int, int, int, int, int]]:
    """(contents, removed, near, bytes, removed bytes) of each language or source, counted one by one."""
    counts: dict[str | None, list[int]] = defaultdict(lambda: [0] * 5)
    for row in rows:
        if row.fate != EARLY:
            gone = row.fate != KEPT
            for at, number in enumerate((1, gone, row.fate == NEAR, row.size, row.size * gone)):
                counts[row.language if kind == "language" else row.origin][at] += number
    return {name: tuple(numbers) for name, numbers in counts.items()}


def _decision(row: Content) -> dict[str, object]:
    stage = {KEPT: "release", EARLY: "quality"}.get(row.fate, "deduplication")
    return {
        "sha1_git": row.sha1_git,
        "origin": row.origin,
        "path": row.path.hex(),
        "verdict": "kept" if row.fate == KEPT else "dropped",
        "stage": stage,
        "reason": None if row.fate == KEPT else row.fate,
        "kept": None if row.like is None else sha1_git(row.like),
        "jaccard": None if row.like is None else 1.0 if row.fate == EXACT else 0.75,
    }


def _verdict(row: Content) -> dict[str, object]:
    early = {"stage": "quality", "reason": EARLY} if row.fate == EARLY else {}
    named = {"sha1_git": row.sha1_git, "origin": row.origin, "part": 0, "licence_class": "permissive"}
    return {**named, "bytes": row.size, "language": row.language, **early}


def _task(root: Path, worker: str, number: int, output: str, params: dict[str, object]) -> Task:
    return Task(
        worker=f"tests.decisions.losing:{worker}",
        version="1",
        root=str(root),
        folder=f"made/{output}",
        partition=f"{number:05d}",
        outputs=(output,),
        params=params,  # type: ignore[arg-type]
    )
