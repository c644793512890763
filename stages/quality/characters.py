"""What the signals know of characters: letters, digits, white space and line ends, as Python's str has them.

One byte a code point (1.1 MB, made once a process from the running Python's Unicode tables): the bits
below. The kernels read UTF-8 directly and look up code points above ASCII here, so that every length is
in characters, as the published rules' Python code has it.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

ALPHA, ALNUM, SPACE, WORD, BREAK, BASE64, HEX = 1, 2, 4, 8, 16, 32, 64

# str.splitlines, Python library reference.
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\n="


@functools.cache
def classes() -> npt.NDArray[np.uint8]:
    """uint8[0x110000]: ALPHA (str.isalpha), ALNUM (str.isalnum), SPACE (\\s), WORD (\\w), BREAK, BASE64, HEX."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    for point in range(sys.maxunicode + 1):
        letter = chr(point)
        if letter.isalnum():
            table[point] = ALNUM | WORD | (ALPHA if letter.isalpha() else 0)
        elif letter.isspace():
            table[point] = SPACE
    table[ord("_")] |= WORD
    for letters, bit in ((LINE_BREAKS, BREAK), (_BASE64, BASE64), ("0123456789abcdefABCDEF", HEX)):
        for letter in letters:
            table[ord(letter)] |= bit
    return table


@numba.njit(cache=True, nogil=True)
def size_at(data: Any, at: int) -> int:
    """Bytes of the UTF-8 character that starts at `at`."""
    byte = data[at]
    if byte < 0x80:
        return 1
    if byte < 0xE0:
        return 2
    return 3 if byte < 0xF0 else 4


@numba.njit(cache=True, nogil=True)
def point_at(data: Any, at: int) -> Any:
    """The code point (int64) that starts at `at` of valid UTF-8."""
    point = np.int64(data[at])
    if point < 0x80:
        return point
    size = size_at(data, at)
    point &= 0x7F >> size
    for step in range(1, size):
        point = point << 6 | (np.int64(data[at + step]) & 0x3F)
    return point
