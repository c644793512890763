"""The nouns of redaction: a finding, a window of text, a rule.

Offsets are bytes of the document's UTF-8 while a document is being worked on (what Vectorscan reports and
what replacement needs); tables hold characters. No object here shows a value in its repr.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from stages.redaction.settings import Settings

_LONG = 2_048  # characters from which on the byte offset of each is worked out once


class Finding(NamedTuple):
    """One stretch [start, end) of a document that a detector calls `kind`; sorts by place, then by name."""

    start: int
    end: int
    kind: str
    detector: str
    rule: str


@dataclasses.dataclass(frozen=True)
class Window:
    """A line of a document, or a slice of a very long line, with what its file says about it.

    `text` is decoded; `start` is its byte offset. `style` is `config` where values stand unquoted after a
    name (dotenv, INI, YAML, properties, shell), else `code` or `prose`. `name` is the lower-case file name.
    `hurried`: the document had its share of exact work for telephone numbers, `crowded`: for everything; rules that are
    slow say yes instead of asking.
    """

    text: str = dataclasses.field(repr=False)
    start: int
    style: str
    name: str
    settings: Settings = dataclasses.field(repr=False)
    hurried: bool = False
    crowded: bool = False

    def finding(self, start: int, end: int, kind: str, rule: str) -> Finding:
        """A finding of Gristmill's own at characters [start, end) of this window."""
        if self.text.isascii():
            return Finding(self.start + start, self.start + end, kind, "gristmill", rule)
        if len(self.text) > _LONG:
            return Finding(self.start + self._bytes[start], self.start + self._bytes[end], kind, "gristmill", rule)
        left = len(self.text[:start].encode())
        return Finding(
            self.start + left, self.start + left + len(self.text[start:end].encode()), kind, "gristmill", rule
        )

    @functools.cached_property
    def _bytes(self) -> list[int]:
        """The byte offset of each character, and of the end."""
        codes = np.frombuffer(self.text.encode("utf-32-le"), np.uint32)
        widths = 1 + (codes > 0x7F) + (codes > 0x7FF) + (codes > 0xFFFF)
        offsets: list[int] = np.concatenate(([0], np.cumsum(widths))).tolist()
        return offsets


_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{1,39}>")


def without_placeholders(text: str) -> str:
    """`text` with line ends for placeholders, whose words say nothing about what stands beside them."""
    return _PLACEHOLDER.sub(lambda match: "\n" * len(match[0]), text) if "<" in text else text


def words(text: str) -> tuple[str, ...]:
    """The words of `text`: word lists read better as prose than as literals."""
    return tuple(text.split())


Find: TypeAlias = Callable[[Window], Iterable[Finding]]


@dataclasses.dataclass(frozen=True)
class Rule:
    """A detector of one window, called only for windows in which one of `triggers` matches.

    `triggers` are Vectorscan expressions that match (at least) wherever `find` could find anything, with
    their last byte inside the line of the finding. `kinds` are the kinds it can report; `level` is the lowest
    sensitivity at which it runs.
    """

    name: str
    kinds: tuple[str, ...]
    triggers: tuple[str, ...]
    find: Find
    level: int = 0
    caseless: bool = False
