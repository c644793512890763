"""What Linguist says of a file: enry-python (go-enry), called so that its traps cannot bite.

- Imported inside functions only: after the first call the Go runtime lives in the process, and a child
  made by fork would hang in it. Ray workers and fresh processes are fine.
- Two releases are in use (0.2.0 on Python 3.11, 0.3.0 from 3.12). Only `get_languages`, `is_vendor`,
  `is_documentation` and `is_generated` are called, which mean the same in both; `safe` of 0.2.0 means
  nothing. One answer: some strategy was certain. Several: the naive Bayes classifier ranked them. None: no
  strategy knows the file.
- 0.2.0 breaks ties of the classifier by Go's random map order. A tie for the first place needs an equal
  prior in the second, so there such a pair is not taken for a ranking (`ranked` is False).
- Linguist calls any text with NUL in its first 8,000 bytes binary; decoding has settled that already, so
  NUL is shown to it as a space.
- Long texts are shown as their first SHOWN bytes and their last lines (Linguist itself reads the first
  50 KiB for heuristics and the last five lines for modelines).

Most files never reach Go: where neither modeline nor shebang is in sight, a name that is certain stays so,
and a name that says nothing leaves nothing but an XML header and manual pages (`tests/languages` holds the
short cuts and the library against each other).
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import re

from stages.languages.vocabulary import by_extension, table

SHOWN = 8_192  # 50 KiB changes 2 answers of the 7,304 files of our evaluation set, at twice the cost
_TAIL = 2_048
_SCOPE = 5  # lines at either end in which modelines count

# What a Vim modeline cannot do without (an Emacs one has -*-), in lower case.
_VIM = re.compile(rb"(?:filetype|ft|syntax)\s*=\s*\w")

# The extensions of manual pages, which Linguist tells by pattern.
_MANUAL = re.compile(r"\.(?:[1-9][a-z_0-9]*|0p|n|man|mdoc)(?:\.in)?\Z", re.IGNORECASE)

# A word without which no path rule for documentation holds (go-enry's data/documentation.go): spares the library.
_DOCUMENTARY = re.compile(
    r"doc|man/|example|demo|sample|citation|change|contributing|copying|install|licen|readme", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Linguist's candidates; `ranked` when their order means something; `named` when the name alone says so."""

    candidates: tuple[str, ...]
    ranked: bool
    named: bool


def shown(text: bytes) -> bytes:
    """What Linguist is shown of a text: all of it, or its head and its last lines; NUL as space."""
    if len(text) > SHOWN + _TAIL:
        tail = text[-_TAIL:]
        text = text[:SHOWN] + tail[tail.find(b"\n") :]
    return text.replace(b"\0", b" ")


def detect(name: str, text: bytes) -> Verdict:
    """Linguist's answer for the base name `name` and a `shown` text."""
    named = by_name(name)
    if named is not None and len(named) < 2 and not has_cue(text):
        if named:
            return Verdict(named, ranked=True, named=True)
        if b"xml version=" not in _lines(text, 2) and not _MANUAL.search(name):
            return Verdict((), ranked=False, named=False)
    import enry

    found = tuple(enry.get_languages(name, text))
    if len(found) == 1:
        return Verdict(found, ranked=True, named=found == named)
    return Verdict(found, ranked=_order_is_sure(found), named=False)


@functools.lru_cache(maxsize=1 << 16)
def by_name(name: str) -> tuple[str, ...] | None:
    """Linguist's candidates for a base name (whole name, else first known extension), sorted.

    None where our table of extensions is newer than the library, so that only the library can tell. (Its
    own answer for a name without content will not do in general: heuristics then fall back to a default.)
    """
    import enry

    whole = tuple(sorted(enry.get_languages_by_filename(name)))
    if whole:
        return whole
    lowered = name.lower()
    for at in [at for at, letter in enumerate(lowered) if letter == "."]:
        found = by_extension().get(lowered[at:])
        if found:
            return found if len(found) > 1 or enry.get_languages(name, b"") == list(found) else None
    return () if not enry.get_languages(name, b"") else None


def has_cue(text: bytes) -> bool:
    """Whether a shebang, or what may be a modeline, stands where Linguist looks for one."""
    if text.startswith(b"#!"):
        return True
    ends = _ends(text).lower()
    return b"-*-" in ends or (
        (b"ft" in ends or b"filetype" in ends or b"syntax" in ends) and _VIM.search(ends) is not None
    )


def _ends(text: bytes) -> bytes:
    """The first and last five lines, or all of a text that has fewer than ten."""
    head, tail = _lines(text, _SCOPE), len(text)
    for _ in range(_SCOPE):
        tail = text.rfind(b"\n", 0, tail)
        if tail < 0:
            return text
    return text if len(head) >= tail else head + text[tail:]


def _lines(text: bytes, count: int) -> bytes:
    """The first `count` lines."""
    end = -1
    for _ in range(count):
        end = text.find(b"\n", end + 1)
        if end < 0:
            return text
    return text[:end]


def is_vendored(path: str) -> bool:
    """Whether Linguist's path rules call the file vendored (third-party); `path` is the full path."""
    import enry

    return bool(enry.is_vendor(path))


def is_documentation(path: str) -> bool:
    """Whether Linguist's path rules call the file documentation, licences and examples included; full path."""
    if not _DOCUMENTARY.search(path):
        return False
    import enry

    return bool(enry.is_documentation(path))


def is_generated(path: str, text: bytes) -> bool:
    """Whether Linguist's rules call the file generated, by full path and `shown` text."""
    import enry

    return bool(enry.is_generated(path, text))


@functools.cache
def _ties_are_random() -> bool:
    major, minor = importlib.metadata.version("enry-python").split(".")[:2]
    return (int(major), int(minor)) < (0, 3)


def _order_is_sure(candidates: tuple[str, ...]) -> bool:
    if len(candidates) < 2 or not _ties_are_random():
        return True
    first, second = (table()[name].prior if name in table() else None for name in candidates[:2])
    return first != second
