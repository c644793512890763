"""Licence statements inside a file: SPDX tags and the comments at its head that speak of a licence.

`passages(text, prose=…)` → `Passage`s in the order of the file. A comment is found by its markers, of any
language; prose (Markdown, reStructuredText, plain text) has only HTML comments, `..` comments and tags. A
comment is cut to the paragraphs between its first and its last licence word; one without such a word is none.
Cost: about 25 µs a line, for the heads that pass the cue gate of `notices.py` only.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence

from stages.licences.normal import LICENCE_WORDS, is_holder, undressed

HEAD_CHARACTERS = 16_384
"""Only so much of a file is looked at; long licences at the head fit."""

HEAD_LINES = 100
"""A comment that begins below this line is not looked at."""

LEAD_IN_LINES = 4
"""So many lines of code (guards, `package`, imports) may stand before a file's own header."""

_OPENERS = (
    ("/*", "*/"), ("<!--", "-->"), ("(*", "*)"), ("{-", "-}"), ('"""', '"""'), ("'''", "'''"), ("--[[", "]]"),
    ("--[=[", "]=]"), ("#|", "|#"), ("<#", "#>"), ("%{", "%}"), ("{#", "#}"), ("{{!--", "--}}"), ("{{!", "}}"),
    ("<%--", "--%>"), ("<%#", "%>"), ("/+", "+/"), ("#=", "=#"), ("=begin", "=end"), ("{*", "*}"), ("###", "###"),
)  # fmt: skip
_CERTAIN = ("/*", "<!--")  # the others open a comment only if they are closed further down
_CLOSED_WITHIN = 300  # lines
_PROSE_OPENERS = (("<!--", "-->"),)
_STARTS: dict[tuple[tuple[str, str], ...], tuple[str, ...]] = {
    pairs: tuple(start for start, _ in pairs) for pairs in (_OPENERS, _PROSE_OPENERS)
}
_PREFIX = re.compile(
    r"//|#(?!(?:include|define|undef|if|ifdef|ifndef|else|elif|endif|pragma|import|error|line|region)\b)"
    r"|;|--|%|!|['\"](?=\s|[^'\"]*$)|\*|\.\\\"|'\\\"|\.\.\s|::|\\\s|(?:@?rem|dnl|@c|@comment|c)(?:\s|$)",
    re.IGNORECASE,
)
_PROSE_PREFIX = re.compile(r"\.\.\s+\S|\[//\]|%|\.\\\"")
_LEAD_IN = re.compile(
    r"^(?:<\?(?:php|xml[^>]*\?>)|<%|[rRuUbB]{1,2}(?=\"\"\"|''')|@charset[^;]*;|<[!a-zA-Z][^>]*>(?=\s*<!--))\s*"
)
_TAG = re.compile(r"SPDX-License-Identifier\s*:\s*([^\n\r]+)", re.IGNORECASE)
_TAG_END = re.compile(
    r"(?:\*+/|--!?>|--%>|%>|[#%*]\}|\*\)|-\}|\]\]|\"\"\"|'''|\|#|#>|\?>|</[a-z]|<br|\\n|[\"'`<>;,]|\s//|\s#).*$", re.I
)
_MARKERS_ONLY = re.compile(r"^[^A-Za-z0-9]*(?:(?:dnl|rem|C|[*]\s*)\s+)?$", re.IGNORECASE)
_PART = re.compile(
    r"\b(?:following|these|this) (?:function|code|routine|method|section|block|class|part|algorithm|snippet)s?\b"
    r"[^.]{0,60}\b(?:comes?|taken|copied|borrowed|derived|based|adapted|from)\b|\bportions? of this\b"
    r"|\b(?:based on|adapted from|derived from|taken from|copied from|borrowed from|ported from)\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\bthis (?:file|program|software|script|library|module|package|source|project|work)\b|redistribution and use in"
    r"|permission is hereby granted|permission to use, copy|under the terms of the|is free software|use this file",
    re.IGNORECASE,
)
_PYTHON_NAME = re.compile(r"^__licen[cs]e__\s*=\s*[\"']([^\"'\n]{1,200})[\"']", re.MULTILINE)
_POD = re.compile(
    r"^=head\d[ \t]+[^\n]*(?:LICEN[CS]E|COPYRIGHT|COPYING|AUTHOR|LEGAL)[^\n]*\n", re.MULTILINE | re.IGNORECASE
)
_POD_SECTIONS = 16
_POD_END = re.compile(r"^=(?:head\d|cut)\b", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Passage:
    """A piece of a file that speaks of a licence: kind, first and last line (1-based), text.

    Kinds: `spdx_tag`; `declared` (`__license__ = …`); `header`, the file's own; `mention`, a comment below
    code or about borrowed code, which may speak of a part of the file only.
    """

    kind: str
    start: int
    end: int
    text: str


def passages(text: str, *, prose: bool) -> list[Passage]:
    """The licence passages of a file's head, and of a Perl file's POD; see the module docstring."""
    head = text[:HEAD_CHARACTERS]
    lines = head.splitlines()
    found: list[Passage] = []
    tagged: set[int] = set()
    for code_lines, block in _blocks(lines, prose=prose):
        found += _from_block(block, tagged, kind="header" if code_lines <= LEAD_IN_LINES else "mention")
    if "SPDX-LICENSE-IDENTIFIER" in head.upper():
        found += [tag for tag in _loose_tags(lines) if tag.start not in tagged]
    for name in _PYTHON_NAME.finditer(head):
        line = head.count("\n", 0, name.start()) + 1
        found.append(Passage("declared", line, line, name[1]))
    if "\n=head" in text:
        found += _pod(text)
    return found


_Line = tuple[int, str]


def _blocks(lines: Sequence[str], *, prose: bool) -> Iterator[tuple[int, list[_Line]]]:
    """Lines of code so far, and a run of comment lines (number, line); empty lines do not end a run, code does."""
    openers = _PROSE_OPENERS if prose else _OPENERS
    prefix = _PROSE_PREFIX if prose else _PREFIX
    block: list[_Line] = []
    closer: str | None = None
    code = 0
    for number, line in enumerate(lines, start=1):
        bare = _LEAD_IN.sub("", line.strip(), count=1)
        if closer is not None:
            inside, closed, _ = bare.partition(closer)
            block.append((number, inside))
            closer = None if closed else closer
            continue
        opened = _opened(bare, openers, lines, number)
        if opened:
            inside, closed, _ = bare[len(opened[0]) :].partition(opened[1])
            block.append((number, inside))
            closer = None if closed else opened[1]
        elif bare and prefix.match(bare) and not bare.startswith("#!"):
            block.append((number, line))
        elif not bare:
            block += [(number, "")] if block else []
        else:
            if block:
                yield code, block
            block, code = [], code + (not bare.startswith("#!"))
        if block and block[0][0] > HEAD_LINES:
            return
    if block:
        yield code, block


def _opened(
    line: str, openers: tuple[tuple[str, str], ...], lines: Sequence[str], number: int
) -> tuple[str, str] | None:
    """The pair of markers whose first begins `line` (the `number`-th of `lines`), if it does open a comment there."""
    if not line.startswith(_STARTS[openers]):
        return None
    for pair in openers:
        if line.startswith(pair[0]):
            certain = pair[0] in _CERTAIN or pair[1] in line[len(pair[0]) :]
            following = lines[number : number + _CLOSED_WITHIN]
            return pair if certain or any(pair[1] in later for later in following) else None
    return None


def _from_block(block: Sequence[_Line], tagged: set[int], *, kind: str) -> list[Passage]:
    """A block's tags; without any, its paragraphs from the first with a licence word to the last."""
    tags = [tag for number, line in block for tag in _tags(number, line)]
    tagged.update(tag.start for tag in tags)
    if tags:
        return tags
    spoken = [(number, bare) for number, line in block if not is_holder(bare := undressed(line))]
    cued = [at for at, (_, bare) in enumerate(spoken) if LICENCE_WORDS.search(bare)]
    if not cued:
        return []
    first, last = _paragraph_start(spoken, cued[0]), _paragraph_end(spoken, cued[-1])
    kept = spoken[first : last + 1]
    text = "\n".join(bare for _, bare in kept)
    words = text.replace("\n", " ")
    kind = "mention" if _PART.search(words) and not _OWN.search(words) else kind
    return [Passage(kind, kept[0][0], kept[-1][0], text)]


def _paragraph_start(spoken: Sequence[_Line], at: int) -> int:
    while at > 0 and spoken[at - 1][1]:
        at -= 1
    return at


def _paragraph_end(spoken: Sequence[_Line], at: int) -> int:
    while at + 1 < len(spoken) and spoken[at + 1][1]:
        at += 1
    return at


def _tags(number: int, line: str) -> list[Passage]:
    values = (_TAG_END.sub("", found[1]).strip().rstrip(".") for found in _TAG.finditer(line))
    return [Passage("spdx_tag", number, number, value) for value in values if value]


def _loose_tags(lines: Sequence[str]) -> Iterator[Passage]:
    """Tags behind nothing but markers, wherever in the head they stand."""
    for number, line in enumerate(lines, start=1):
        at = line.upper().find("SPDX-LICENSE-IDENTIFIER")
        if at >= 0 and _MARKERS_ONLY.match(line[:at]):
            yield from _tags(number, line)


def _pod(text: str) -> Iterator[Passage]:
    """The sections of Perl's plain old documentation that are headed by licence, copyright or author."""
    for heading in itertools.islice(_POD.finditer(text), _POD_SECTIONS):
        end = _POD_END.search(text, heading.end())
        section = text[heading.end() : end.start() if end else len(text)][:HEAD_CHARACTERS]
        spoken = [bare for line in section.splitlines() if not is_holder(bare := undressed(line))]
        if any(LICENCE_WORDS.search(bare) for bare in spoken):
            start = text.count("\n", 0, heading.start()) + 1
            yield Passage("header", start, start + section.count("\n"), "\n".join(spoken))
