"""Deduplication of millions of small made-up files: time, bytes moved and memory a content.

    python benchmarks/signatures.py [--count 5000000] [--workers 2] [--out FOLDER]

Texts are 40 random words; a quarter of the files are copies of an earlier one with one word changed (Jaccard about
0.76). How many of those must be found follows from the threshold and is checked. Prints cost by step, bytes written by
all exchanges, and the largest process.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pool import Pool, removed, write_part

from foundation import clock
from foundation.tasks import Part
from stages.deduplication import TEXTS

WORDS, LETTERS = 40, 8
PART_ROWS = 50_000
COPY = 4  # every fourth file is a changed copy of the one before it
HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def main() -> None:
    """Make the files, run the stage, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", default=None, help="where the work files go (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.out) as folder, Pool(options.workers) as pool:
        texts = made_up(Path(folder), options.count)
        began = clock.monotonic()
        exact, near = removed(pool, texts, root=folder, folder="run")
        wall = clock.monotonic() - began
        size = options.count * WORDS * (LETTERS + 1) / 1e6
        print(pool.table(size))
        expected = options.count // COPY
        print(f"{options.count} contents; removed {exact} exact, {near} near of {expected} copies")
        print(
            f"{wall:.0f} s wall with {options.workers} workers, {pool.cpu_seconds():.0f} CPU s"
            f" = {pool.cpu_seconds() / options.count * 1e6:.1f} µs a content;"
            f" {pool.written() / options.count:.0f} bytes written a content;"
            f" largest process {pool.peak_bytes() / 1e6:.0f} MB"
        )


def made_up(root: Path, count: int) -> tuple[Part, ...]:
    """TEXTS parts of `count` files."""
    return tuple(
        write_part(root, f"texts-{part}", table_of(min(PART_ROWS, count - first), part), TEXTS)
        for part, first in enumerate(range(0, count, PART_ROWS))
    )


def table_of(rows: int, seed: int) -> pa.Table:
    """TEXTS of `rows` files, each with a random id."""
    dice = np.random.default_rng(seed)
    words = HEX[dice.integers(0, 16, (rows, WORDS, LETTERS), dtype=np.uint8)]
    copies = np.arange(COPY - 1, rows, COPY)
    words[copies] = words[copies - 1]
    words[copies, WORDS // 2] = HEX[dice.integers(0, 16, (len(copies), LETTERS), dtype=np.uint8)]
    spaced = np.full((rows, WORDS, LETTERS + 1), ord(" "), dtype=np.uint8)
    spaced[:, :, :LETTERS] = words
    ids = HEX[dice.integers(0, 16, (rows, 40), dtype=np.uint8)]
    return pa.table({"sha1_git": strings(ids).cast(pa.string()), "text": strings(spaced.reshape(rows, -1))})


def strings(rows: NDArray[np.uint8]) -> pa.LargeStringArray:
    """A column of ASCII rows of equal length."""
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * rows.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(rows))]
    return pa.LargeStringArray.from_buffers(len(rows), buffers[1], buffers[2])


if __name__ == "__main__":
    main()
