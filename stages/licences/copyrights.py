"""Copyright lines: who, by a licence text's own words, holds the copyright.

`copyright_lines(text)` → the lines that say nothing but that, undressed of comment markers, in order, each once; at
most MAX_LINES of at most MAX_CHARACTERS. The Free Software Foundation's line over its own licences is part of
those licences' text and no holder's. Cost: about 0.2 ms a licence text; only lines with a cue are taken apart.
"""

from __future__ import annotations

import re

from stages.licences.normal import is_holder, undressed

MAX_LINES, MAX_CHARACTERS = 200, 500

_CUES = ("copyr", "(c)", "©", "&copy;")
_ENUMERATED = re.compile(r"\(c\)\s+[a-z]")  # the third point of a list
_CLOSERS, _STOP = " \t\r*/#|", "."
_ITS_OWN = "Everyone is permitted to copy"


def copyright_lines(text: str) -> tuple[str, ...]:
    """The copyright lines of `text`; see the module."""
    found: dict[str, None] = {}
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if len(line) <= MAX_CHARACTERS and _cued(line):
            bare = undressed(line)
            named = is_holder(bare) and _cued(bare) and not _ENUMERATED.match(bare)
            if named and _ITS_OWN not in " ".join(lines[at : at + 4]):
                found[_shown(line)] = None
        if len(found) == MAX_LINES:
            break
    return tuple(found)


def _cued(line: str) -> bool:
    lower = line.lower()
    return any(cue in lower for cue in _CUES)


def _shown(line: str) -> str:
    """`line` without comment markers, an address in angle brackets at its end left whole."""
    return undressed(f"{line.rstrip(_CLOSERS)}{_STOP}").removesuffix(_STOP)
