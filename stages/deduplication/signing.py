"""Signatures and shingle sets of texts, equal to datasketch's on the same shingles.

`sign` → `signature` binary (permutations × 4 bytes, little-endian uint32; null when the text has fewer
than five tokens) and `shingles` int64 (distinct shingles; 0 with a null signature).

Load one into datasketch: `MinHash(num_perm=256, seed=1, hashfunc=shingle_hash32, scheme="affine32",
hashvalues=np.frombuffer(signature, "<u4"))`.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foundation.errors import UsageError
from stages.deduplication import kernel
from stages.deduplication.settings import NGRAM, Settings

SIGNED = pa.schema([("signature", pa.binary()), ("shingles", pa.int64())])

_SHINGLE = re.compile(rb"[A-Za-z0-9_]+(?: [A-Za-z0-9_]+){%d}" % (NGRAM - 1))
_ROWS = 1 << 16  # of one compiled call: bounds the signatures in memory and Arrow's 2 GiB of binary


def sign(texts: pa.LargeStringArray, settings: Settings) -> pa.Table:
    """One row a text, in order: SIGNED. Null texts count as too short. Cost: about 6 ns a byte, one core."""
    affine = permutations(settings.seed, settings.permutations)
    tables = [SIGNED.empty_table()]
    for start in range(0, len(texts), _ROWS):
        data, offsets = text_buffers(texts.slice(start, _ROWS))
        rows = len(offsets) - 1
        signatures = np.empty((rows, settings.permutations), dtype=np.uint32)
        sizes = np.empty(rows, dtype=np.int64)
        kernel.sign_texts(data, offsets, affine, signatures, sizes)
        columns = [_binary(signatures, sizes > 0), pa.array(sizes)]
        tables.append(pa.Table.from_arrays(columns, schema=SIGNED))
    return pa.concat_tables(tables)


@functools.cache
def permutations(seed: int, count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Multipliers (odd) and addends of datasketch's scheme `affine32` (`MinHash._init_permutations`)."""
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, count, dtype=np.uint32)
    a.setflags(write=False)
    b.setflags(write=False)
    return a, b


def shingle_hash64(shingle: bytes) -> int:
    """The kernel's 64-bit hash of a shingle given as its five tokens joined by one space."""
    if not _SHINGLE.fullmatch(shingle):
        raise UsageError(f"not a shingle: {shingle!r}", hint="five runs of [A-Za-z0-9_] joined by one space")
    data = np.frombuffer(shingle, dtype=np.uint8)
    tokens, table, values = np.empty(NGRAM + 1, np.uint64), np.empty(8, np.uint64), np.empty(1, np.uint64)
    count = kernel.tokenise(data, 0, len(data), tokens)
    kernel.distinct_shingles(tokens, count, table, values)
    return int(values[0])


def shingle_hash32(shingle: bytes) -> int:
    """`hashfunc` for datasketch: the high 32 bits of `shingle_hash64`."""
    return shingle_hash64(shingle) >> 32


def shingle_numbers(
    texts: pa.LargeStringArray, bounds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """(starts, sizes, numbers): text i's distinct shingles, numbered within its run, at numbers[starts[i]:][:sizes[i]].

    Run r is texts bounds[r] to bounds[r + 1]; a shingle has the same number in all texts of a run.
    Memory: 4 bytes a shingle, and 24 to 48 a distinct shingle of the largest run.
    """
    data, offsets = text_buffers(texts)
    starts = (offsets[:-1] - offsets[0]) // 2 + np.arange(len(texts))  # a token and its separator: two bytes or more
    room = (offsets[-1] - offsets[0]) // 2 + len(texts) + 1
    numbers, sizes = np.empty(room, dtype=np.int32), np.empty(len(texts), dtype=np.int64)
    kernel.number_shingles(data, offsets, bounds, (starts, sizes, numbers))
    return starts, sizes, numbers


def nodes_of(ids: pa.Array) -> NDArray[np.int64]:
    """A 64-bit hash of each id's bytes (FNV-1a, Murmur3's finaliser): what the id is called in graph steps."""
    data, offsets = text_buffers(ids.cast(pa.large_string()))
    nodes = np.empty(len(ids), dtype=np.int64)
    kernel.hash_values(data, offsets, nodes)
    return nodes


def signature_matrix(signatures: pa.BinaryArray, count: int) -> NDArray[np.uint32]:
    """(rows, count) uint32 of a null-free signature column; UsageError if a length is not 4 × count bytes."""
    return fixed_width(signatures, 4 * count).view("<u4")


def fixed_width(column: pa.Array | pa.ChunkedArray, width: int) -> NDArray[np.uint8]:
    """(rows, width) bytes of a null-free binary column of equal lengths; UsageError if one differs."""
    flat: Any = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) and column.num_chunks else column
    if len(flat) == 0:
        return np.empty((0, width), dtype=np.uint8)
    flat = flat.cast(pa.large_binary())
    lengths = np.asarray(pc.binary_length(flat).to_numpy(zero_copy_only=False))
    if flat.null_count or (lengths != width).any():
        found = sorted({int(length) for length in np.unique(lengths[~np.isnan(lengths)])})[:5]
        raise UsageError(
            f"values of {found} bytes, expected {width}", hint="sign the texts with the settings of this build"
        )
    offsets = np.frombuffer(flat.buffers()[1], dtype=np.int64)[flat.offset :]
    data = np.frombuffer(flat.buffers()[2], dtype=np.uint8)[offsets[0] :]
    return data[: len(flat) * width].reshape(len(flat), width)


def text_buffers(texts: pa.LargeStringArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(bytes, offsets) of the texts without copying; nulls have no bytes."""
    if not pa.types.is_large_string(texts.type):
        raise UsageError(f"texts of type {texts.type}, expected large_string")
    if len(texts) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    body = texts.buffers()[2]
    return (np.frombuffer(body, dtype=np.uint8) if body is not None and body.size else np.empty(0, np.uint8)), offsets


def _binary(signatures: NDArray[np.uint32], valid: NDArray[np.bool_]) -> pa.BinaryArray:
    width = signatures.shape[1] * 4
    chosen = np.ascontiguousarray(signatures[valid]).astype("<u4", copy=False)
    offsets = np.concatenate([[0], np.cumsum(valid * width)]).astype(np.int32)
    bitmap = np.packbits(valid, bitorder="little")
    buffers = [pa.py_buffer(bitmap.tobytes()), pa.py_buffer(offsets), pa.py_buffer(chosen)]
    return pa.BinaryArray.from_buffers(pa.binary(), len(valid), buffers)
