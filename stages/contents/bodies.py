"""The body of a text: its tokens after the comments at its head, so that a file with another licence header is known.

`body_keys` → 32 hex digits for each text with at least BODY_TOKENS tokens in its body, else null. Two texts have the
same key when their bodies have the same tokens in the same order (maximal runs of [A-Za-z0-9_], case kept; white
space and punctuation do not count). The head is what stands before the first byte that is neither white space nor in
a comment of any common kind, whatever the language: both copies of a file lose the same lines of code, if any
(`#include` is taken for a comment), and only lines at the head. Keys are 128 bits: that any two of 3 G different bodies
share one has a chance of 1e-20.
Cost: about 2 ns a byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from stages.deduplication.kernel import Bytes, Hashes, Offsets, fmix64, scratch, tokenise
from stages.deduplication.signing import text_buffers

BODY_TOKENS = 50
"""Fewer tokens than these are too likely to be written twice by two people."""

_BLOCKS = (
    (b"/*", b"*/"),
    (b"<!--", b"-->"),
    (b"<?xml", b"?>"),
    (b"(*", b"*)"),
    (b"{-", b"-}"),
    (b"--[[", b"]]"),
    (b"=begin", b"=end"),
    (b'"""', b'"""'),
    (b"'''", b"'''"),
    (b"#|", b"|#"),
    (b"%{", b"%}"),
)
_LINES = (b"#", b"//", b"--", b";", b"%", b"'", b"!", b"@rem", b"REM ", b"rem ", b"dnl ", b"<?php")
_ROOM = 8


def _padded(marks: tuple[bytes, ...]) -> NDArray[np.uint8]:
    """Rows of _ROOM bytes: a mark, zeros behind it."""
    return np.array([list(mark.ljust(_ROOM, b"\x00")) for mark in marks], dtype=np.uint8)


_OPENS, _CLOSES = _padded(tuple(a for a, _ in _BLOCKS)), _padded(tuple(b for _, b in _BLOCKS))
_LINE_MARKS = _padded(_LINES)


def body_keys(texts: pa.LargeStringArray) -> pa.StringArray:
    """One key a text, in order; see the module."""
    data, offsets = text_buffers(texts)
    keys = np.zeros((len(texts), 2), dtype=np.uint64)
    counts = np.zeros(len(texts), dtype=np.int64)
    _fill(data, offsets, (_OPENS, _CLOSES, _LINE_MARKS), keys, counts)
    named = [key.tobytes().hex() if count >= BODY_TOKENS else None for key, count in zip(keys, counts, strict=True)]
    return pa.array(named, pa.string())


def head_length(text: str) -> int:
    """Bytes of UTF-8 before the body of one text."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return int(_head_end(data, 0, len(data), (_OPENS, _CLOSES, _LINE_MARKS)))


@njit(cache=True, nogil=True)
def _fill(data: Bytes, offsets: Offsets, marks: Any, keys: Hashes, counts: Offsets) -> None:
    tokens, _, _ = scratch(offsets)
    for row in range(len(counts)):
        start = _head_end(data, offsets[row], offsets[row + 1], marks)
        count = tokenise(data, start, offsets[row + 1], tokens)
        first, second = np.uint64(count), ~np.uint64(count)
        for at in range(count):
            first = fmix64(first ^ tokens[at])
            second = fmix64(second * np.uint64(0x9E3779B185EBCA87) + tokens[at])
        keys[row, 0], keys[row, 1] = first, second
        counts[row] = count


@njit(cache=True, nogil=True)
def _head_end(data: Bytes, start: int, end: int, marks: Any) -> int:
    """First byte of the body."""
    opens, closes, lines = marks
    at = start
    while True:
        while at < end and (data[at] <= 32 or data[at] >= 127):  # white space, byte-order mark
            at += 1
        if at >= end:
            return end
        block = _mark_at(data, at, end, opens)
        if block >= 0:
            at = _after(data, at + _width(opens[block]), end, closes[block])
        elif _mark_at(data, at, end, lines) >= 0:
            while at < end and data[at] != 10 and data[at] != 13:
                at += 1
        else:
            return at


@njit(cache=True, nogil=True)
def _width(mark: Bytes) -> int:
    width = 0
    while width < len(mark) and mark[width]:
        width += 1
    return width


@njit(cache=True, nogil=True)
def _matches(data: Bytes, at: int, end: int, mark: Bytes) -> bool:
    width = _width(mark)
    same = at + width <= end
    step = 0
    while same and step < width:
        same = data[at + step] == mark[step]
        step += 1
    return same


@njit(cache=True, nogil=True)
def _mark_at(data: Bytes, at: int, end: int, marks: NDArray[np.uint8]) -> int:
    """The first of `marks` that stands at `at`, or -1."""
    for row in range(len(marks)):
        if _matches(data, at, end, marks[row]):
            return row
    return -1


@njit(cache=True, nogil=True)
def _after(data: Bytes, at: int, end: int, close: Bytes) -> int:
    """Just behind the next `close`, or the end: an open comment is all head."""
    while at < end:
        if _matches(data, at, end, close):
            return at + _width(close)
        at += 1
    return end
