"""What Linguist says of a file: enry-python (go-enry), called so that its traps cannot bite.

- Imported inside functions only: after the first call the Go runtime lives in the process, and a child
  made by fork would hang in it. Ray workers and fresh processes are fine.
- Two releases are in use (0.2.0 on Python 3.11, 0.3.0 from 3.12). Only `get_languages`, `get_language_by_content`
  (its heuristics), `is_vendor` and `is_generated` are called, which mean the same in both; `safe` of 0.2.0
  means nothing. One answer: some strategy was certain. Several: they share the name's extension. None: no
  strategy knows the file.
- Its naive Bayes classifier takes 3 ms a file, 0.2.0 breaks ties by Go's random map order, and our own model
  chooses better (`stages/languages/content.py`): the order of several candidates is not used, and where only
  that classifier is left it is not asked.
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
import re

from stages.languages.vocabulary import by_alias, by_extension

SHOWN = 8_192  # 50 KiB changes 2 answers of the 7,304 files of our evaluation set, at twice the cost
_TAIL = 2_048
_SCOPE = 5  # lines at either end in which modelines count

# What a Vim modeline cannot do without (an Emacs one has -*-), in lower case.
_VIM = re.compile(rb"(?:filetype|ft|syntax)\s*=\s*\w")

# The first of the only pair that a heuristic of Linguist answers with; the library's short form hides the second.
_DOUBLE = frozenset({"Linux Kernel Module", "AMPL"})

# The extensions of manual pages, which Linguist tells by pattern.
_MANUAL = re.compile(r"\.(?:[1-9][a-z_0-9]*|0p|n|man|mdoc)(?:\.in)?\Z", re.IGNORECASE)

# A word without which no path rule for documentation holds (go-enry's data/documentation.go): spares the library.
_DOCUMENTARY = re.compile(
    r"doc|man/|example|demo|sample|citation|change|contributing|copying|install|licen|readme", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Linguist's candidates, sorted; `named` when there is one and the name alone says so."""

    candidates: tuple[str, ...]
    named: bool


def shown(text: bytes) -> bytes:
    """What Linguist is shown of a text: all of it, or its head and its last lines; NUL as space."""
    if len(text) > SHOWN + _TAIL:
        tail = text[-_TAIL:]
        text = text[:SHOWN] + tail[tail.find(b"\n") :]
    return text.replace(b"\0", b" ")


def detect(name: str, text: bytes) -> Verdict:
    """Linguist's answer for the base name `name` and a `shown` text."""
    import enry

    named = by_name(name)
    if named is not None and not has_cue(text):
        if len(named) == 1:
            return Verdict(named, named=True)
        if not named and b"xml version=" not in _lines(text, 2) and not _MANUAL.search(name):
            return Verdict((), named=False)
        if named and not _MANUAL.search(name):
            told = str(enry.get_language_by_content(name, text).language)
            if told not in _DOUBLE:
                return Verdict((told,) if told else named, named=False)
    found = tuple(sorted(enry.get_languages(name, text)))
    return Verdict(found, named=len(found) == 1 and found == named)


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


def by_own_name(name: str) -> str | None:
    """The language whose name or alias is the extension of the base name (`sort.kotlin`); None if there is none.

    One letter is no such name. Linguist itself does not look at this; we ask where it knows nothing by the name.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return by_alias().get(extension) if len(extension) > 1 else None


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
