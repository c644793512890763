"""The whole deduplication stage on documents of yours: Parquet with texts in, decisions out, MB a CPU-second.

    python benchmarks/deduplication.py DOCUMENTS.parquet [--workers 1] [--megabytes 2000]

DOCUMENTS has columns `id` and `content` (text or UTF-8 bytes). They are first written as parts of about 8 MB, as
the pass over bytes writes them; from there everything counts: reading, signing, exact duplicates, bands, components,
reading the candidates' texts again, exact comparison. Loading compiled code is left out (a first run on a few
documents).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pool import Pool, removed, write_part

from foundation import clock, tables
from foundation.tasks import Part
from stages.deduplication import TEXTS

PART_BYTES = 8 << 20


def main() -> None:
    """Prepare the parts, run the stage, print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--megabytes", type=float, default=2_000, help="of text taken at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Pool(options.workers) as pool:
        texts, size = prepared(options.documents, Path(folder), most=options.megabytes * 1e6)
        first = tables.read_table(Path(folder, texts[0].path)).slice(0, 200)
        few = write_part(Path(folder), "few", first, TEXTS)
        removed(pool, (few,) * options.workers, root=folder, folder="warm")
        pool.outcomes.clear()
        began = clock.monotonic()
        exact, near = removed(pool, texts, root=folder, folder="run")
        wall, cpu = clock.monotonic() - began, pool.cpu_seconds()
        print(pool.table(size / 1e6))
        rows = sum(part.rows for part in texts)
        print(f"{rows} documents, {size / 1e6:.1f} MB; removed {exact} exact and {near} near duplicates")
        print(f"{size / 1e6 / cpu:.1f} MB per CPU second; {wall:.1f} s wall with {options.workers} workers")


def prepared(documents: str, root: Path, *, most: float) -> tuple[tuple[Part, ...], int]:
    """TEXTS parts of about PART_BYTES of text, and the bytes of all texts."""
    parts, total = [], 0
    for table, size in batches(documents):
        parts.append(write_part(root, f"texts-{len(parts)}", table, TEXTS))
        total += size
        if total >= most:
            break
    return tuple(parts), total


def batches(documents: str) -> Iterator[tuple[pa.Table, int]]:
    """(TEXTS, bytes of text) piece by piece."""
    held: list[tuple[str, str]] = []
    size = 0
    for batch in pq.ParquetFile(documents).iter_batches(500, columns=["id", "content"]):
        for name, content in zip(batch["id"].to_pylist(), batch["content"].to_pylist(), strict=True):
            text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
            held.append((name, text))
            size += len(text.encode())
            if size >= PART_BYTES:
                yield table_of(held), size
                held, size = [], 0
    if held:
        yield table_of(held), size


def table_of(rows: list[tuple[str, str]]) -> pa.Table:
    """TEXTS of (id, text)."""
    return pa.table(
        {
            "sha1_git": pa.array([name for name, _ in rows], pa.string()),
            "text": pa.array([text for _, text in rows], pa.large_string()),
        }
    )


if __name__ == "__main__":
    main()
