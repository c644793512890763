"""A secret that stands once in a document where something names it is the same secret wherever else it stands there.

Only whole words count (no letter, digit or underscore on either side), only values that are long and irregular enough
not to be a word by chance, and only kinds that are secrets. Bounds: MOST_VALUES different values of a document, in
order of place, so work is linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stages.redaction.model import Finding

MOST_VALUES = 64
_SHORTEST = {"KEY": 10, "PASSWORD": 8}
_DIGIT = re.compile(rb"[0-9]")
_NO_DIGIT = re.compile(rb"[^0-9]")
# Bytes of a word: letters, digits, underscore, parts of a longer character.
_INNER = frozenset(byte for byte in range(256) if bytes([byte]).isalnum() or byte == ord("_") or byte >= 0x80)


def find_repeats(data: bytes, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Every further place in the document `data` (UTF-8) of a value that one of `findings` covers."""
    known = sorted(finding for finding in findings if finding.kind in _SHORTEST)
    values: dict[bytes, str] = {}
    for finding in known:
        value = data[finding.start : finding.end]
        if len(values) < MOST_VALUES and _is_distinctive(value, finding.kind):
            values.setdefault(value, finding.kind)
    places = {(finding.start, finding.end) for finding in known}
    for value, kind in values.items():
        for start in _places(data, value):
            if (start, start + len(value)) not in places:
                yield Finding(start, start + len(value), kind, "gristmill", "repeat")


def _is_distinctive(value: bytes, kind: str) -> bool:
    """Long enough, of one line, with a digit and something else: no ordinary word, no plain number."""
    return (
        _SHORTEST[kind] <= len(value) <= 4096
        and b"\n" not in value
        and _DIGIT.search(value) is not None
        and _NO_DIGIT.search(value) is not None
    )


def _places(data: bytes, value: bytes) -> Iterator[int]:
    """Where `value` stands in `data` as a whole word: no edge between two bytes of one word."""
    first, last = value[0] in _INNER, value[-1] in _INNER
    at = data.find(value)
    while at >= 0:
        end = at + len(value)
        inside = (first and at > 0 and data[at - 1] in _INNER) or (last and end < len(data) and data[end] in _INNER)
        if not inside:
            yield at
        at = data.find(value, end)
