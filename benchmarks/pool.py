"""A Runner over a few processes that lasts for a whole benchmark: what each step costs, and the largest process.

Workers are spawned, so that their peak memory is their own; compiled code is loaded once in each, as in a build.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa

from foundation import tables
from foundation.tasks import Counts, Outcome, Part, Task, finished, parts_of
from pipeline.runner import measured
from stages.deduplication import CANDIDATES, TEXTS, Settings, exact_duplicates, near_duplicates, sign


@dataclasses.dataclass
class Pool:
    """`workers` processes as a Runner; a context manager. `outcomes` by stage, in the order they ran."""

    workers: int = 2
    outcomes: dict[str, list[Outcome]] = dataclasses.field(default_factory=dict)

    def __enter__(self) -> Pool:
        self._pool = ProcessPoolExecutor(self.workers, mp_context=multiprocessing.get_context("spawn"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, stage: str, tasks: Sequence[Task]) -> list[Outcome]:
        """Run `tasks`, outcomes in their order."""
        done = list(self._pool.map(_perform, tasks))
        self.outcomes.setdefault(stage, []).extend(done)
        return done

    def cpu_seconds(self) -> float:
        """Of all tasks so far."""
        return sum(outcome.cpu_seconds for found in self.outcomes.values() for outcome in found)

    def peak_bytes(self) -> int:
        """Of the largest process so far, libraries and compiled code included."""
        return max(outcome.peak_bytes for found in self.outcomes.values() for outcome in found)

    def written(self) -> int:
        """Bytes of all parts written so far."""
        return sum(
            part.bytes for found in self.outcomes.values() for outcome in found for part in outcome.parts.values()
        )

    def counted(self, name: str) -> int:
        """Sum of one count over everything so far."""
        return sum(outcome.counts.get(name, 0) for found in self.outcomes.values() for outcome in found)

    def table(self, megabytes: float) -> str:
        """A Markdown table: tasks, CPU seconds, MB of `megabytes` a CPU-second and peak memory of each step."""
        lines = [
            "| step | tasks | CPU s | MB per CPU s | MB written | peak MB |",
            "|---|---|---|---|---|---|",
        ]
        for stage, found in self.outcomes.items():
            cpu = sum(outcome.cpu_seconds for outcome in found)
            size = sum(part.bytes for outcome in found for part in outcome.parts.values()) / 1e6
            peak = max((outcome.peak_bytes for outcome in found), default=0) / 1e6
            rate = megabytes / cpu if cpu else float("inf")
            lines.append(f"| {stage} | {len(found)} | {cpu:.2f} | {rate:.0f} | {size:.1f} | {peak:.0f} |")
        return "\n".join(lines)

    def reasons(self) -> dict[str, int]:
        """Every count over everything so far, by `stage:count`."""
        tally: collections.Counter[str] = collections.Counter()
        for stage, found in self.outcomes.items():
            for outcome in found:
                tally.update({f"{stage}:{name}": count for name, count in outcome.counts.items()})
        return dict(tally)


def write_part(root: Path, name: str, table: pa.Table, schema: pa.Schema) -> Part:
    """Write `table` as `<name>.parquet` below `root` and describe it as a Part."""
    written = tables.write_table(root / f"{name}.parquet", table, schema)
    return Part(f"{name}.parquet", written.sha256, written.rows, written.bytes)


def candidates_of(ids: pa.Array, hashes: pa.Array, signed: pa.Table, *, part: int) -> pa.Table:
    """CANDIDATES of equal rank, whose texts are in text part `part`."""
    zeros = np.zeros(len(ids), np.int64)
    return pa.table(
        {
            "sha1_git": ids,
            "text_sha256": hashes,
            "signature": signed["signature"],
            "shingles": signed["shingles"],
            "rank_licence": pa.array(zeros, pa.int8()),
            **dict.fromkeys(("rank_stars", "rank_forks", "rank_first_seen"), zeros),
            "rank_path": pa.array([b"a"] * len(ids)),
            "text_part": pa.array(zeros + part, pa.int32()),
        }
    )


def sign_texts(task: Task) -> Counts:
    """Worker: a part of TEXTS → CANDIDATES, as the pass over bytes makes them."""
    rows = task.read("texts", columns=TEXTS.names)
    texts = flat(rows["text"]).cast(pa.large_string())
    hashes = pa.array([hashlib.sha256(text.as_buffer()).hexdigest() for text in texts])
    part = int(str(task.params["part"]))
    table = candidates_of(flat(rows["sha1_git"]), hashes, sign(texts, Settings()), part=part)
    task.write("candidates", table, CANDIDATES, plain=("signature",))
    return {"in": rows.num_rows}


def flat(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def removed(pool: Pool, texts: tuple[Part, ...], *, root: str, folder: str) -> tuple[int, int]:
    """The whole stage, texts to removals: (exact, near) duplicates."""
    tasks = [
        Task(
            "pool:sign_texts",
            "1",
            root,
            f"{folder}/signed",
            f"{at:06d}",
            ("candidates",),
            {"texts": (part,)},
            {"part": at},
        )
        for at, part in enumerate(texts)
    ]
    candidates = parts_of(pool("sign", tasks), "candidates")
    exact = exact_duplicates(pool, root=root, folder=f"{folder}/exact", candidates=candidates)
    near = near_duplicates(
        pool,
        root=root,
        folder=f"{folder}/near",
        candidates=candidates,
        texts=texts,
        settings=Settings(),
        excluded=exact,
    )
    kept = (tables.read_table(Path(root, part.path), columns=["kept"])["kept"] for part in near)
    return sum(part.rows for part in exact), sum(len(column) - column.null_count for column in kept)


def _perform(task: Task) -> Outcome:
    return finished(task) or measured(task)
