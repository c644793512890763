"""Path globs as in `.gitignore`, over the bytes that git stores, matched in linear time.

`*` any bytes but `/`; `?` one byte or one UTF-8 character, not `/`; `[a-z]`, `[!a-z]` one ASCII
character of a set; `**` as a whole segment any folders; `\\` takes the next character literally. A
pattern with a `/` before its end is anchored at the repository's root, else it matches at any depth;
a pattern that names a folder covers everything below it; with a final `/` it means folders only.
Negation (`!`) is refused: an opt-out has no exceptions.

A glob becomes an RE2 expression in which every literal byte is written `\\xHH`, so nothing of the glob
is ever read as a regular expression; RE2 (in Arrow) runs in time linear in the path, without backtracking.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from foundation.errors import UsageError

MAX_LENGTH = 512  # characters
MAX_WILDCARDS = 32  # bounds the size of the automaton
_SLASH = 0x2F
_MANY_BYTES = r"[\xC2-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF]{2}|[\xF0-\xF4][\x80-\xBF]{3}"
_ONE = rf"(?:[^/]|{_MANY_BYTES})"
_ANY = r"[^/]*"


def glob_regex(glob: str) -> str:
    """RE2 expression (Latin-1 mode, whole path) of `glob`; UsageError says what is wrong with it."""
    _check_text(glob)
    anchored, folder_only = "/" in glob[:-1], glob.endswith("/")
    segments = glob.removeprefix("/").removesuffix("/").split("/")
    parts = [] if anchored else ["(?:.*/)?"]
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            if last:
                parts.append(".+")
            elif index == 0 or segments[index - 1] != "**":
                parts.append("(?:.*/)?")
        else:
            parts.append(_segment(segment, glob) + ("" if last else "/"))
    return rf"(?s)\A{''.join(parts)}{'/.+' if folder_only else '(?:/.*)?'}\z"


def matches(regex: str, paths: pa.Array | pa.ChunkedArray) -> pa.BooleanArray | pa.ChunkedArray:
    """Which of the binary `paths` the expression of `glob_regex` covers."""
    return pc.match_substring_regex(paths.cast(pa.large_binary()), regex)


def path_matches(glob: str, path: bytes) -> bool:
    """Whether `glob` covers the one `path`."""
    return bool(matches(glob_regex(glob), pa.array([path], pa.large_binary()))[0].as_py())


def _check_text(glob: str) -> None:
    if not glob.strip("/"):
        raise UsageError("path glob is empty", hint="to exclude the whole repository submit it as a repository")
    if len(glob) > MAX_LENGTH:
        raise UsageError(f"path glob has {len(glob)} characters, at most {MAX_LENGTH} are allowed")
    if glob.startswith("!"):
        raise UsageError("path glob starts with '!'", hint=r"an opt-out has no exceptions; write \! for a literal one")
    odd = next((char for char in glob if not char.isprintable()), None)
    if odd is not None:
        raise UsageError(f"path glob holds the unprintable character U+{ord(odd):04X}", hint="write ? in its place")
    if glob.count("*") + glob.count("?") + glob.count("[") > MAX_WILDCARDS:
        raise UsageError(f"path glob has more than {MAX_WILDCARDS} wildcards")
    if {"", ".", ".."} & set(glob.removeprefix("/").removesuffix("/").split("/")):
        raise UsageError("path glob has an empty, '.' or '..' segment", hint="git stores no such paths")


def _segment(segment: str, glob: str) -> str:
    """The expression of one segment."""
    parts: list[str] = []
    at = 0
    while at < len(segment):
        char = segment[at]
        at += 1
        if char == "*":
            if not parts or parts[-1] != _ANY:
                parts.append(_ANY)
        elif char == "?":
            parts.append(_ONE)
        elif char == "[":
            expression, at = _set(segment, at, glob)
            parts.append(expression)
        elif char == "\\":
            if at == len(segment):
                raise UsageError(f"path glob {glob!r} has a backslash with nothing after it", hint="write \\\\ for one")
            parts.append(_literal(segment[at]))
            at += 1
        else:
            parts.append(_literal(char))
    return "".join(parts)


def _set(segment: str, start: int, glob: str) -> tuple[str, int]:
    """The expression of the set that opens before `start`, and where it ends; a set never matches `/`."""
    negated = segment[start : start + 1] in ("!", "^")
    first = start + negated
    end = segment.find("]", first + 1)
    inside = segment[first:end]
    if end < 0 or not inside.isascii() or "[" in inside or "\\" in inside:
        raise UsageError(
            f"path glob {glob!r} has a malformed set at character {start}",
            hint=r"a set is [abc], [a-z] or [!a-z], of ASCII without '/', '[' and '\'; write \[ for a bracket",
        )
    members = _members(inside, glob)
    listed = "".join(rf"\x{value:02X}" for value in sorted(members | ({_SLASH} if negated else set())))
    return (rf"(?:[^{listed}]|{_MANY_BYTES})" if negated else f"[{listed}]"), end + 1


def _members(inside: str, glob: str) -> set[int]:
    members: set[int] = set()
    at = 0
    while at < len(inside):
        low = high = ord(inside[at])
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            high = ord(inside[at + 2])
            at += 2
        if low > high:
            raise UsageError(f"path glob {glob!r} has the backward range {chr(low)}-{chr(high)}")
        members.update(range(low, high + 1))
        at += 1
    members.discard(_SLASH)
    if not members:
        raise UsageError(f"path glob {glob!r} has an empty set")
    return members


def _literal(char: str) -> str:
    return "".join(rf"\x{value:02X}" for value in char.encode())
