"""Licence statements inside a file: SPDX tags and the comments at its head that speak of a licence.

`passages(text, prose=…)` → `Passage`s in the order of the file. A comment is found by its markers, of any
language; prose (Markdown, reStructuredText, plain text) has only HTML comments, `..` comments and tags. A
comment is cut to the paragraphs between its first and its last licence word; one without such a word is none.
Only the lines that may have a licence word are looked at closely (`cued_lines`: one compiled scan), and what comes
below the last of them not at all. Cost: about 0.4 ms a head of 16 kB, for the
heads that pass the cue gate of `notices.py` only.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence

from stages.licences.normal import LICENCE_WORDS, is_holder, undressed
from stages.redaction.vectorscan import CASELESS, Expression, Patterns

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
_LED_IN = frozenset("<rRuUbB@")
"""First characters of what `_LEAD_IN` takes off."""
_MARKS = frozenset("/#;-%!'\"*.:\\[@rRdDcC")
"""First characters of what `_PREFIX` and `_PROSE_PREFIX` match."""


def _loose(gap: str) -> str:
    """LICENCE_WORDS as they may look before a line is undressed: any white space for a space, anything at the ends."""
    return (
        rf"licen[cs]|spdx|gpl|apache{gap}*2|apache{gap}+software|public{gap}+domain|redistribut|warrant[iy]"
        rf"|permission{gap}+(?:is|to|notice)|written{gap}+permission|permitted|copyleft|see{gap}+copying"
        rf"|mozilla{gap}+public|creative{gap}+commons|free{gap}+software|same{gap}+terms|unlicen|wtfpl|cc0|cc{gap}+by"
        rf"|boost{gap}+software|proprietary|(?:provided|distributed)(?:{gap}|[\"'`])+as{gap}+is"
        rf"|freely{gap}+(?:used|copied|distributed)|can{gap}+be{gap}+used{gap}+freely|may{gap}+be{gap}+freely"
    )


# White space as `str.split` knows it, in UTF-8.
_GAP = r"(?:[\s\x1c-\x1f-]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)"
_LOOSE = Patterns(
    (
        Expression(_loose(_GAP), 0, CASELESS),
        Expression(r"(?:^|[^a-z0-9])mpl(?:[^a-z0-9]|$)", 1, CASELESS),
        Expression(r"(?:^|[^A-Za-z0-9])(?:MIT|BSD|ISC)(?:[^A-Za-z0-9]|$)", 2),
    )
)
_FOLDED = re.compile("[\u0130\u0131\u017f\u212a]")
"""Letters beyond ASCII that `re.IGNORECASE` takes for one of ASCII's; where they stand, `re` looks for the words."""
_LOOSE_ANY = re.compile(_loose(r"[\s-]") + "|mpl|(?-i:MIT|BSD|ISC)", re.IGNORECASE)
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
    found: list[Passage] = []
    tagged: set[int] = set()
    if cued := cued_lines(head):
        lines = head.splitlines()
        for code_lines, block in _blocks(lines, prose=prose, last=cued[-1]):
            kind = "header" if code_lines <= LEAD_IN_LINES else "mention"
            found += _from_block(block, _within(cued, block), tagged, kind=kind)
        found += [tag for tag in _loose_tags(lines, cued) if tag.start not in tagged]
    for name in _PYTHON_NAME.finditer(head) if "__licen" in head else ():
        line = head.count("\n", 0, name.start()) + 1
        found.append(Passage("declared", line, line, name[1]))
    if "\n=head" in text:
        found += _pod(text)
    return found


_Line = tuple[int, str]


def cued_lines(head: str) -> list[int]:
    """Numbers (from 1, as `str.splitlines` counts) of the lines that may have a licence word once they are undressed.

    Never too few: one scan for a looser form of `LICENCE_WORDS`, over the UTF-8 bytes.
    """
    plain = head.isascii()
    if not plain and _FOLDED.search(head):
        return [number for number, line in enumerate(head.splitlines(), start=1) if _LOOSE_ANY.search(line)]
    data = head.encode("utf-8", "surrogatepass")
    ends = [end - 1 for end, _ in _LOOSE.scan(data)]
    if not ends:
        return []
    lines = head.splitlines(keepends=True)
    sizes = map(len, lines if plain else (line.encode("utf-8", "surrogatepass") for line in lines))
    starts = list(itertools.accumulate(sizes, initial=0))
    return sorted({bisect.bisect_right(starts, end) for end in ends})


def _within(cued: Sequence[int], block: Sequence[_Line]) -> list[int]:
    """Places in `block`, whose lines follow each other, of the lines among `cued`."""
    first, last = block[0][0], block[-1][0]
    return [number - first for number in cued[bisect.bisect_left(cued, first) : bisect.bisect_right(cued, last)]]


def _blocks(lines: Sequence[str], *, prose: bool, last: int) -> Iterator[tuple[int, list[_Line]]]:
    """Lines of code so far, and a run of comment lines (number, line); empty lines do not end a run, code does.

    Ends with the block that holds line `last`, or that could.
    """
    openers = _PROSE_OPENERS if prose else _OPENERS
    prefix = _PROSE_PREFIX if prose else _PREFIX
    block: list[_Line] = []
    closer: str | None = None
    code = 0
    for number, line in enumerate(lines, start=1):
        bare = _bare(line)
        if closer is not None:
            inside, closed, _ = bare.partition(closer)
            block.append((number, inside))
            closer = None if closed else closer
            continue
        if not bare:
            block += [(number, "")] if block else []
        elif opened := _opened(bare, openers, lines, number):
            inside, closed, _ = bare[len(opened[0]) :].partition(opened[1])
            block.append((number, inside))
            closer = None if closed else opened[1]
        elif _is_comment(bare, prefix):
            block.append((number, line))
        else:
            if block:
                yield code, block
            if number >= min(last, HEAD_LINES):
                return
            block, code = [], code + (not bare.startswith("#!"))
        if block and block[0][0] > HEAD_LINES:
            return
    if block:
        yield code, block


def _bare(line: str) -> str:
    bare = line.strip()
    return _LEAD_IN.sub("", bare, count=1) if bare[:1] in _LED_IN else bare


def _is_comment(bare: str, prefix: re.Pattern[str]) -> bool:
    return bare[0] in _MARKS and prefix.match(bare) is not None and not bare.startswith("#!")


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


def _from_block(block: Sequence[_Line], cued: Sequence[int], tagged: set[int], *, kind: str) -> list[Passage]:
    """A block's tags; without any, its paragraphs from the first with a licence word to the last.

    `cued`: places of the lines in `block` that may have one.
    """
    tags = [tag for at in cued for tag in _tags(*block[at])]
    tagged.update(tag.start for tag in tags)
    if tags:
        return tags
    spoken = [at for at in cued if _speaks(block[at][1])]
    if not spoken:
        return []
    first, last = _paragraph(block, spoken[0], -1), _paragraph(block, spoken[-1], 1)
    bare = [(number, undressed(line)) for number, line in block[first : last + 1]]
    kept = [(number, words) for number, words in bare if not is_holder(words)]
    text = "\n".join(words for _, words in kept)
    words = text.replace("\n", " ")
    kind = "mention" if _PART.search(words) and not _OWN.search(words) else kind
    return [Passage(kind, kept[0][0], kept[-1][0], text)]


def _speaks(line: str) -> bool:
    bare = undressed(line)
    return not is_holder(bare) and bool(LICENCE_WORDS.search(bare))


def _paragraph(block: Sequence[_Line], at: int, step: int) -> int:
    """The end, in direction `step`, of the paragraph around line `at`; a holder's line does not part paragraphs."""
    end = at
    at += step
    while 0 <= at < len(block):
        bare = undressed(block[at][1])
        if not is_holder(bare):
            if not bare:
                break
            end = at
        at += step
    return end


def _tags(number: int, line: str) -> list[Passage]:
    values = (_TAG_END.sub("", found[1]).strip().rstrip(".") for found in _TAG.finditer(line))
    return [Passage("spdx_tag", number, number, value) for value in values if value]


def _loose_tags(lines: Sequence[str], cued: Sequence[int]) -> Iterator[Passage]:
    """Tags behind nothing but markers, wherever in the head they stand; in no line but the `cued` ones."""
    for number in cued:
        line = lines[number - 1]
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
