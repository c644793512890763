r"""Encoded data inside texts: a numba machine for the three patterns of the StarCoder2 paper, §2.1.

    base64   [a-zA-Z0-9+/\n=]{64,}
    hex      (?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}
    unicode  (?:\\u[0-9a-fA-F]{4}){8,}

It finds exactly the matches of Python's `re.finditer` on str (`tests/quality` holds the two against each
other). None of the patterns needs backtracking: a base64 match is a maximal run, a unicode match a chain of
six-byte units, and a unit of hex can go on in one way only: after `,` or white space a word character must
follow, after neither a `\x`; a chain that turns out too short holds no longer one inside.

Cost: one pass, about 3 ns a byte; no memory but the result.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from stages.quality.characters import BASE64, HEX, SPACE, WORD, point_at, size_at

BASE64_LEAST = 64  # characters
UNITS_LEAST = 8  # of hex and of unicode escapes
_COMMA, _ZERO, _BACKSLASH, _U, _X = 0x2C, 0x30, 0x5C, 0x75, 0x78


def encoded_counts(
    data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], classes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """int64[n, 2] a text: characters that some match covers, and characters of the longest single match."""
    return _encoded_counts(data, ends, classes)  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def _encoded_counts(data: Any, ends: Any, classes: Any) -> Any:
    result = np.zeros((len(ends) - 1, 2), dtype=np.int64)
    for document in range(len(ends) - 1):
        covered, longest = _one(data, ends[document], ends[document + 1], classes)
        result[document, 0], result[document, 1] = covered, longest
    return result


@numba.njit(cache=True, nogil=True)
def _one(data: Any, start: int, end: int, classes: Any) -> Any:
    """Matches in order of their start, so that what they cover together can be summed on the way."""
    covered = covered_to = longest = 0  # characters
    run, run_end = _next_run(data, start, end, classes)
    hex_from = escape_from = start  # bytes: where the next match of its kind may start
    after_word = False
    character = 0
    at = start
    while at < end:
        byte = data[at]
        kind = classes[byte] if byte < 0x80 else classes[point_at(data, at)]
        best = 0  # characters of the longest match that starts here
        if at == run:
            best = run_end - run
            run, run_end = _next_run(data, run_end, end, classes)
        escape = byte == _BACKSLASH
        if at >= hex_from and ((escape and after_word) or (kind & HEX and not after_word)):
            stop, length = _hex_chain(data, at, end, classes)
            hex_from = max(stop, at + 1)
            best = max(best, length)
        if escape and at >= escape_from:
            stop, length = _escape_chain(data, at, end, classes)
            escape_from = max(stop, at + 1)
            best = max(best, length)
        if best:
            longest = max(longest, best)
            covered += max(0, character + best - max(character, covered_to))
            covered_to = max(covered_to, character + best)
        after_word = kind & WORD > 0
        character += 1
        at += 1 if byte < 0x80 else size_at(data, at)
    return covered, longest


@numba.njit(cache=True, nogil=True)
def _next_run(data: Any, start: int, end: int, classes: Any) -> Any:
    """The next base64 run of at least BASE64_LEAST bytes from `start` on, or (end, end).

    Such a run covers at least one of the samples BASE64_LEAST bytes apart, so few bytes are looked at.
    """
    sample = start + BASE64_LEAST - 1
    while sample < end:
        if not _is_base64(data[sample], classes):
            sample += BASE64_LEAST
            continue
        first, last = sample, sample + 1
        while first > start and _is_base64(data[first - 1], classes):
            first -= 1
        while last < end and _is_base64(data[last], classes):
            last += 1
        if last - first >= BASE64_LEAST:
            return first, last
        sample = last + BASE64_LEAST
    return end, end


@numba.njit(cache=True, nogil=True)
def _is_base64(byte: int, classes: Any) -> bool:
    return byte < 0x80 and classes[byte] & BASE64 > 0


@numba.njit(cache=True, nogil=True)
def _is_hex(data: Any, at: int, count: int, end: int, classes: Any) -> bool:
    found = 0
    while found < count and at + found < end and data[at + found] < 0x80 and classes[data[at + found]] & HEX:
        found += 1
    return found == count


@numba.njit(cache=True, nogil=True)
def _hex_unit(data: Any, at: int, end: int, classes: Any) -> int:
    """Where the digits of a unit that starts at `at` end, or -1."""
    prefixed = at + 1 < end and data[at + 1] == _X and (data[at] == _ZERO or data[at] == _BACKSLASH)
    if prefixed and _is_hex(data, at + 2, 2, end, classes):
        return at + 4
    return at + 2 if _is_hex(data, at, 2, end, classes) else -1


@numba.njit(cache=True, nogil=True)
def _hex_chain(data: Any, at: int, end: int, classes: Any) -> Any:
    """End (bytes) of the chain of hex units at the word boundary `at`; characters, 0 if it is too short."""
    units = length = 0
    while at < end:
        digits = _hex_unit(data, at, end, classes)
        if digits < 0:
            break
        spaces = 0
        after = digits
        if after < end and data[after] == _COMMA:
            after += 1
            spaces = 1
        else:
            if after < end and classes[point_at(data, after)] & WORD:
                break
            while after < end and classes[point_at(data, after)] & SPACE:
                after += size_at(data, after)
                spaces += 1
        units += 1
        length += digits - at + spaces
        at = after
        if spaces and at < end and not classes[point_at(data, at)] & WORD:
            break
    return at, length if units >= UNITS_LEAST else 0


@numba.njit(cache=True, nogil=True)
def _escape_chain(data: Any, at: int, end: int, classes: Any) -> Any:
    """End (bytes) of the chain of \\uXXXX at `at`; characters, 0 if it is too short."""
    begin = at
    while at + 1 < end and data[at] == _BACKSLASH and data[at + 1] == _U and _is_hex(data, at + 2, 4, end, classes):
        at += 6
    return at, at - begin if at - begin >= 6 * UNITS_LEAST else 0
