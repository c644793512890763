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


def _fnv(token: bytes) -> int:
    value = int(_BASIS)
    for byte in token:
        value = (value ^ byte) * int(_PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


_SHEBANG = np.uint64(_fnv(b"SHEBANG#!"))


def token_hash(token: bytes) -> int:
    """The hash under which `scan` reports `token`."""
    value = _fnv(token)
    return (value ^ value >> 32) & 0xFFFFFFFF


def hashes(text: bytes) -> npt.NDArray[np.uint32]:
    """The hashes of all tokens of `text`, in order (for one text; batches call `scan` from a kernel)."""
    found = np.empty(len(text) + 1, dtype=np.uint32)
    count = scan(np.frombuffer(text, dtype=np.uint8), found, np.zeros(len(MARKS), dtype=np.uint8))
    return found[:count]


# What opens at a byte: the length of the opening and the two bytes that close it (0: only one).
_STRING2, _STRING1, _STARS, _DASHES, _PARENS, _MARKUP = 0, 1, 2, 3, 4, 5
_OPENING = np.array([1, 1, 2, 2, 2, 4], dtype=np.int64)
_CLOSING = np.array([[34, 0], [39, 0], [42, 47], [45, 125], [42, 41], [45, 45]], dtype=np.uint8)

# The mark of a line that begins with one or more of a byte and a blank; of `-` it takes two.
_RUNS = np.full(256, 255, dtype=np.uint8)
_RUNS[list(b"#-%;!")] = [MARKS.index(mark) for mark in ("#", "--", "%", ";", "!")]


@numba.njit(cache=True, nogil=True)
def scan(text: Any, out: Any, marks: Any) -> int:
    """Fill `out` and `marks` for `text` (uint8); `out` must hold a token for each byte."""
    at = count = 0
    unclosed = np.zeros(len(_OPENING), dtype=np.uint8)  # what nothing closes any more is not looked for again
    while at < len(text):
        byte, kind, start = text[at], _KINDS[text[at]], at
        if at == 0 or text[at - 1] == 10:
            _mark_line(text, at, marks)
            if byte == 35 and at + 1 < len(text) and text[at + 1] == 33:
                at, count = _shebang(text, at, out, count)
                continue
        if kind & _SPACE:
            at += 1
            continue
        if byte in (34, 39):
            at = _closed(text, at, unclosed, _STRING2 if byte == 34 else _STRING1)
        elif kind & _DIGIT:
            at = _number(text, at)
        if at == start:
            at = _comment(text, at, marks, unclosed)
        if at == start and byte == 60:
            at, count = _tag(text, at, out, count)
        if at == start:
            at, count = _word(text, at, out, count) if kind & _REGULAR else _sign(text, at, out, count)
    return count


@numba.njit(cache=True, nogil=True)
def _hash(text: Any, start: int, end: int, value: Any) -> Any:
    """FNV-1a of text[start:end], going on from `value`."""
    for at in range(start, end):
        value = (value ^ np.uint64(text[at])) * _PRIME
    return value


@numba.njit(cache=True, nogil=True)
def _put(value: Any, out: Any, count: int) -> int:
    """Append the token with the hash `value`."""
    out[count] = np.uint32((value ^ (value >> np.uint64(32))) & np.uint64(0xFFFFFFFF))
    return count + 1


@numba.njit(cache=True, nogil=True)
def _find(text: Any, start: int, end: int, byte: int) -> int:
    """Where `byte` next stands in text[start:end]; -1 if nowhere."""
    for at in range(start, min(end, len(text))):
        if text[at] == byte:
            return at
    return -1


@numba.njit(cache=True, nogil=True)
def _run(text: Any, at: int, end: int, bits: int) -> int:
    """The end of the run, before `end`, of bytes of the classes `bits` that begins at `at`."""
    while at < end and _KINDS[text[at]] & bits:
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _is(text: Any, at: int, bits: int) -> bool:
    return at < len(text) and (_KINDS[text[at]] & bits) != 0


@numba.njit(cache=True, nogil=True)
def _shebang(text: Any, at: int, out: Any, count: int) -> Any:
    """The token SHEBANG#!name of the line at `at`, without the name's version, and the line's end."""
    end = _find(text, at, len(text), 10)
    end = len(text) if end < 0 else end
    stop = _run(text, at + 2, end, _SPACE)
    while stop < end and not _KINDS[text[stop]] & _SPACE:
        stop += 1
    start = stop
    while start > at + 2 and _KINDS[text[start - 1]] & _WORD:
        start -= 1
    if stop - start == 3 and text[start] == 101 and text[start + 1] == 110 and text[start + 2] == 118:  # env
        start = _run(text, stop, end, _SPACE)
        stop = _run(text, start, end, _WORD)
    while stop > start and _KINDS[text[stop - 1]] & _DIGIT:
        stop -= 1
    if stop > start:
        count = _put(_hash(text, start, stop, _SHEBANG), out, count)
    return end, count


@numba.njit(cache=True, nogil=True)
def _tag(text: Any, at: int, out: Any, count: int) -> Any:
    """A tag `<name>` or `<name …>`: its name with both brackets, then its attributes; `at` where it is none."""
    start = stop = at + 2 if at + 1 < len(text) and text[at + 1] == 47 else at + 1
    while stop < len(text) and not _KINDS[text[stop]] & _NO_NAME:
        stop += 1
    if stop == start or stop >= len(text) or not (text[stop] == 62 or _KINDS[text[stop]] & _SPACE):
        return at, count
    end = _find(text, stop, stop + _TAG_BYTES, 62)
    if end < 0:
        return at, count
    count = _put((_hash(text, at, stop, _BASIS) ^ np.uint64(62)) * _PRIME, out, count)
    while stop < end:
        if _KINDS[text[stop]] & _SPACE:
            stop += 1
        else:
            stop, count = _attribute(text, stop, end, out, count)
    return end + 1, count


@numba.njit(cache=True, nogil=True)
def _attribute(text: Any, at: int, end: int, out: Any, count: int) -> Any:
    """One run of non-spaces within a tag: `name=` when it is an attribute, else every word in it."""
    stop = _run(text, at, end, _WORD)
    named = stop > at and stop < end and text[stop] == 61
    if named:
        count = _put(_hash(text, at, stop + 1, _BASIS), out, count)
    stop = at
    while stop < end and not _KINDS[text[stop]] & _SPACE:
        start = stop
        stop = _run(text, start, end, _WORD)
        if stop == start:
            stop += 1
        elif not named:
            count = _put(_hash(text, start, stop, _BASIS), out, count)
    return stop, count


@numba.njit(cache=True, nogil=True)
def _closed(text: Any, at: int, unclosed: Any, kind: int) -> int:
    """The end of what opens at `at`, a string or comment of `kind`; `at` where nothing closes it."""
    first, second = _CLOSING[kind, 0], _CLOSING[kind, 1]
    if not unclosed[kind]:
        for close in range(at + _OPENING[kind], len(text)):
            if text[close] == first:
                if second == 0:
                    return close + 1
                if close + 1 < len(text) and text[close + 1] == second:
                    if kind != _MARKUP:
                        return close + 2
                    if close + 2 < len(text) and text[close + 2] == 62:
                        return close + 3
        unclosed[kind] = 1
    return at


@numba.njit(cache=True, nogil=True)
def _comment(text: Any, at: int, marks: Any, unclosed: Any) -> int:
    """The end of the comment at `at`; `at` where none begins."""
    if at + 1 >= len(text):
        return at
    byte, following, end = text[at], text[at + 1], at
    if byte == 47 and following == 42:
        end = _closed(text, at, unclosed, _STARS)
    elif byte == 123 and following == 45:
        marks[8] = 1
        end = _closed(text, at, unclosed, _DASHES)
    elif byte == 40 and following == 42:
        marks[7] |= _is(text, at + 2, _SPACE)
        end = _closed(text, at, unclosed, _PARENS)
    elif byte == 60 and following == 33 and at + 3 < len(text) and text[at + 2] == 45 and text[at + 3] == 45:
        marks[9] = 1
        end = _closed(text, at, unclosed, _MARKUP)
    return end if end > at else _line_comment(text, at)


@numba.njit(cache=True, nogil=True)
def _line_comment(text: Any, at: int) -> int:
    """The end of the line where a comment begins at `at` that takes the rest of it; else `at`."""
    body = at
    if text[at] in (45, 47) and text[at + 1] == text[at]:
        body = at + 2
    elif text[at] in (34, 35, 37):
        body = at + 1
    if body == at or not _is(text, body, _SPACE):
        return at
    end = _find(text, body, len(text), 10)
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
        slash = at > start and text[at] == 47 and at + 1 < len(text)
        if slash and (text[at + 1] == 42 or (text[at + 1] == 47 and _is(text, at + 2, _SPACE))):
            break
        at += 1
    return at, _put(_hash(text, start, at, _BASIS), out, count)


@numba.njit(cache=True, nogil=True)
def _sign(text: Any, at: int, out: Any, count: int) -> Any:
    """One mark, `<<`, `&&` or `||`, or one character beyond ASCII."""
    end = at + 1
    byte = text[at]
    if byte in (60, 38, 124) and end < len(text) and text[end] == byte:
        end += 1
    elif byte >= 0xC0:
        while end < len(text) and (text[end] & 0xC0) == 0x80:
            end += 1
    return end, _put(_hash(text, at, end, _BASIS), out, count)


@numba.njit(cache=True, nogil=True)
def _mark_line(text: Any, at: int, marks: Any) -> None:
    """Note the comment mark with which the line at `at` begins, if any."""
    while at < len(text) and text[at] in (32, 9):
        at += 1
    if at + 1 >= len(text):
        return
    byte, after = text[at], at + 1
    if byte == 47:
        marks[0] |= text[after] == 47
        marks[6] |= text[after] == 42
    elif _RUNS[byte] != 255:
        while after < len(text) and text[after] == byte:
            after += 1
        marks[_RUNS[byte]] |= _is(text, after, _SPACE) and (byte != 45 or after > at + 1)
    elif byte in (34, 39):
        _mark_quoted(text, at, marks)
    elif at + 3 < len(text) and (byte | 32) == 114 and (text[at + 1] | 32) == 101 and (text[at + 2] | 32) == 109:
        marks[10] |= _is(text, at + 3, _SPACE)


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
