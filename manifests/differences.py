"""A short unified diff of two texts, for people: bounded work, bounded output, every cut marked.

Cost: one pass over both texts, and difflib on at most COMPARED_LINES lines of each. Its matcher is quadratic at
best in what an adversary writes, so the lines that both texts begin and end with are skipped first.
Lines hold strangers' text as it is: whoever shows them escapes control characters.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from itertools import takewhile

COMPARED_LINES = 1000
"""Lines of each text given to difflib; a thousand take about a second at worst."""
SHOWN_LINES = 40
SHOWN_CHARACTERS = 160
_CONTEXT = 3  # lines around a change, as everywhere
_EQUAL = "the redacted texts are equal: the files differ only in what was redacted, or in how the text was encoded"
_PARTLY = f"only the first {COMPARED_LINES} lines of each from the first difference on were compared"


@dataclasses.dataclass(frozen=True)
class Difference:
    """A unified diff, line by line, and what has to be said about it; no lines when there is nothing to show."""

    lines: tuple[str, ...] = ()
    note: str | None = None


def difference(old: str, new: str, *, old_name: str, new_name: str) -> Difference:
    """How `new` differs from `old`: at most SHOWN_LINES lines of at most about SHOWN_CHARACTERS characters."""
    if old == new:
        return Difference(note=_EQUAL)
    left, right = old.split("\n"), new.split("\n")
    start = max(0, _common(left, right) - _CONTEXT)
    shorter = min(len(left), len(right)) - start
    ending = max(0, min(_common(left[::-1], right[::-1]), shorter) - _CONTEXT)
    left, right = left[start : len(left) - ending], right[start : len(right) - ending]
    partly = max(len(left), len(right)) > COMPARED_LINES
    found = difflib.unified_diff(
        left[:COMPARED_LINES], right[:COMPARED_LINES], fromfile=old_name, tofile=new_name, n=_CONTEXT, lineterm=""
    )
    lines = [_moved(line, start) if line.startswith("@@") else line for line in found]
    return Difference(_cut(lines), _PARTLY if partly else None)


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _moved(header: str, lines: int) -> str:
    """A hunk's header with its two line numbers `lines` further on."""
    return re.sub(r"(?<=[-+])\d+", lambda number: str(int(number[0]) + lines), header)


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    shown = lines if len(lines) <= SHOWN_LINES else lines[: SHOWN_LINES - 1]
    rest = len(lines) - len(shown)
    return (*map(_cut_line, shown), *([f"… {rest} more lines"] if rest else []))


def _cut_line(line: str) -> str:
    rest = len(line) - SHOWN_CHARACTERS
    return line if rest <= 0 else f"{line[:SHOWN_CHARACTERS]}… {rest} more characters"
