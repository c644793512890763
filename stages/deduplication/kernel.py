"""Compiled loops over the bytes of Arrow texts: tokens, shingle hashes, signatures, sketches.

Each loop releases the GIL and touches no Python object. Cost: about 1 ns a byte for tokens and hashes
plus `permutations` multiply-add-min a distinct shingle. Scratch memory: 8 bytes a token and 16 to 32
bytes a shingle of the longest text, reused from text to text.

A shingle's 64-bit hash: FNV-1a of each token, Murmur3's 64-bit finaliser, the sum of the five products
with xxHash64's primes, the finaliser again; 0 is read as 1. Two different shingles share a hash with
chance at most 2^-61 (differences of the primes have at most three factors of two), so n distinct
shingles compared with each other hold a false match with chance below n²/2^62: 3e-9 for 10^5.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes: TypeAlias = "NDArray[np.uint8]"
Words: TypeAlias = "NDArray[np.uint32]"
Hashes: TypeAlias = "NDArray[np.uint64]"
Offsets: TypeAlias = "NDArray[np.int64]"

_u8 = np.uint64
TABLE = 1 << 12  # slots of a fresh table of shingles
NGRAM = 5  # as in settings: one prime each; here again because compiled code is cached by this file alone
FNV_BASIS, FNV_PRIME = _u8(0xCBF29CE484222325), _u8(0x100000001B3)
P1, P2, P3 = _u8(0x9E3779B185EBCA87), _u8(0xC2B2AE3D27D4EB4F), _u8(0x165667B19E3779F9)
P4, P5 = _u8(0x85EBCA77C2B2AE63), _u8(0x27D4EB2F165667C5)
M1, M2, S33 = _u8(0xFF51AFD7ED558CCD), _u8(0xC4CEB9FE1A85EC53), _u8(33)
_ZERO, _ONE, _S32, _S6 = _u8(0), _u8(1), _u8(32), _u8(6)

WORD = np.zeros(256, dtype=np.uint8)
"""1 for the bytes of [A-Za-z0-9_]."""
WORD[np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", dtype=np.uint8)] = 1
WORD.setflags(write=False)


@njit(cache=True, nogil=True, inline="always")
def fmix64(h: Any) -> Any:
    """Murmur3's 64-bit finaliser, a bijection."""
    h ^= h >> S33
    h *= M1
    h ^= h >> S33
    h *= M2
    return h ^ (h >> S33)


@njit(cache=True, nogil=True, inline="always")
def fmix32(h: Any) -> Any:
    """Murmur3's 32-bit finaliser, a bijection; datasketch's pre-mix."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@njit(cache=True, nogil=True)
def tokenise(data: Bytes, start: int, end: int, tokens: Hashes) -> int:
    """Write the mixed hash of every token of data[start:end] to `tokens` (one place to spare); returns how many.

    Branch-free: every byte writes its running hash, and only the end of a token moves on.
    """
    count = 0
    inside = 0
    state = FNV_BASIS
    for at in range(start, end):
        byte = data[at]
        word = int(WORD[byte])
        tokens[count] = state
        count += inside & (1 - word)
        following = (state ^ _u8(byte)) * FNV_PRIME
        state = following if word else FNV_BASIS
        inside = word
    tokens[count] = state
    count += inside
    for at in range(count):
        tokens[at] = fmix64(tokens[at])
    return count


@njit(cache=True, nogil=True, inline="always")
def shingle_at(tokens: Any, at: Any) -> Any:
    """Hash of the shingle that begins with token `at`; never 0."""
    mixed = tokens[at] * P1 + tokens[at + 1] * P2 + tokens[at + 2] * P3 + tokens[at + 3] * P4 + tokens[at + 4] * P5
    value = fmix64(mixed)
    return _ONE if value == _ZERO else value


@njit(cache=True, nogil=True)
def distinct_shingles(tokens: Hashes, count: int, table: Hashes, shingles: Hashes) -> int:
    """Write the distinct shingle hashes of `count` tokens to `shingles`, in order of first sight; returns how many."""
    total = count - NGRAM + 1
    if total <= 0:
        return 0
    size = 8
    while size < 2 * total:
        size *= 2
    mask = _u8(size - 1)
    table[:size] = _ZERO
    found = 0
    for at in range(total):
        value = shingle_at(tokens, at)
        slot = value & mask
        while table[slot] != _ZERO and table[slot] != value:
            slot = (slot + _ONE) & mask
        if table[slot] == _ZERO:
            table[slot] = value
            shingles[found] = value
            found += 1
    return found


@njit(cache=True, nogil=True)
def permute(mixed: Words, count: int, a: Words, b: Words, out: Words) -> None:
    """out[k] = min over the first `count` of `mixed` of a[k]·h + b[k] mod 2^32.

    Four values at a time, so that `out` is read and written once for four; conditional expressions, not
    min(), keep the loop in 32-bit vectors (ten times as fast).
    """
    out[:] = np.uint32(0xFFFFFFFF)
    whole = count // 4 * 4
    for at in range(0, whole, 4):
        h0, h1, h2, h3 = mixed[at], mixed[at + 1], mixed[at + 2], mixed[at + 3]
        for k in range(len(out)):
            v0, v1 = np.uint32(a[k] * h0 + b[k]), np.uint32(a[k] * h1 + b[k])
            v2, v3 = np.uint32(a[k] * h2 + b[k]), np.uint32(a[k] * h3 + b[k])
            v0 = v1 if v1 < v0 else v0
            v2 = v3 if v3 < v2 else v2
            v0 = v2 if v2 < v0 else v0
            out[k] = v0 if v0 < out[k] else out[k]
    for at in range(whole, count):
        h = mixed[at]
        for k in range(len(out)):
            value = np.uint32(a[k] * h + b[k])
            out[k] = value if value < out[k] else out[k]


@njit(cache=True, nogil=True)
def scratch(offsets: Offsets) -> tuple[Hashes, Hashes, Hashes]:
    """(tokens, table, shingles) large enough for the longest text; untouched pages cost nothing."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    most = longest // 2 + 2
    size = 8
    while size < 2 * most:
        size *= 2
    return np.empty(most, np.uint64), np.empty(size, np.uint64), np.empty(most, np.uint64)


@njit(cache=True, nogil=True)
def sign_texts(data: Bytes, offsets: Offsets, affine: tuple[Words, Words], signatures: Words, sizes: Offsets) -> None:
    """Fill signatures[row, :] and sizes[row] (distinct shingles; 0 leaves the signature undefined)."""
    tokens, table, shingles = scratch(offsets)
    mixed = np.empty(len(shingles), np.uint32)
    for row in range(len(offsets) - 1):
        count = tokenise(data, offsets[row], offsets[row + 1], tokens)
        found = distinct_shingles(tokens, count, table, shingles)
        sizes[row] = found
        if found:
            for at in range(found):
                mixed[at] = fmix32(np.uint32(shingles[at] >> _S32))
            permute(mixed, found, affine[0], affine[1], signatures[row])


@njit(cache=True, nogil=True)
def hash_values(data: Bytes, offsets: Offsets, out: Offsets) -> None:
    """out[row] = fmix64 of the FNV-1a of data[offsets[row]:offsets[row + 1]]."""
    for row in range(len(out)):
        state = FNV_BASIS
        for at in range(offsets[row], offsets[row + 1]):
            state = (state ^ _u8(data[at])) * FNV_PRIME
        out[row] = np.int64(fmix64(state))


@njit(cache=True, nogil=True)
def number_shingles(
    data: Bytes, offsets: Offsets, bounds: Offsets, out: tuple[Offsets, Offsets, NDArray[np.int32]]
) -> None:
    """Number the shingles of each run of texts in order of first sight; `out` is (starts, sizes, numbers).

    Fills numbers[starts[row] : starts[row] + sizes[row]] with each row's distinct ones. One open-addressing table a
    run, at most half full; it grows with what it holds, so that it stays in cache for a run of near copies.
    """
    starts, sizes, numbers = out
    tokens, _, _ = scratch(offsets)
    keys, names, seen = _table()
    for run in range(len(bounds) - 1):
        known = 0
        for row in range(bounds[run], bounds[run + 1]):
            total = tokenise(data, offsets[row], offsets[row + 1], tokens) - NGRAM + 1
            at, end = 0, starts[row]
            while at < total:
                at, known, end = _number(tokens, (at, total), (keys, names, seen), numbers, (known, end, row))
                if at < total:
                    keys, names, seen = _grown(keys, names, seen)
            sizes[row] = end - starts[row]
        if len(keys) > TABLE:
            keys, names, seen = _table()
        else:
            keys[:] = _ZERO


@njit(cache=True, nogil=True)
def _table() -> tuple[Hashes, NDArray[np.int32], Offsets]:
    """An empty table: keys (0: free), their numbers, and for each number the last row that had it."""
    return np.zeros(TABLE, np.uint64), np.empty(TABLE, np.int32), np.full(TABLE, -1, np.int64)


@njit(cache=True, nogil=True)
def _number(
    tokens: Hashes,
    span: tuple[int, int],
    table: tuple[Hashes, NDArray[np.int32], Offsets],
    numbers: NDArray[np.int32],
    reached: tuple[int, int, int],
) -> tuple[int, int, int]:
    """Number the shingles of a row from `span`'s first to its last, until the table is half full.

    `reached` is (known, end, row): numbers given, place for the next in `numbers`. Returns (at, known, end).
    """
    at, total = span
    known, end, row = reached
    keys, names, seen = table
    mask = _u8(len(keys) - 1)
    while at < total and 2 * known < len(keys):
        value = shingle_at(tokens, at)
        slot = value & mask
        while keys[slot] != _ZERO and keys[slot] != value:
            slot = (slot + _ONE) & mask
        if keys[slot] == _ZERO:
            keys[slot], names[slot], seen[known] = value, known, -1
            known += 1
        name = names[slot]
        if seen[name] != row:
            seen[name] = row
            numbers[end] = name
            end += 1
        at += 1
    return at, known, end


@njit(cache=True, nogil=True)
def _grown(keys: Hashes, names: NDArray[np.int32], seen: Offsets) -> tuple[Hashes, NDArray[np.int32], Offsets]:
    """The table with twice the room."""
    size = 2 * len(keys)
    more, renamed, longer = np.zeros(size, np.uint64), np.empty(size, np.int32), np.full(size, -1, np.int64)
    longer[: len(seen)] = seen
    mask = _u8(size - 1)
    for at in range(len(keys)):
        if keys[at] != _ZERO:
            slot = keys[at] & mask
            while more[slot] != _ZERO:
                slot = (slot + _ONE) & mask
            more[slot], renamed[slot] = keys[at], names[at]
    return more, renamed, longer


@njit(cache=True, nogil=True)
def band_keys(signatures: Words, rows: int, keys: Offsets) -> None:
    """keys[row, band] = 64-bit hash of the band's number and its `rows` signature values."""
    for row in range(len(keys)):
        for band in range(keys.shape[1]):
            state = fmix64(_u8(band) + P5)
            for at in range(band * rows, (band + 1) * rows):
                state = fmix64((state ^ _u8(signatures[row, at])) * P1)
            keys[row, band] = np.int64(state)


@njit(cache=True, nogil=True)
def sketch_words(signatures: Words, words: Hashes) -> None:
    """words[row, :] = one bit a signature value, the lowest of its finaliser: half of unequal ones agree."""
    for row in range(len(words)):
        words[row, :] = _ZERO
        for at in range(signatures.shape[1]):
            bit = _u8(fmix32(signatures[row, at])) & _ONE
            words[row, at >> 6] |= bit << _u8(at & 63)
