"""The tokens of a text as Linguist's classifier counts them, and the comment marks its lines begin with.

`scan(text, out, marks)` fills `out` (uint32) with one hash a token, in order, and returns how many; `marks`
(uint8[len(MARKS)]) gets 1 where a line begins with that comment mark. A token's hash is FNV-1a over its
bytes, 64 bits folded to 32. Invariant: both depend on the text alone.

Which tokens there are follows go-enry's tokenizer (Apache-2.0), whose counts our model is made of: the
interpreter of a shebang; the names and attributes of tags; words (letters, `_ . @ # / *`), single marks;
string literals, comments and numbers (digits inside words too) are no tokens. go-enry makes seven passes of
regular expressions over a text, this makes one, at about 140 MB a second: what differs is which construct
wins where strings, comments and tags overlap.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

# Comment marks at the head of a line; `(*`, `{-` and `<!--` count anywhere.
MARKS = ("//", "#", "--", "%", ";", "'", "/*", "(*", "{-", "<!--", "REM", "!", '"')

_TAG_BYTES = 2_000  # a tag with attributes ends within so many bytes
_SPACE, _WORD, _REGULAR, _DIGIT, _NO_NAME = 1, 2, 4, 8, 16
_PRIME, _BASIS = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)


def _kinds() -> npt.NDArray[np.uint8]:
    """Bit set of each byte's classes."""
    kinds = np.zeros(256, dtype=np.uint8)
    letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
    digits, spaces = b"0123456789", b" \t\n\r\f\v"
    sets = ((_SPACE, spaces), (_WORD, letters + digits), (_REGULAR, letters + digits + b".@#/*"))
    for bit, members in (*sets, (_DIGIT, digits), (_NO_NAME, spaces + digits + b"<>=\"'")):
        kinds[list(members)] |= bit
    return kinds


_KINDS = _kinds()


def token_hash(token: bytes) -> int:
    """The hash under which `scan` reports `token`."""
    value = int(_BASIS)
    for byte in token:
        value = (value ^ byte) * int(_PRIME) & 0xFFFFFFFFFFFFFFFF
    return (value ^ value >> 32) & 0xFFFFFFFF


def hashes(text: bytes) -> npt.NDArray[np.uint32]:
    """The hashes of all tokens of `text`, in order (for one text; batches call `scan` from a kernel)."""
    found = np.empty(len(text) + 1, dtype=np.uint32)
    count = scan(np.frombuffer(text, dtype=np.uint8), found, np.zeros(len(MARKS), dtype=np.uint8))
    return found[:count]


@numba.njit(cache=True, nogil=True)
def scan(text: Any, out: Any, marks: Any) -> int:
    """Fill `out` and `marks` for `text` (uint8); `out` must hold a token for each byte."""
    at = count = 0
    unclosed = np.zeros(6, dtype=np.uint8)  # kinds of brackets that nothing closes any more: not looked for again
    while at < len(text):
        byte, kind = text[at], _KINDS[text[at]]
        if at == 0 or text[at - 1] == 10:
            _mark_line(text, at, marks)
        if kind & _SPACE:
            at += 1
            continue
        if byte == 35 and at + 1 < len(text) and text[at + 1] == 33 and (at == 0 or text[at - 1] == 10):
            at, count = _shebang(text, at, out, count)
            continue
        start = at
        if byte == 60:
            at, count = _tag(text, at, out, count, marks, unclosed)
        elif byte == 34 or byte == 39:
            at = _closed(text, at, at + 1, byte, 0, unclosed, 0 if byte == 34 else 1)
        elif kind & _DIGIT:
            at = _number(text, at)
        if at == start:
            at = _comment(text, at, marks, unclosed)
        if at == start:
            at, count = _word(text, at, out, count) if kind & _REGULAR else _sign(text, at, out, count)
    return count


@numba.njit(cache=True, nogil=True)
def _put(text: Any, start: int, end: int, last: int, out: Any, count: int) -> int:
    """Append the token text[start:end], with the byte `last` after it unless that is 0."""
    value = _BASIS
    for at in range(start, end):
        value = (value ^ np.uint64(text[at])) * _PRIME
    if last:
        value = (value ^ np.uint64(last)) * _PRIME
    out[count] = np.uint32((value ^ (value >> np.uint64(32))) & np.uint64(0xFFFFFFFF))
    return count + 1


@numba.njit(cache=True, nogil=True)
def _find(text: Any, start: int, end: int, first: int, second: int) -> int:
    """Where `first` (and then `second`, unless 0) next stands in text[start:end]; -1 if nowhere."""
    for at in range(start, min(end, len(text))):
        if text[at] == first and (second == 0 or (at + 1 < len(text) and text[at + 1] == second)):
            return at
    return -1


@numba.njit(cache=True, nogil=True)
def _is(text: Any, at: int, bits: int) -> bool:
    return at < len(text) and (_KINDS[text[at]] & bits) != 0


@numba.njit(cache=True, nogil=True)
def _shebang(text: Any, at: int, out: Any, count: int) -> Any:
    """The token SHEBANG#!name of the line at `at`, and the line's end."""
    end = _find(text, at, len(text), 10, 0)
    end = len(text) if end < 0 else end
    stop = at + 2
    while stop < end and _KINDS[text[stop]] & _SPACE:
        stop += 1
    while stop < end and not _KINDS[text[stop]] & _SPACE:
        stop += 1
    start = stop
    while start > at + 2 and _KINDS[text[start - 1]] & _WORD:
        start -= 1
    if stop - start == 3 and text[start] == 101 and text[start + 1] == 110 and text[start + 2] == 118:  # env
        start = stop
        while start < end and _KINDS[text[start]] & _SPACE:
            start += 1
        stop = start
        while stop < end and _KINDS[text[stop]] & _WORD:
            stop += 1
    while stop > start and _KINDS[text[stop - 1]] & _DIGIT:
        stop -= 1
    if stop == start:
        return end, count
    value = _BASIS
    for byte in (83, 72, 69, 66, 65, 78, 71, 35, 33):  # SHEBANG#!
        value = (value ^ np.uint64(byte)) * _PRIME
    for position in range(start, stop):
        value = (value ^ np.uint64(text[position])) * _PRIME
    out[count] = np.uint32((value ^ (value >> np.uint64(32))) & np.uint64(0xFFFFFFFF))
    return end, count + 1


@numba.njit(cache=True, nogil=True)
def _tag(text: Any, at: int, out: Any, count: int, marks: Any, unclosed: Any) -> Any:
    """A tag `<name>` or `<name …>`: its name with both brackets, then its attributes; `at` where it is none."""
    stop = at + 1
    if stop < len(text) and text[stop] == 47:
        stop += 1
    start = stop
    while stop < len(text) and not _KINDS[text[stop]] & _NO_NAME:
        stop += 1
    if stop == start or stop >= len(text) or not (text[stop] == 62 or _KINDS[text[stop]] & _SPACE):
        return at, count
    if text[start] == 33 and start + 2 < stop and text[start + 1] == 45 and text[start + 2] == 45:  # <!--
        marks[9] = 1
        end = _closed(text, at, start + 3, 45, 45, unclosed, 5)
        while end > at and not (end < len(text) and text[end] == 62):
            end = _closed(text, at, end - 1, 45, 45, unclosed, 5)
        if end > at:
            return end + 1, count
    end = _find(text, stop, stop + _TAG_BYTES, 62, 0)
    if end < 0:
        return at, count
    count = _put(text, at, stop, 62, out, count)
    while stop < end:
        if _KINDS[text[stop]] & _SPACE:
            stop += 1
        else:
            stop, count = _attribute(text, stop, end, out, count)
    return end + 1, count


@numba.njit(cache=True, nogil=True)
def _attribute(text: Any, at: int, end: int, out: Any, count: int) -> Any:
    """One run of non-spaces within a tag: `name=` when it is an attribute, else every word in it."""
    stop = at
    while stop < end and _KINDS[text[stop]] & _WORD:
        stop += 1
    named = stop > at and stop < end and text[stop] == 61
    if named:
        count = _put(text, at, stop + 1, 0, out, count)
    stop = at
    while stop < end and not _KINDS[text[stop]] & _SPACE:
        start = stop
        while stop < end and _KINDS[text[stop]] & _WORD:
            stop += 1
        if stop == start:
            stop += 1
        elif not named:
            count = _put(text, start, stop, 0, out, count)
    return stop, count


@numba.njit(cache=True, nogil=True)
def _closed(text: Any, at: int, body: int, first: int, second: int, unclosed: Any, kind: int) -> int:
    """The end of what opens at `at` and closes, after `body`, with `first` and `second`; `at` where nothing closes it."""
    close = -1 if unclosed[kind] else _find(text, body, len(text), first, second)
    if close < 0:
        unclosed[kind] = 1
        return at
    return close + (2 if second else 1)


@numba.njit(cache=True, nogil=True)
def _comment(text: Any, at: int, marks: Any, unclosed: Any) -> int:
    """The end of the comment at `at`; `at` where none begins."""
    if at + 1 >= len(text):
        return at
    byte, following, end = text[at], text[at + 1], at
    if byte == 47 and following == 42:  # /* */
        end = _closed(text, at, at + 2, 42, 47, unclosed, 2)
    elif byte == 123 and following == 45:  # {- -}
        marks[8] = 1
        end = _closed(text, at, at + 2, 45, 125, unclosed, 3)
    elif byte == 40 and following == 42:  # (* *)
        if _is(text, at + 2, _SPACE):
            marks[7] = 1
        end = _closed(text, at, at + 2, 42, 41, unclosed, 4)
    if end > at:
        return end
    body = at
    if (byte == 47 or byte == 45) and following == byte:
        body = at + 2
    elif byte == 35 or byte == 37 or byte == 34:
        body = at + 1
    if body == at or not _is(text, body, _SPACE):
        return at
    end = _find(text, body, len(text), 10, 0)
    return len(text) if end < 0 else max(end, body + 1)


@numba.njit(cache=True, nogil=True)
def _number(text: Any, at: int) -> int:
    """The end of the number at `at`, its suffix included."""
    hexadecimal = text[at] == 48 and at + 1 < len(text) and (text[at + 1] | 32) == 120
    at += 2 if hexadecimal else 1
    while at < len(text) and (
        _KINDS[text[at]] & _DIGIT or text[at] == 46 or (hexadecimal and 97 <= (text[at] | 32) <= 102)
    ):
        at += 1
    if at < len(text) and not hexadecimal and (text[at] | 32) == 117:  # u
        at += 1
    elif at + 1 < len(text) and (text[at] | 32) == 101 and (text[at + 1] == 43 or text[at + 1] == 45):  # e+ e-
        at += 2
        while _is(text, at, _DIGIT):
            at += 1
    while at < len(text) and ((text[at] | 32) == 102 or (text[at] | 32) == 108):  # f l
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _word(text: Any, at: int, out: Any, count: int) -> Any:
    """A run of letters and `_ . @ # / *`, up to a digit or to a comment that begins within it."""
    start = at
    while _is(text, at, _REGULAR) and not _KINDS[text[at]] & _DIGIT:
        if at > start and text[at] == 47 and at + 1 < len(text):
            if text[at + 1] == 42 or (text[at + 1] == 47 and _is(text, at + 2, _SPACE)):
                break
        at += 1
    return at, _put(text, start, at, 0, out, count)


@numba.njit(cache=True, nogil=True)
def _sign(text: Any, at: int, out: Any, count: int) -> Any:
    """One mark, `<<`, `&&` or `||`, or one character beyond ASCII."""
    end = at + 1
    byte = text[at]
    if (byte == 60 or byte == 38 or byte == 124) and end < len(text) and text[end] == byte:
        end += 1
    elif byte >= 0xC0:
        while end < len(text) and (text[end] & 0xC0) == 0x80:
            end += 1
    return end, _put(text, at, end, 0, out, count)


@numba.njit(cache=True, nogil=True)
def _mark_line(text: Any, at: int, marks: Any) -> None:
    """Note the comment mark with which the line at `at` begins, if any."""
    while at < len(text) and (text[at] == 32 or text[at] == 9):
        at += 1
    if at >= len(text):
        return
    byte, after = text[at], at + 1
    following = text[after] if after < len(text) else 10
    while after < len(text) and text[after] == byte:
        after += 1
    spaced = after >= len(text) or (_KINDS[text[after]] & _SPACE) != 0
    if byte == 47:
        marks[0] |= following == 47
        marks[6] |= following == 42
    elif byte == 35:
        marks[1] |= spaced or (after == at + 1 and following == 33)
    elif byte == 45:
        marks[2] |= spaced and following == 45
    elif byte == 37:
        marks[3] |= spaced
    elif byte == 59:
        marks[4] |= spaced and following != 10
    elif byte == 33:
        marks[11] |= spaced and following != 10
    elif byte == 39 or byte == 34:
        _mark_quoted(text, at, marks)
    elif (byte | 32) == 114 and at + 3 < len(text) and (text[at + 1] | 32) == 101 and (text[at + 2] | 32) == 109:
        marks[10] |= (_KINDS[text[at + 3]] & _SPACE) != 0


@numba.njit(cache=True, nogil=True)
def _mark_quoted(text: Any, at: int, marks: Any) -> None:
    """`' word ` (BASIC) and `" word word` (Vim script) as comments, not as the beginning of a string."""
    single = text[at] == 39
    position = at + 1
    if position < len(text) and text[position] == 32:
        position += 1
    elif not single:
        return
    start = position
    while _is(text, position, _WORD):
        position += 1
    worded = position > start and position < len(text) and text[position] == 32
    if worded and (single or _is(text, position + 1, _WORD)):
        marks[5 if single else 12] = 1
