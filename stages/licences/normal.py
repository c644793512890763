"""The normal form of a notice: what is left of a licence text when its dress is taken off.

Comment markers, boxes, HTML markup, copyright and author lines, years and the way lines are wrapped go;
words, their case and their order stay, because ScanCode reads them. The same licence in another file,
with another holder and in another comment style has the same normal form and so the same notice hash.
`normal_form` is idempotent.

Output: paragraphs, each on one line, separated by one empty line. Cost: about 20 MB/s a core.
"""

from __future__ import annotations

import html
import re

LICENCE_WORDS = re.compile(
    r"licen[cs]|spdx|\b[al]?gpl|apache[ -]?2|apache software|(?-i:\bMIT\b)|(?-i:\bBSD\b)|(?-i:\bISC\b)"
    r"|public[ -]domain|redistribut|warrant[iy]|permission (?:is|to|notice)|written permission|permitted"
    r"|copyleft|see copying|mozilla public|\bmpl\b|creative commons|free software|same terms|unlicen|wtfpl"
    r"|\bcc0\b|\bcc[ -]by\b|boost software|proprietary|(?:provided|distributed)[ \"'`]+as[ -]is"
    r"|freely (?:used|copied|distributed)|can be used freely|may be freely",
    re.IGNORECASE,
)
"""Words of which a notice has at least one; a copyright line alone has none."""

_LEADING = " \t\r\f\v\0/*#;%!|>~=_:\\\"'`.+-\u00a0\ufeff"
_TRAILING = " \t\r\f\v\0*/#|=~_<>\\\"'`-\u00a0"
_WORD_MARKER = re.compile(r"@?(?:dnl|rem)(?:\s+|$)", re.IGNORECASE)
_YEARS = r"(?:19|20)\d\d(?:\s*(?:[-–,/]|\bto\b|\band\b)\s*(?:(?:19|20)?\d\d\b|present|now))*"
_MARK = r"(?:\bcopyright(?:ed)?\b|\bcopr\b\.?|\(c\)|©|&copy;)"
_HOLDER = re.compile(
    rf"^[\w .,:'’]{{0,40}}{_MARK}(?:[\s:,]*(?:{_MARK}|by\b|{_YEARS})).*$"
    r"|^(?:\(c\)|©).*$",
    re.IGNORECASE,
)
_NOT_HOLDER = re.compile(
    rf"{LICENCE_WORDS.pattern}|\bnotices?\b|\bholders?\b|\bowners?\b|\blaws?\b|disclaim|conditions|reproduce|retain"
    r"|<name|name of (?:the )?(?:author|copyright)|\byear\b|yy"  # the placeholders of licence texts stay
    r"|\bmay (?:be )?(?:use|cop|modif|distribut|redistribut)|without restriction|free of charge|for any purpose"
    r"|\bthis (?:software|program|file|code|work|library|package)\b",
    re.IGNORECASE,
)
_AUTHOR = re.compile(r"^(?:(?:author|maintainer|contributor)s?\s*[:=]|@(?:author|file|date|version)\b)", re.IGNORECASE)
_HINTS = ("copyr", "copr", "(c)", "©", "&copy;", "author", "maintainer", "contributor", "reserved", "@")
_FSF, _FSF_TEXT = "Free Software Foundation", "Everyone is permitted to copy"
_RIGHTS = re.compile(r"^(?:and contributors[.,]? )?all rights reserved\.?$", re.IGNORECASE)
_DATED = re.compile(rf"({_MARK}[\s:,]*(?:{_MARK}[\s:,]*)?){_YEARS}[\s,]*", re.IGNORECASE)
_TAG_LINE = re.compile(r"SPDX-[A-Za-z]+-?[A-Za-z]*\s*:", re.IGNORECASE)
_MARKUP = re.compile(r"<!--|-->|<(?:/?[a-zA-Z][^<>]{0,500}|![a-zA-Z][^<>]{0,500})>")
_RTF_BREAK = re.compile(r"\\(?:par|line|row)\b ?\n?")
_RTF = re.compile(r"\\'[0-9a-f]{2}|\\[a-z]{1,32}-?\d{0,9} ?|\\\*|[{}]")
_LOOKS_HTML = re.compile(r"<(?:html|body|div|p|pre|h[1-6]|br|table)\b[^<>]*>", re.IGNORECASE)
_PASSES = 8


def normal_form(text: str) -> str:
    """`text` in normal form; an empty string when nothing of a notice is left. See the module docstring."""
    for _ in range(_PASSES):
        once = _once(text)
        if once == text:
            break
        text = once
    return text


def without_markup(text: str) -> str:
    """`text` without HTML or RTF markup, if it looks like either; else unchanged."""
    if text.startswith("{\\rtf"):
        return _RTF.sub("", _RTF_BREAK.sub("\n", text))
    if not _LOOKS_HTML.search(text):
        return text
    return html.unescape(_MARKUP.sub(" ", text))


def undressed(line: str) -> str:
    """`line` without comment markers at both ends and with single spaces."""
    bare = " ".join(line.lstrip(_LEADING).rstrip(_TRAILING).split())
    while bare[:1] in "@dDrR" and (rest := _WORD_MARKER.sub("", bare, count=1).lstrip(_LEADING)) != bare:
        bare = rest
    return bare


def is_holder(line: str) -> bool:
    """Whether an undressed line only says who holds the copyright, who wrote it, or that rights are reserved."""
    if _RIGHTS.match(line):
        return True
    return bool((_HOLDER.match(line) or _AUTHOR.match(line)) and not _NOT_HOLDER.search(line))


def _once(text: str) -> str:
    paragraphs: list[str] = []
    current: list[str] = []
    lines = [undressed(raw) for raw in text.splitlines()]
    for at, line in enumerate(lines):
        tag = line[:5].upper() == "SPDX-" and bool(_TAG_LINE.match(line))
        if (not line or tag) and current:
            paragraphs.append(" ".join(current))
            current = []
        if tag:
            paragraphs.append(line)
        elif line:
            current += _kept(line, lines[at + 1 : at + 4])
    if current:
        paragraphs.append(" ".join(current))
    return "\n\n".join(filter(None, map(undressed, paragraphs)))


def _kept(line: str, following: list[str]) -> list[str]:
    """What stays of a line: nothing of a holder's, else the line without the years of its copyright."""
    lower = line.lower()
    if not any(hint in lower for hint in _HINTS):
        return [line]
    if _FSF in line and _FSF_TEXT in " ".join((line, *following)):
        return [line]  # the Foundation's line is part of the GPL's own text
    return [] if is_holder(line) else [_DATED.sub(r"\1", line)]
