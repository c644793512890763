"""Vectorscan (hyperscan): many expressions, one pass over the bytes.

Cost: about 1.7 ns a byte for a database of some fifty secret expressions, plus a Python call a match.
A database belongs to one thread of one process, because the library's default scratch space does; it is
compiled on first use (about 0.1 s) and kept. Block mode only.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import hyperscan
import numpy as np

SINGLE = hyperscan.HS_FLAG_SINGLEMATCH
CASELESS = hyperscan.HS_FLAG_CASELESS


class Expression(NamedTuple):
    """One expression: `pattern` in Vectorscan's syntax (^ and $ match at line ends), its number, its flags."""

    pattern: str
    number: int
    flags: int = 0


# (end, number): expression `number` matched, and the match ends before byte `end`. A plain tuple, as there are many.
Hit: TypeAlias = tuple[int, int]


@dataclasses.dataclass(frozen=True, eq=False)
class Patterns:
    """Expressions that are scanned for together; two objects are never equal, so make one and keep it."""

    expressions: tuple[Expression, ...]

    def scan(self, data: bytes) -> list[Hit]:
        """All ends of matches in `data`, in order of place; nothing is said about starts."""
        hits: list[Hit] = []
        if self.expressions and data:
            _database(self, threading.get_ident()).scan(data, match_event_handler=_collect, context=hits)
            hits.sort()
        return hits


def _collect(number: int, _start: int, end: int, _flags: int, hits: Any) -> None:
    hits.append((end, number))


@functools.cache
def _database(patterns: Patterns, _thread: int) -> hyperscan.Database:
    return _compile(patterns.expressions)


def _compile(expressions: Sequence[Expression]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[expression.pattern.encode() for expression in expressions],
        ids=[expression.number for expression in expressions],
        elements=len(expressions),
        flags=[expression.flags | hyperscan.HS_FLAG_MULTILINE for expression in expressions],
    )
    return database


def in_characters(data: bytes, hits: Sequence[Hit]) -> list[Hit]:
    """(character offset of the end, number) of each hit, for hits in order of place; one pass over `data` (UTF-8)."""
    if data.isascii():
        return list(hits)
    places = character_offsets(data, [end for end, _ in hits])
    return [(places[end], number) for end, number in hits]


def character_offsets(data: bytes, offsets: Iterable[int]) -> dict[int, int]:
    """How many characters of UTF-8 `data` begin before each byte offset, in one pass over `data`."""
    wanted = np.unique(np.fromiter(offsets, np.int64))
    if data.isascii() or not wanted.size:
        return dict(zip(wanted.tolist(), wanted.tolist(), strict=True))
    begins = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    edges = np.unique(np.concatenate(([0], wanted[wanted < len(data)])))
    before = np.concatenate(([0], np.cumsum(np.add.reduceat(begins, edges, dtype=np.int64))))
    # before[i] characters begin before edges[i]; all of them before the end.
    counts = before[np.searchsorted(edges, wanted)] if wanted[-1] < len(data) else None
    if counts is None:
        counts = np.append(before[np.searchsorted(edges, wanted[:-1])], before[-1])
    return dict(zip(wanted.tolist(), counts.tolist(), strict=True))


def refused(expressions: Iterable[Expression]) -> list[str]:
    """The patterns among `expressions` that Vectorscan cannot compile (for tests of rule tables)."""
    bad = []
    for expression in expressions:
        try:
            _compile([expression])
        except hyperscan.error:
            bad.append(expression.pattern)
    return bad
