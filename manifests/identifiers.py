"""How people name what they want explained: a SWHID, an origin, or `origin:path`."""

from __future__ import annotations

import dataclasses
import re

from foundation.errors import UsageError
from foundation.swhid import parse_core

_ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")
_LONGEST = 16_384


@dataclasses.dataclass(frozen=True)
class Named:
    """What an id may mean.

    `sha1_git` is set for a SWHID. `readings` are the (origin or repository name, path) it may name, longest
    name first; a path of None means the repository itself.
    """

    text: str
    sha1_git: str | None
    readings: tuple[tuple[str, str | None], ...]


def read_identifier(text: str) -> Named:
    """The meaning of `text`; UsageError for a SWHID of another kind than content, or an empty or endless id."""
    if not text.strip() or len(text) > _LONGEST:
        raise UsageError(f"an id has 1 to {_LONGEST} characters", hint="give swh:1:cnt:<40 hex digits> or origin:path")
    shown = path_text(path_bytes(text)[0])
    if text.startswith("swh:"):
        kind, identifier = parse_core(text)
        if kind != "cnt":
            raise UsageError(
                f"only contents are explained, this names a {kind!r}", hint="give swh:1:cnt:… or origin:path"
            )
        found = qualifiers(text)
        place = ((found["origin"], found["path"].lstrip("/")),) if {"origin", "path"} <= found.keys() else ()
        return Named(shown, identifier, place)
    cuts = [at for at, char in enumerate(text) if char == ":"]
    splits = [(text[:at], text[at + 1 :].lstrip("/")) for at in reversed(cuts) if 0 < at < len(text) - 1]
    readings: list[tuple[str, str | None]] = [(text, None), *splits]
    return Named(shown, None, tuple((name, path) for name, path in readings if _is_text(name)))


def qualifiers(swhid: str) -> dict[str, str]:
    """The qualifiers of a SWHID by name, percent-decoding undone for `%3B` and `%25` (all that SWHIDs encode)."""
    pairs = (part.partition("=") for part in swhid.split(";")[1:])
    return {key: value.replace("%3B", ";").replace("%25", "%") for key, _, value in pairs}


def path_bytes(path: str) -> list[bytes]:
    """The paths, as git stores them, that `path` may spell: itself, and with `\\xNN` read as one byte.

    Bytes that the command line could not decode (surrogate escapes) are themselves again.
    """
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise UsageError("the id holds half a character", hint="write bytes that are not UTF-8 as \\xNN") from None
    unescaped = _ESCAPED.sub(lambda found: bytes([int(found.group(1), 16)]), raw)
    return [raw] if raw == unescaped else [raw, unescaped]


def path_text(path: bytes) -> str:
    """A path as releases spell it: bytes that are not UTF-8 as `\\xNN`."""
    return path.decode("utf-8", "backslashreplace")


def _is_text(name: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in name)
