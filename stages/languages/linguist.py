"""What Linguist says of a file: enry-python (go-enry), called so that its traps cannot bite.

- Imported inside functions only: after the first call the Go runtime lives in the process, and a child
  made by fork would hang in it. Ray workers and fresh processes are fine.
- Two releases are in use (0.2.0 on Python 3.11, 0.3.0 from 3.12). Only `get_languages`, `is_vendor` and
  `is_generated` are called, which mean the same in both; `safe` of 0.2.0 means nothing. One answer: some
  strategy was certain. Several: the naive Bayes classifier ranked them. None: no strategy knows the file.
- 0.2.0 breaks ties of the classifier by Go's random map order. A tie for the first place needs an equal
  prior in the second, so there such a pair is not taken for a ranking (`ranked` is False).
- Linguist calls any text with NUL in its first 8,000 bytes binary; decoding has settled that already, so
  NUL is shown to it as a space.
- Long texts are shown as their first SHOWN bytes and their last lines (Linguist itself reads the first
  50 KiB for heuristics and the last five lines for modelines).

Most files never reach Go: where the name alone is certain and neither modeline nor shebang is in sight,
no later strategy could change the answer (`tests/languages` holds the two against each other).
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import re

from stages.languages.vocabulary import by_extension, table

SHOWN = 16_384
_TAIL = 2_048
_SCOPE = 5  # lines at either end in which modelines count

# What a modeline cannot do without: Emacs' -*- or Vim's ft=, filetype=, syntax=.
_MODELINE = re.compile(rb"-\*-|(?:filetype|ft|syntax)\s*=\s*\w", re.IGNORECASE)


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
    if len(named) == 1 and not has_cue(text):
        return Verdict(named, ranked=True, named=True)
    import enry

    found = tuple(enry.get_languages(name, text))
    if len(found) == 1:
        return Verdict(found, ranked=True, named=found == named)
    return Verdict(found, ranked=_order_is_sure(found), named=False)


@functools.lru_cache(maxsize=1 << 16)
def by_name(name: str) -> tuple[str, ...]:
    """Linguist's candidates for a base name (whole name, else first known extension), sorted; () if none.

    The library's own answer for a name with empty content will not do: its heuristics then fall back to a
    default (`C` for .h). A sole extension candidate must agree with it, so that a table newer than the
    library cannot answer for it.
    """
    import enry

    whole = tuple(sorted(enry.get_languages_by_filename(name)))
    if whole:
        return whole
    lowered = name.lower()
    for at in [at for at, letter in enumerate(lowered) if letter == "."]:
        found = by_extension().get(lowered[at:])
        if found:
            return found if len(found) > 1 or enry.get_languages(name, b"") == list(found) else ()
    return ()


def has_cue(text: bytes) -> bool:
    """Whether a shebang, or what may be a modeline, stands where Linguist looks for one."""
    return text.startswith(b"#!") or _MODELINE.search(_ends(text)) is not None


def _ends(text: bytes) -> bytes:
    """The first and last five lines, or all of a text that has fewer than ten."""
    head, tail = -1, len(text)
    for _ in range(_SCOPE):
        head = text.find(b"\n", head + 1)
        tail = text.rfind(b"\n", 0, tail)
        if head < 0 or tail < 0:
            return text
    return text if head >= tail else text[: head + 1] + text[tail:]


def is_vendored(path: str) -> bool:
    """Whether Linguist's path rules call the file vendored (third-party); `path` is the full path."""
    import enry

    return bool(enry.is_vendor(path))


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
