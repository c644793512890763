"""Signatures from bytes: MB a CPU-second of Gristmill and of datasketch, on the same documents and shingles.

Usage: python benchmarks/minhash.py DOCUMENTS.parquet [--column content] [--megabytes 8] [--repeats 3]

Each implementation goes end to end, text to 256-permutation signature of the same 5-gram set, in one
process on one thread; the best of the repeats is shown. datasketch gets SHA-1 (its default hash) and its
fastest call, `update_batch`. rensa runs too where it is installed. Gristmill's compilation is left out and
shown apart. The first documents are compared bit for bit with datasketch under our hash function.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stages.deduplication import Settings, shingle_hash32, sign
from stages.deduplication.signing import shingle_sets

TOKEN = re.compile(rb"[A-Za-z0-9_]+")
SETTINGS = Settings()


def shingles(text: str) -> list[bytes]:
    """The distinct 5-grams of a text, by Python."""
    tokens = TOKEN.findall(text.encode())
    return list({b" ".join(tokens[at : at + 5]) for at in range(len(tokens) - 4)})


def by_datasketch(texts: pa.LargeStringArray) -> None:
    """datasketch 2, scheme affine32, SHA-1, `update_batch`; permutations made once."""
    model = MinHash(SETTINGS.permutations)
    for text in texts.to_pylist():
        MinHash(SETTINGS.permutations, permutations=model.permutations, scheme="affine32").update_batch(shingles(text))


def by_rensa(texts: pa.LargeStringArray) -> None:
    """rensa's RMinHash on shingles made by Python."""
    import rensa

    for text in texts.to_pylist():
        sketch = rensa.RMinHash(num_perm=SETTINGS.permutations, seed=42)
        sketch.update([shingle.decode() for shingle in shingles(text)])
        sketch.digest()


def by_python_sets(texts: pa.LargeStringArray) -> None:
    """Shingles alone: the ceiling of every design that makes them in Python."""
    for text in texts.to_pylist():
        shingles(text)


def by_gristmill(texts: pa.LargeStringArray) -> None:
    """Gristmill's `sign`."""
    sign(texts, SETTINGS)


def rate(work: Callable[[pa.LargeStringArray], None], texts: pa.LargeStringArray, repeats: int) -> float:
    """Best MB (10^6 bytes of UTF-8) a CPU-second over the repeats."""
    size = int(np.sum([len(text.encode()) for text in texts.to_pylist()])) / 1e6
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work(texts)
        best = min(best, time.process_time() - start)
    return size / best


def check(texts: pa.LargeStringArray) -> int:
    """How many of the texts have datasketch's very signature; stops at the first that has not."""
    signed = sign(texts, SETTINGS).to_pylist()
    for text, row in zip(texts.to_pylist(), signed, strict=True):
        found = shingles(text)
        sketch = MinHash(SETTINGS.permutations, seed=SETTINGS.seed, hashfunc=shingle_hash32)
        sketch.update_batch(found)
        if row["signature"] != (sketch.hashvalues.astype("<u4").tobytes() if found else None):
            raise SystemExit("signature differs from datasketch's")
    return len(signed)


def main() -> None:
    """Print one line an implementation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents")
    parser.add_argument("--column", default="content")
    parser.add_argument("--megabytes", type=float, default=8, help="of text given to each implementation")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    column = pq.read_table(options.documents, columns=[options.column])[options.column].cast(pa.large_string())
    texts = pa.concat_arrays(column.chunks)
    ends = np.cumsum(pa.compute.binary_length(texts).to_numpy(zero_copy_only=False))
    texts = texts.slice(0, int(np.searchsorted(ends, options.megabytes * 1e6)) + 1)
    start = time.process_time()
    sign(texts.slice(0, 1), SETTINGS)
    print(f"compile or load: {time.process_time() - start:.1f} CPU s; {len(texts)} documents")
    print(f"equal to datasketch bit for bit: {check(texts.slice(0, 50))} documents checked")
    rows: list[tuple[str, Callable[[pa.LargeStringArray], None]]] = [
        ("gristmill, 256 permutations", by_gristmill),
        ("gristmill, sorted shingle sets only", lambda some: shingle_sets(some) and None),
        ("Python shingle sets only", by_python_sets),
        ("datasketch 2 update_batch, 256 permutations", by_datasketch),
    ]
    if importlib.util.find_spec("rensa"):
        rows.append(("rensa RMinHash, 256 permutations, Python shingles", by_rensa))
    for name, work in rows:
        print(f"{rate(work, texts, options.repeats):8.1f} MB/CPU-s  {name}")


if __name__ == "__main__":
    main()
