"""Where a licence file stops speaking of its own work and prints the licences of what comes with it.

Large projects keep one LICENSE with their own licence first and, below it, the licences of bundled software. `parts`
cuts such a file; `kind` of a part says what it holds for:

    text       the work itself, all that the file's directory holds
    bundled    other software, by the file's own words ("also bundles the following software", a heading that names
               third parties, `Name:`/`Files:` stanzas); `globs` are the files that it names, if it names any
    appended   below a line of dashes or the like; the file does not say of what. Whether it holds for the work is
               for others to judge (`combine.py`: only the manifest can say that it does not)

Invariants: the parts are in order, disjoint and cover the text; the first is of kind `text`, and it is the whole text
unless it prints or grants a licence before the cut. Cost: a few regular expressions over one licence file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from stages.licences.normal import LICENCE_WORDS

MOST_PARTS = 400
"""Parts of one file; what follows stays in the last."""

TEXT, BUNDLED, APPENDED = "text", "bundled", "appended"

_OTHERS = (
    r"(?:soft-?ware|librar(?:y|ies)|components?|packages?|projects?|modules?|dependenc(?:y|ies)|code|files|works?)"
)
# "This binary distribution of NumPy also bundles the following software:", "The wheels include bundled versions of …":
# the first line of a paragraph
_SAYS = re.compile(
    rf"(?:(?<=\n\n)|(?<=\n[=\-#*][=\-#*]\n))[ \t>*#]{{0,4}}(?:this|the|our|some|parts of|portions of)\b[^\n.;]{{0,80}}?"
    rf"\b(?:(?:also|can|may)(?: also)? bundle|bundles|incorporates|ships with"
    rf"|(?:contains|includes?|uses) (?:the following|bundled|vendored|third[- ]party|several|other"
    rf"|(?:\w+ ){{0,2}}{_OTHERS} (?:from|derived from|based on))) [^\n]{{0,100}}$"
    rf"|(?<=\n\n)[ \t]*(?:third|3rd)[- ]?party dependency \S[^\n]{{0,80}}$",
    re.IGNORECASE | re.MULTILINE,
)
# A heading, alone in its paragraph: "Third-party licenses", "Bundled software", "Licenses for bundled components"
_HEADS = re.compile(
    r"(?<=\n\n)[ \t>*#=]{0,8}(?:licen[cs]es (?:for|of) )?"
    r"(?:(?:third|3rd)[- ]?part(?:y|ies)|bundled|vendored|embedded)"
    rf"(?: [\w,&-]{{1,20}}){{0,4}}? (?:{_OTHERS}|licen[cs]es|licen[cs]ing|notices)"
    rf"(?: licen[cs]es| notices)?:?[ \t]*[#=*]*[ \t]*"
    rf"(?=\n[ \t]*\n|\n[ \t]*[-=~*]{{3,}})",
    re.IGNORECASE,
)
_STANZA = re.compile(
    r"^(?:Name|Package|Library|Component): ?\S[^\n]{0,100}\n(?:[A-Z][\w -]{1,20}:[^\n]*\n){1,8}", re.MULTILINE
)
_DIVIDER = re.compile(r"(?:(?<=\n)|\A)[ \t]*\n[ \t]*([-=*_#~])\1{19,}[ \t]*\n", re.MULTILINE)
# The words by which a text of its own grants something; the preamble of a Creative Commons text has none of them.
_GRANTS = re.compile(
    r"permission is hereby granted|is hereby granted|hereby grants|redistribution and use in|TERMS AND CONDITIONS"
    r"|permission to use, copy|as ?is without|without any warranty|licen[cs]ed under",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"\bdual|your (?:own )?(?:choice|option)[ ,:]|you (?:may|can) choose (?:between|either|which)|alternatively"
    r"|(?:of|under) the following licen[cs]es|either of",
    re.IGNORECASE,
)
_OWN_START = re.compile(
    r"^[ \t>*#]{0,6}(?:Portions )?Copyright\b[ :]*(?:\(c\)|©|\d{4}|<)|^[ \t]*Licen[cs]e: ?\S",
    re.IGNORECASE | re.MULTILINE,
)
_FILES = re.compile(r"^[ \t]*Files?(?: included)?:[ \t]*(\S[^\n]{0,300})$", re.IGNORECASE | re.MULTILINE)
_LISTED = re.compile(
    r"^[ \t]{0,4}(?:[*+-][ \t]+)?(\.?[\w+-]+(?:/[\w.*+-]+)*/(?:[\w*+-]*\.[\w.*+-]+)?)(?=[ \t:,(]|$)", re.MULTILINE
)
_GLOB = re.compile(r"[\w.+*?/\[\]-]{1,200}")
_INTRODUCTION = 1_000  # characters of a part in which it says of which files it speaks


@dataclasses.dataclass(frozen=True)
class LicencePart:
    """Characters [start, end) of a licence file, what they hold for, and the files that they name (globs)."""

    start: int
    end: int
    kind: str
    globs: tuple[str, ...] = ()


def parts(text: str) -> list[LicencePart]:
    """The parts of a licence file; one, when it speaks of nothing but its own work."""
    said, divided = _first_boundary(text), _first_divider(text)
    if said is None and divided is None:
        return [LicencePart(0, len(text), TEXT)]
    first = min(at for at in (said, divided) if at is not None)
    cuts = [0, *_cuts(text, first), len(text)]
    found = [LicencePart(0, first, TEXT)]
    for start, end in pairwise(cuts[1:]):
        told = said is not None and start >= said
        found.append(_part(text, start, end, told=told))
    return found


def _part(text: str, start: int, end: int, *, told: bool) -> LicencePart:
    introduction = text[start : min(end, start + _INTRODUCTION)]
    globs = tuple(_globs(introduction))
    others = told or bool(globs) or bool(_SAYS.search(introduction)) or bool(_HEADS.search(introduction))
    return LicencePart(start, end, BUNDLED if others else APPENDED, globs)


def _first_boundary(text: str) -> int | None:
    """Where the file says that it goes on about other software, if a licence of its own stands before that."""
    least = _licence_end(text)
    places = (match.start() for pattern in (_SAYS, _HEADS, _STANZA) for match in pattern.finditer(text))
    return min((at for at in places if at >= least), default=None)


def _first_divider(text: str) -> int | None:
    """The first line of dashes below a licence that offers no choice: there, what follows may be another's."""
    least = _licence_end(text)
    first = next((match for match in _DIVIDER.finditer(text) if match.start() >= least), None)
    if first is None or _CHOICE.search(text, 0, first.start()):
        return None
    below = text[first.end() : first.end() + _INTRODUCTION]
    return first.start() if any(pattern.search(below) for pattern in (_OWN_START, _SAYS, _HEADS)) else None


def _licence_end(text: str) -> int:
    """From where on a part has a licence before it; the text's length + 1 where it has none at all."""
    named, granted = LICENCE_WORDS.search(text), _GRANTS.search(text)
    return max(named.end(), granted.end()) if named and granted else len(text) + 1


def _cuts(text: str, first: int) -> Sequence[int]:
    places = {match.start() for pattern in (_DIVIDER, _STANZA) for match in pattern.finditer(text, first)}
    return sorted({first, *places})[:MOST_PARTS]


def _globs(introduction: str) -> Iterator[str]:
    """The files that a part names, as globs relative to the licence file's directory."""
    named = [glob for match in _FILES.finditer(introduction) for glob in re.split(r"[\s,]+", match[1])]
    named += [match[1] for match in _LISTED.finditer(introduction) if "://" not in match[0]]
    for glob in dict.fromkeys(named):
        plain = glob.strip("`'\"().:;").removeprefix("./")
        if _GLOB.fullmatch(plain) and not plain.startswith("/") and ".." not in plain:
            yield f"{plain}*" if plain.endswith("/") else plain
