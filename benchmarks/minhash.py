"""MinHash signatures from text: MB a CPU-second of Gristmill and of its peers, same documents, 256 hashes each.

Usage: python benchmarks/minhash.py DOCUMENTS.parquet [--column content] [--megabytes 8] [--repeats 3]

A row is one implementation on all documents, in one process on one thread; the best of the repeats is
shown, in MB (10^6 bytes of UTF-8) a CPU second. What is timed stands in the row:
`text` = text to signature, each peer with the fastest 5-grams that Python can make (datatrove and the BigCode
kernel with their own), `hashes` = signature alone, from the distinct shingle hashes that our kernel made. Texts
are given as each wants them; compiling, loading and reading the documents are left out.

Before anything is timed each implementation is checked: 256 values a document, and an estimate of Jaccard
that stays within 0.05 (root mean square over 200 pairs; theory: sqrt(J(1-J)/256) <= 0.031) of the exact
value over the very shingles that it uses. Ours is compared with datasketch's, bit for bit.
A peer that is not installed is left out, and the table says so. Peers: pip install 'datasketch==2.*'
'rensa==0.5.*' 'datatrove[processing]==0.10.*' spacy xxhash
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.metadata
import itertools
import os
import re
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stages.deduplication import Settings, kernel, shingle_hash32, sign

HASHES = 256
NGRAM = 5
SETTINGS = Settings()
BYTES_TOKEN = re.compile(rb"[A-Za-z0-9_]+")
TEXT_TOKEN = re.compile("[A-Za-z0-9_]+")
OURS, DATASKETCH, RENSA, FLAT = "gristmill", "datasketch", "rensa, Python shingles", "rensa, our shingle hashes"


@dataclasses.dataclass(frozen=True)
class Documents:
    """The same texts as Arrow and Python hold them, and the distinct shingle hashes of each, one after another."""

    arrow: pa.LargeStringArray
    texts: list[str]
    hashes: np.ndarray  # uint64
    starts: np.ndarray  # uint64, one more than texts

    @classmethod
    def of(cls, texts: Sequence[str]) -> Documents:
        """The documents of `texts`."""
        arrow = pa.array(texts, pa.large_string())
        return cls(arrow, list(texts), *flat_hashes(arrow))


@dataclasses.dataclass(frozen=True)
class Contender:
    """One implementation: `work` is timed, `rows` makes (documents, 256) of what it returns, for the check.

    `shingles` gives the set that it hashes, for the exact Jaccard.
    """

    group: str
    name: str
    scope: str
    work: Callable[[Documents], Any]
    rows: Callable[[Any], np.ndarray]
    shingles: Callable[[str], set[Any]]


def byte_shingles(text: str) -> set[bytes]:
    """The distinct 5-grams of a text, the fastest way in Python."""
    tokens = BYTES_TOKEN.findall(text.encode())
    return set(map(b" ".join, zip(*(tokens[at:] for at in range(NGRAM)), strict=False)))


def text_shingles(text: str) -> set[str]:
    """The same as `str`."""
    tokens = TEXT_TOKEN.findall(text)
    return set(map(" ".join, zip(*(tokens[at:] for at in range(NGRAM)), strict=False)))


def every_shingle(text: str) -> Iterable[str]:
    """The 5-grams of a text with their repeats, which a sketch fast enough may as well hash again."""
    tokens = TEXT_TOKEN.findall(text)
    return map(" ".join, zip(*(tokens[at:] for at in range(NGRAM)), strict=False))


@njit(cache=True, nogil=True)
def _flat(data: Any, offsets: Any, hashes: Any, starts: Any) -> None:
    tokens, table, shingles = kernel.scratch(offsets)
    at = 0
    for row in range(len(offsets) - 1):
        count = kernel.tokenise(data, offsets[row], offsets[row + 1], tokens)
        found = kernel.distinct_shingles(tokens, count, table, shingles)
        hashes[at : at + found] = shingles[:found]
        at += found
        starts[row + 1] = at


def flat_hashes(texts: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """(hashes, starts): the distinct shingle hashes of each text by our kernel, in order of first sight."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)[: len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)
    hashes = np.empty(int(offsets[-1]) // 2 + 1, dtype=np.uint64)
    starts = np.zeros(len(texts) + 1, dtype=np.uint64)
    _flat(data, offsets, hashes, starts)
    return hashes[: int(starts[-1])], starts


def gristmill() -> list[Contender]:
    """Ours, and the shingling inside it."""

    def rows(signed: pa.Table) -> np.ndarray:
        return np.frombuffer(b"".join(signed["signature"].to_pylist()), "<u4").reshape(len(signed), -1)

    return [
        Contender(OURS, "sign", "text", lambda docs: sign(docs.arrow, SETTINGS), rows, byte_shingles),
    ]


def _batches(texts: Sequence[str], size: int = 256) -> Iterator[Sequence[str]]:
    return (texts[at : at + size] for at in range(0, len(texts), size))


def datasketch() -> list[Contender]:
    """datasketch, scheme affine32; the permutations are made once and shared."""
    from datasketch import MinHash

    shared = MinHash(HASHES).permutations
    made = {"permutations": shared, "scheme": "affine32"}

    def batch(docs: Documents, **more: Any) -> list[Any]:
        sketches = []
        for text in docs.texts:
            sketch = MinHash(HASHES, **made, **more)
            sketch.update_batch(list(byte_shingles(text)))
            sketches.append(sketch)
        return sketches

    def bulk(docs: Documents) -> list[Any]:
        return list(MinHash.generator((list(byte_shingles(text)) for text in docs.texts), num_perm=HASHES, **made))

    calls: list[tuple[str, Callable[[Documents], Any]]] = [("update_batch, SHA-1", batch), ("generator, SHA-1", bulk)]
    try:
        import xxhash

        calls.append(("update_batch, xxh32", lambda docs: batch(docs, hashfunc=xxhash.xxh32_intdigest)))
    except ImportError:
        print("datasketch with xxh32 left out: xxhash is not installed")
    return [Contender(DATASKETCH, name, "text", call, _sketch_rows, byte_shingles) for name, call in calls]


def rensa() -> list[Contender]:
    """rensa: sketches of Python's shingles, and its flat call on the hashes that our kernel makes.

    Its R-MinHash is Fast Similarity Sketching: 256 values, but fewer than 256 hashes of each shingle. Its "rho"
    calls sample tokens, and are no MinHash of the whole document.
    """
    from rensa import CMinHash, RMinHash

    def one_by_one(shingles: Callable[[str], Iterable[str]]) -> Callable[[Documents], Any]:
        def work(docs: Documents) -> list[Any]:
            sketches = []
            for text in docs.texts:
                sketch = RMinHash(num_perm=HASHES, seed=42)
                sketch.update(list(shingles(text)))
                sketches.append(sketch.digest())
            return sketches

        return work

    def matrices(docs: Documents) -> list[Any]:
        batches = ([list(every_shingle(text)) for text in some] for some in _batches(docs.texts))
        return [RMinHash.digest_matrix_from_token_sets(sets, num_perm=HASHES, seed=42) for sets in batches]

    def circulant(docs: Documents) -> list[Any]:
        batches = ([list(every_shingle(text)) for text in some] for some in _batches(docs.texts))
        return [row for sets in batches for row in CMinHash.digests64_from_token_sets(sets, num_perm=HASHES, seed=42)]

    def flat(hashes: np.ndarray, starts: np.ndarray) -> Any:
        return RMinHash.digest_matrix_from_flat_token_hashes(hashes, starts, num_perm=HASHES, seed=42)

    def both(docs: Documents) -> Any:
        return flat(*flat_hashes(docs.arrow))

    def rows(*found: Any) -> np.ndarray:
        return np.concatenate([np.array(matrix.to_rows()) for matrix in found])

    by_set, by_list = one_by_one(text_shingles), one_by_one(every_shingle)
    name = "RMinHash.digest_matrix_from_flat_token_hashes"
    return [
        Contender(RENSA, "RMinHash.update, set", "text", by_set, np.array, text_shingles),
        Contender(RENSA, "RMinHash.update, repeats left in", "text", by_list, np.array, text_shingles),
        Contender(
            RENSA, "RMinHash.digest_matrix_from_token_sets", "text", matrices, lambda found: rows(*found), text_shingles
        ),
        Contender(RENSA, "CMinHash.digests64_from_token_sets", "text", circulant, np.array, text_shingles),
        Contender(FLAT, name, "text", both, rows, text_shingles),
        Contender(FLAT, name, "hashes", lambda docs: flat(docs.hashes, docs.starts), rows, text_shingles),
    ]


def datatrove() -> list[Contender]:
    """datatrove's signature step: 16 buckets of 16 hashes, its own 5-grams of spaCy's English words, xxh64."""
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    config = MinhashConfig(n_grams=NGRAM, num_buckets=16, hashes_per_bucket=16)
    step = MinhashDedupSignature(tempfile.gettempdir(), config)

    def whole(docs: Documents) -> list[Any]:
        made = (step.get_shingles(text) for text in docs.texts)
        return [step.get_signature(shingles) for shingles in made if shingles.size]  # as its own run() does

    def signature(docs: Documents) -> list[Any]:
        ends = docs.starts.tolist()
        pieces = (docs.hashes[start:end] for start, end in itertools.pairwise(ends))
        return [step.get_signature(piece.reshape(-1, 1)) for piece in pieces]

    def rows(signatures: list[Any]) -> np.ndarray:
        return np.array(signatures).reshape(len(signatures), -1)

    def own(text: str) -> set[int]:
        return set(step.get_shingles(text).ravel().tolist())

    return [
        Contender("datatrove", "get_shingles, get_signature", "text", whole, rows, own),
        Contender("datatrove", "get_signature", "hashes", signature, rows, text_shingles),
    ]


def bigcode() -> list[Contender]:
    """The arithmetic of the BigCode kernel, in our words.

    Published as `embed_func` in bigcode-project/bigcode-dataset, near_deduplication/minhash_deduplication.py, and
    in ChenghaoMou/text-dedup: every byte that is no word character splits (so most tokens are empty), 5-grams as a
    set, the first 32 bits of SHA-1, (a·h + b) mod (2^61 − 1) mod 2^32 in 64-bit numpy, the least of each column.
    """
    splits = re.compile("[^A-Za-z_0-9]")
    prime, mask = np.uint64((1 << 61) - 1), np.uint64((1 << 32) - 1)
    random = np.random.RandomState(42)
    a = random.randint(1, int(prime), HASHES, dtype=np.uint64)
    b = random.randint(0, int(prime), HASHES, dtype=np.uint64)

    def own(text: str) -> set[str]:
        tokens = splits.split(text)
        return set(map(" ".join, zip(*(tokens[at:] for at in range(NGRAM)), strict=False)))

    def signature(text: str) -> np.ndarray:
        words = [struct.unpack("<I", hashlib.sha1(shingle.encode()).digest()[:4])[0] for shingle in own(text)]
        hashed = np.array(words, dtype=np.uint64).reshape(-1, 1)
        return (((hashed * a + b) % prime) & mask).min(axis=0)

    def work(docs: Documents) -> list[np.ndarray]:
        return [signature(text) for text in docs.texts]

    return [Contender("BigCode / text-dedup kernel", "numpy, SHA-1", "text", work, np.array, own)]


def _sketch_rows(sketches: Iterable[Any]) -> np.ndarray:
    return np.array([sketch.hashvalues for sketch in sketches])


PEERS: dict[str, Callable[[], list[Contender]]] = {
    "gristmill": gristmill,
    "datasketch": datasketch,
    "rensa": rensa,
    "datatrove": datatrove,
    "numpy": bigcode,
}


def contenders() -> list[Contender]:
    """Every contender whose package is here; versions and what is left out are printed."""
    found: list[Contender] = []
    for package, make in PEERS.items():
        try:
            made = make()
        except ImportError as error:
            print(f"{package}: left out, {error}")
            continue
        if package != "gristmill":
            print(f"{package} {importlib.metadata.version(package)}")
        found += made
    return found


def check_same_as_datasketch(docs: Documents) -> int:
    """How many documents have datasketch's very signature under our hash function; stops at the first that has not."""
    from datasketch import MinHash

    for text, row in zip(docs.texts, sign(docs.arrow, SETTINGS)["signature"].to_pylist(), strict=True):
        sketch = MinHash(HASHES, seed=SETTINGS.seed, hashfunc=shingle_hash32)
        sketch.update_batch(list(byte_shingles(text)))
        if row != sketch.hashvalues.astype("<u4").tobytes():
            raise SystemExit("a signature differs from datasketch's")
    return len(docs.texts)


def check_estimate(one: Contender, texts: Sequence[str]) -> float:
    """Root mean square error of the estimated Jaccard of each text with a version whose last third is another's."""
    changed = [
        text[: 2 * len(text) // 3] + "\n" + other[: len(text) // 3]
        for text, other in zip(texts, [*texts[1:], texts[0]], strict=True)
    ]
    left, right = (one.rows(one.work(Documents.of(some))) for some in (texts, changed))
    if left.shape != (len(texts), HASHES):
        raise SystemExit(f"{one.group}: {left.shape} instead of {len(texts)} × {HASHES} values")
    errors = []
    for row, (text, version) in enumerate(zip(texts, changed, strict=True)):
        a, b = one.shingles(text), one.shingles(version)
        errors.append(float(np.mean(left[row] == right[row])) - len(a & b) / len(a | b))
    error = float(np.sqrt(np.mean(np.square(errors))))
    if error > 0.05:
        raise SystemExit(f"{one.group}, {one.name}: estimates are off by {error:.3f}")
    return error


def best_seconds(every: Sequence[Contender], docs: Documents, repeats: int) -> list[float]:
    """Least CPU seconds (all threads) of each; the repeats go round, so that a busy machine is busy for all."""
    best = [float("inf")] * len(every)
    for _ in range(repeats):
        for at, one in enumerate(every):
            start = time.process_time()
            one.work(docs)
            best[at] = min(best[at], time.process_time() - start)
    return best


def read_texts(path: str, column: str, megabytes: float) -> list[str]:
    """The first documents of `path` with at least five tokens, `megabytes` of them."""
    texts: list[str] = []
    size = 0
    for batch in pq.ParquetFile(path).iter_batches(columns=[column], batch_size=256):
        for text in batch.column(0).cast(pa.large_string()).to_pylist():
            if len(byte_shingles(text or "")) and size < megabytes * 1e6:
                texts.append(text)
                size += len(text.encode())
    return texts


def print_table(every: Sequence[Contender], rates: Sequence[float], errors: Sequence[float]) -> None:
    """One row a contender, and ours against what was aimed at."""
    best: dict[str, float] = {}
    for one, rate in zip(every, rates, strict=True):
        if one.scope == "text":
            best[one.group] = max(best.get(one.group, 0.0), rate)
    print(
        "| implementation | call | from | MB/CPU-s | ours is faster by | RMSE of Jaccard |\n|---|---|---|---|---|---|"
    )
    for one, rate, error in zip(every, rates, errors, strict=True):
        ratio = f"{best[OURS] / rate:.1f}" if one.scope == "text" and one.group != OURS else ""
        print(f"| {one.group} | {one.name} | {one.scope} | {rate:.1f} | {ratio} | {error:.3f} |")
    print(f"\ngoal: 90 MB/CPU-s: {best[OURS]:.0f}")
    for group, goal in ((DATASKETCH, 20), (RENSA, 9)):
        if group in best:
            print(f"goal: {goal} times the best of {group}: {best[OURS] / best[group]:.1f}")


def main() -> None:
    """Print the versions, the checks, one row a contender, and the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", help="a Parquet file")
    parser.add_argument("--column", default="content", help="its text column")
    parser.add_argument("--megabytes", type=float, default=8, help="of text given to each contender")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = "1"  # rensa would use every core; CPU seconds are compared, not cores
    texts = read_texts(options.documents, options.column, options.megabytes)
    docs = Documents.of(texts)
    size = sum(len(text.encode()) for text in texts) / 1e6
    every = contenders()
    print(f"{len(texts)} documents, {size:.1f} MB, {len(docs.hashes)} distinct shingles, best of {options.repeats}")
    print(f"equal to datasketch bit for bit: {check_same_as_datasketch(Documents.of(texts[:50]))} documents checked\n")
    errors = [check_estimate(one, texts[:200]) for one in every]
    rates = [size / seconds for seconds in best_seconds(every, docs, options.repeats)]
    print_table(every, rates, errors)


if __name__ == "__main__":
    main()
