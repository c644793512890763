"""detect-secrets 1.5.0, all plugins and default filters, on text in memory instead of files.

`scan_document` gives what `detect_secrets.core.scan.scan_file` gives for a file of the same name and text
(a test holds this), with these bounds, beyond which only the other detectors look:
- a line longer than LONGEST_LINE characters is cut into overlapping slices of that length;
- the keyword plugin, whose expressions take time that grows with names times length, has MOST_KEYWORD_STEPS of those
  for a document, and goes without the lines that would take more than is left;
- at most MOST_CHARACTERS of a document (of lines with hits) are given to plugins;
- YAML and INI parsing has the bounds of `rewriting`;
and where scan_file raises on a stranger's file, the lines are scanned as they are.

A plugin sees a line only if Vectorscan found one of its expressions there (look-arounds removed, so that
the expression matches at least wherever the plugin's does). scan_file also rewrites configuration files
before it looks, which a filter over the raw lines cannot see: YAML always, files that begin with a
[section] always, and files of unknown type without a finding if they parse as INI. The same rewriting
happens here. Only ASCII white space and digits count for the filter.

Nothing is logged: detect-secrets' own filter functions are called directly, but for two whose time grows with the
square or the cube of a line; they say here what they say there (with 200 blanks in a row, no line is allowlisted).
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters.allowlist import is_line_allowlisted
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import HexHighEntropyString, HighEntropyStringsPlugin
from detect_secrets.plugins.keyword import (
    DENYLIST,
    QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
    REGEX_BY_FILETYPE,
    KeywordDetector,
)
from detect_secrets.settings import get_filters, get_plugins, transient_settings
from detect_secrets.util.code_snippet import CodeSnippet
from detect_secrets.util.filetype import FileType

from stages.redaction.rewriting import file_type, parse_ini, rewrite
from stages.redaction.vectorscan import CASELESS, SINGLE, Expression, Patterns, in_characters

LONGEST_LINE = 8_192
SLICE_OVERLAP = 512
MOST_CHARACTERS = 150_000
MOST_KEYWORD_STEPS = 1_000_000
NOT_INI = 900

NAMES_OF_SECRETS = (
    r"secret|token|passw|passphrase|pwd|api[_-]?key|(?:access|auth|private|encrypt\w{0,9}|sign\w{0,9}|client|master|"
    r"shared|session)[_-]?key|credential|bearer"
)
_NAMES = re.compile("|".join(DENYLIST), re.I)
_BLANKS = re.compile(r"[ \t]{200}")
_REFERENCE = re.compile(r"[:=!]\s*[\w.-]+[\[(][^\v]*[\])]")
_NEWLINE = re.compile(r"\r\n?|\n")
_LOOK_AROUND = re.compile(r"\(\?(?:=|!|<=|<!)(?:[^()\\\[]|\\.|\[(?:\\.|[^\]])*\])*\)")

# Plugins whose own expression Vectorscan cannot take, or would report at every byte of a line.
_SIMPLE_TRIGGERS = {
    "IPPublicDetector": r"(?:[0-9]{1,3}\.){3}[0-9]",
    "NpmDetector": r"/:_authToken=",
    "JwtTokenDetector": r"eyJ[A-Za-z0-9\-_=]+\.[A-Za-z0-9\-_=]",
}


class Secret(NamedTuple):
    """A finding of detect-secrets: plugin type, value, line (1-based), columns there if it is verbatim (else -1)."""

    type: str
    value: str
    line: int
    start: int
    end: int

    def __repr__(self) -> str:
        return f"Secret(type={self.type!r}, line={self.line})"


class _Plugin(NamedTuple):
    number: int
    plugin: BasePlugin


@dataclasses.dataclass
class _Steps:
    """What the keyword plugin may still take of a document: names times characters."""

    left: int = MOST_KEYWORD_STEPS

    def spend(self, line: str) -> bool:
        """Whether `line` can still be paid for; if so it is."""
        cost = len(line) * (1 if len(line) <= 120 else len(_NAMES.findall(line)))
        if cost > self.left:
            return False
        self.left -= cost
        return True


@functools.cache
def _loaded() -> tuple[tuple[_Plugin, ...], tuple[Any, ...]]:
    """All plugins and default filters; detect-secrets' process-wide settings are put back at once."""
    classes: dict[str, Any] = get_mapping_from_secret_type_to_class()
    names = sorted(each.__name__ for each in classes.values())
    with transient_settings({"plugins_used": [{"name": name} for name in names]}):
        plugins = tuple(_Plugin(number, plugin) for number, plugin in enumerate(get_plugins()))
        filters = tuple((set(one.injectable_variables), one) for one in get_filters())
    ours = {"is_indirect_reference": _is_indirect_reference, "is_line_allowlisted": _is_line_allowlisted}
    return plugins, tuple(
        (names, ours.get(one.__name__, one)) for names, one in filters if one.__name__ != "is_invalid_file"
    )


def _is_indirect_reference(line: str) -> bool:
    """detect-secrets' filter of that name; what its expression asks for before the sign can be nothing."""
    return len(line) <= 1000 and _REFERENCE.search(line) is not None


def _is_line_allowlisted(filename: str, line: str, context: CodeSnippet) -> bool:
    """detect-secrets' filter of that name, asked only where its expressions can match, and not of endless blanks."""
    about = (line, context.previous_line)
    return (
        any("pragma:" in text for text in about)
        and not any(_BLANKS.search(text) for text in about)
        and is_line_allowlisted(filename=filename, line=line, context=context)
    )


@functools.cache
def expressions(entropy: str = "all", without: frozenset[str] = frozenset()) -> tuple[Expression, ...]:
    """The Vectorscan expressions of every plugin but those of the types `without`, numbered by plugin, and NOT_INI.

    `entropy` says for which strings the high-entropy plugins are asked: `all`, those `named` a secret up to
    80 characters before, or `none`. Only `all`, without nothing, gives scan_file's findings.
    """
    rows = [
        Expression(pattern, number, flags)
        for number, plugin in _loaded()[0]
        if plugin.secret_type not in without
        for pattern, flags in _triggers(plugin, entropy)
    ]
    # A line at column 0 that is no section, comment or option: configparser refuses the whole file.
    not_ini = r"^[A-Za-z0-9_{}()<>\"'/*.,$@!+&|\\-][^=:\n\r]*\r?$"
    return (*rows, Expression(not_ini, NOT_INI, SINGLE))


@functools.cache
def _all_patterns() -> Patterns:
    return Patterns(expressions())


def scan_document(text: str, name: str, hits: Sequence[tuple[int, int]] | None = None) -> list[Secret]:
    """Findings in `text` of a file called `name`.

    `hits` are (character offset of the end, expression number) of `expressions()`; None computes them.
    """
    if _is_filtered({"filename"}, filename=name):
        return []
    if hits is None:
        hits = _hits(text)
    kind = file_type(name)
    lines = rewrite(text, name)
    steps = _Steps()
    found = list(_scan_rewritten(lines, name, steps) if lines else _scan_raw(text, name, hits, steps))
    if not found and kind == FileType.OTHER and not any(number == NOT_INI for _, number in hits):
        found = list(_scan_rewritten(parse_ini(text, name, add_header=True) or [], name, steps))
    return found


def _hits(text: str) -> list[tuple[int, int]]:
    data = text.encode()
    return in_characters(data, _all_patterns().scan(data))


class _Piece(NamedTuple):
    """A line with hits, or a slice of a long one: line number, where line and piece stand, plugins hit."""

    number: int
    line: int
    start: int
    end: int
    plugins: frozenset[int]


def _scan_raw(text: str, name: str, hits: Iterable[tuple[int, int]], steps: _Steps) -> Iterator[Secret]:
    """Scan the lines that have hits, each with the plugins that were hit."""
    left = MOST_CHARACTERS
    for piece in _pieces(text, hits):
        left -= piece.end - piece.start
        if left < 0:
            return
        previous = max(text.rfind("\n", 0, max(piece.line - 1, 0)) + 1, piece.line - LONGEST_LINE)
        before = text[previous : piece.line].strip("\r\n") if piece.line else ""
        offset = piece.start - piece.line
        line = text[piece.start : piece.end].rstrip()
        for secret in _scan_line(line, piece.number, before, name, piece.plugins, steps=steps):
            yield secret._replace(start=secret.start + offset, end=secret.end + offset) if secret.start >= 0 else secret


def _pieces(text: str, hits: Iterable[tuple[int, int]]) -> list[_Piece]:
    """The lines of `text` with a hit, in order; of a line over LONGEST_LINE only the slices with a hit.

    Ends soon after MOST_CHARACTERS, which is as much as anybody looks at.
    """
    found: dict[tuple[int, int, int, int], set[int]] = {}
    returns = "\r" in text
    number, at, start, end, size = 1, 0, 0, -1, 0
    for place, plugin in hits:
        if plugin == NOT_INI:
            continue
        last = place - 1
        if end < 0 or last >= end:
            number += _count_newlines(text, at, last, returns=returns)
            at = last
            start = max(text.rfind("\n", 0, last), _lone_return(text, last) if returns else -1) + 1
            stop = _NEWLINE.search(text, last) if returns else None
            end = stop.start() if stop else text.find("\n", last)
            end = len(text) if end < 0 else end
        for left, right in _slices(start, end, last):
            key = (number, start, left, right)
            if key not in found:
                size += right - left
                found[key] = set()
            found[key].add(plugin)
        if size > MOST_CHARACTERS:
            break
    return [_Piece(*key, frozenset(plugins)) for key, plugins in sorted(found.items())]


def _slices(start: int, end: int, last: int) -> Iterator[tuple[int, int]]:
    """The line [start, end) itself, or the overlapping slices of a long line that hold place `last`."""
    if end - start <= LONGEST_LINE:
        yield start, end
        return
    step = LONGEST_LINE - SLICE_OVERLAP
    slot = (last - start) // step
    yield start + slot * step, min(end, start + slot * step + LONGEST_LINE)
    if slot and last - start < slot * step + SLICE_OVERLAP:
        yield start + (slot - 1) * step, start + (slot - 1) * step + LONGEST_LINE


def _count_newlines(text: str, start: int, end: int, *, returns: bool) -> int:
    if not returns:
        return text.count("\n", start, end)
    return sum(1 for _ in _NEWLINE.finditer(text, start, end))


def _lone_return(text: str, before: int) -> int:
    place = text.rfind("\r", 0, before)
    return place if place >= 0 and text[place + 1 : place + 2] != "\n" else -1


def _scan_rewritten(lines: Sequence[str], name: str, steps: _Steps) -> Iterator[Secret]:
    """Scan lines that a transformer made; columns are unknown."""
    every = frozenset(number for number, _ in _loaded()[0])
    joined = "\n".join(line if "\n" not in line and len(line) <= LONGEST_LINE else "" for line in lines)
    hit = {piece.number: piece.plugins for piece in _pieces(joined, _hits(joined))}
    left = MOST_CHARACTERS
    for number, line in enumerate(lines, start=1):
        plugins = every if "\n" in line or len(line) > LONGEST_LINE else hit.get(number)
        left -= len(line) if plugins else 0
        if plugins and left >= 0:
            before = lines[number - 2] if number > 1 else ""
            for slice_ in range(0, len(line), LONGEST_LINE):
                piece = line[slice_ : slice_ + LONGEST_LINE].rstrip()
                for secret in _scan_line(piece, number, before, name, plugins, steps=steps):
                    yield secret._replace(start=-1, end=-1)


def _scan_line(
    line: str, number: int, before: str, name: str, plugins: frozenset[int], *, steps: _Steps
) -> Iterator[Secret]:
    """detect_secrets.core.scan's treatment of one line: plugins, secret filters, line filters.

    The line filters are asked last, because few lines have a finding; the outcome is the same.
    """
    context = CodeSnippet(snippet=[before, line], start_line=max(number - 2, 0), target_index=1)
    refused: bool | None = None
    for index, plugin in _loaded()[0]:
        if index not in plugins or not _can_exceed(plugin, line):
            continue
        if isinstance(plugin, KeywordDetector) and not steps.spend(line):
            continue
        places: dict[str, tuple[int, int]] | None = None
        for found in plugin.analyze_line(filename=name, line=line, line_number=number, context=context):
            value = found.secret_value or ""
            if _is_filtered({"secret"}, filename=name, secret=value, plugin=plugin, line=line):
                continue
            if refused is None:
                refused = _is_filtered({"line"}, filename=name, line=line, context=context)
            if refused:
                return
            places = _places(plugin, line, name) if places is None else places
            start = line.find(value) if value not in places else -1
            yield Secret(
                found.type, value, number, *places.get(value, (start, start + len(value) if start >= 0 else -1))
            )


def _can_exceed(plugin: BasePlugin, line: str) -> bool:
    """False if no string of `line` has the different characters that the plugin's entropy limit takes (exact, fast)."""
    if not isinstance(plugin, HighEntropyStringsPlugin):
        return True
    least = 2**plugin.entropy_limit
    return any(len(set(match[2])) > least for match in plugin.regex.finditer(line))


def _is_filtered(required: set[str], **about: Any) -> bool:
    """Whether a default filter that takes `required` refuses; filters that lack an argument do not apply."""
    for names, function in _loaded()[1]:
        if required <= names <= about.keys() | {"plugin"}:
            refused = function(**{name: about[name] for name in names if name in about})
            if refused:
                return True
    return False


def _places(plugin: BasePlugin, line: str, name: str) -> dict[str, tuple[int, int]]:
    """Where the plugin's own expressions find each value in `line`, first."""
    places: dict[str, tuple[int, int]] = {}
    for pattern, group in _patterns(plugin, name):
        groups = range(1 if pattern.groups else 0, pattern.groups + 1) if group is None else (group,)
        for match in pattern.finditer(line):
            for index in groups:
                if match[index] is not None:
                    places.setdefault(match[index], match.span(index))
    return places


def _patterns(plugin: BasePlugin, name: str) -> Iterator[tuple[re.Pattern[str], int | None]]:
    if isinstance(plugin, RegexBasedDetector):
        yield from ((pattern, None) for pattern in plugin.denylist)
    elif isinstance(plugin, HighEntropyStringsPlugin):
        yield plugin.regex, 2
    elif isinstance(plugin, KeywordDetector):
        kind = file_type(name)
        yield from REGEX_BY_FILETYPE.get(kind, QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP).items()


def _triggers(plugin: BasePlugin, entropy: str) -> Iterator[tuple[str, int]]:
    """Vectorscan expressions that match wherever `plugin` can find something."""
    if isinstance(plugin, KeywordDetector):
        words = "|".join(word.replace("ñ", r"\xc3[\xb1\x91]") for word in DENYLIST)
        yield rf"(?:{words})[^\n\"'`=:(]*[\"'`=:(]", CASELESS
        yield rf"[\"'`][\s\x80-\xff]*[!=]{{2,3}}[\s\w\x80-\xff]*(?:{words})", CASELESS
    elif isinstance(plugin, HighEntropyStringsPlugin):
        # More than 2**limit different characters are needed to exceed the limit.
        least = int(2**plugin.entropy_limit) + 1
        charset = "[0-9A-Fa-f]" if isinstance(plugin, HexHighEntropyString) else r"[A-Za-z0-9+/\\\-_=]"
        before = rf"(?i)(?:{NAMES_OF_SECRETS})[^\n]*" if entropy == "named" else ""
        if entropy != "none":
            yield rf"{before}'{charset}{{{least},}}'", 0
            yield rf"{before}\"{charset}{{{least},}}\"", 0
    elif isinstance(plugin, RegexBasedDetector):
        simple = _SIMPLE_TRIGGERS.get(type(plugin).__name__)
        if simple:
            yield simple, 0
            return
        for pattern in plugin.denylist:
            yield _LOOK_AROUND.sub("", pattern.pattern), CASELESS if pattern.flags & re.IGNORECASE else 0
