"""Matches that say less than they seem: names that are only compared with, versions that the text contradicts.

ScanCode matches a name wherever it stands. `GPL-compatible` or "all Python licenses, unlike the GPL, let you …" is no
statement that a file is under the GPL; and a text that was recognised by likeness is of the version that it spells
out, not of the sibling whose wording is nearest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from foundation import spdx
from foundation.errors import ConfigError

MOST_WORDS = 8
"""Words of a rule up to which its match can be a name in passing; longer ones are statements of their own."""

_COMPARED = re.compile(r"compatib|\bunlike\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.;])\s+")
_WORD = re.compile(r"[a-z0-9]+")
_VERSION = re.compile(r"\b(?:version|v\.?)\s*(\d+(?:\.\d+)*)", re.IGNORECASE)
_VERSIONED = re.compile(r"(.*-)(\d+(?:\.\d+)+)")


def is_comparison(match: Any) -> bool:
    """Whether `match` (ScanCode's) is a short name that its line speaks of only to compare another licence with it."""
    if match.rule.is_license_text or match.rule.length > MOST_WORDS or match.start_line != match.end_line:
        return False
    line = _lines(match)[0]
    if not _COMPARED.search(line):
        return False
    name = _words(match.rule.text)
    naming = [sentence for sentence in _SENTENCE_END.split(line) if name in _words(sentence)]
    return bool(naming) and all(_COMPARED.search(sentence) for sentence in naming)


def is_vaguer(match: Any, others: Sequence[Any], *, references: frozenset[str]) -> bool:
    """Whether `match` is a pointer ("a licence is meant") found by likeness where another names one by likeness."""
    if match.matcher != "3-seq" or match.rule.spdx_license_expression() not in references:
        return False
    return any(
        other.matcher == "3-seq"
        and other.rule.spdx_license_expression() not in references
        and other.start_line <= match.start_line
        and match.end_line <= other.end_line
        for other in others
    )


def spelled_version(match: Any, expression: str) -> str:
    """`expression` of an inexact `match`, or that of another version, if it is the one that the matched lines name."""
    own = _VERSIONED.fullmatch(expression)
    if match.matcher != "3-seq" or own is None:
        return expression
    named = {found for line in _lines(match) for found in _VERSION.findall(line)}
    if not named or any(_same(found, own[2]) for found in named):
        return expression
    known = {sibling for found in sorted(named) for sibling in _siblings(own[1], found)}
    return known.pop() if len(known) == 1 else expression


def _siblings(stem: str, version: str) -> Iterator[str]:
    """The licence `stem` + `version` (`1` also as `1.0`) where there is one."""
    for spelling in (version, f"{version}.0"):
        try:
            found = spdx.normalise(stem + spelling)
        except ConfigError:
            continue
        yield found
        return


def _same(one: str, other: str) -> bool:
    return one.removesuffix(".0") == other.removesuffix(".0")


def _lines(match: Any) -> list[str]:
    text = match.query.query_string or ""
    return text.split("\n")[match.start_line - 1 : match.end_line] or [""]


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "
