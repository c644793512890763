"""detect-secrets 1.5.0, all plugins and default filters, on text in memory instead of files.

`scan_document` gives what `detect_secrets.core.scan.scan_file` gives for a file of the same name and text
(a test holds this), with these bounds, beyond which only the other detectors look:
- a line longer than LONGEST_LINE characters is cut into overlapping slices of that length;
- at most MOST_LINES lines of a document are given to plugins;
- YAML and INI parsing is tried on documents up to LONGEST_PARSED characters, without YAML bombs (expanded
  size over MOST_NODES) and INI interpolation bombs;
and where scan_file raises on a stranger's file, the lines are scanned as they are.

A plugin sees a line only if Vectorscan found one of its expressions there (look-arounds removed, so that
the expression matches at least wherever the plugin's does). scan_file also rewrites configuration files
before it looks, which a filter over the raw lines cannot see: YAML always, files that begin with a
[section] always, and files of unknown type without a finding if they parse as INI. The same rewriting
happens here. Only ASCII white space and digits count for the filter.

Nothing is logged: detect-secrets' own filter functions are called directly.
"""

from __future__ import annotations

import base64
import functools
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import HexHighEntropyString, HighEntropyStringsPlugin
from detect_secrets.plugins.keyword import (
    DENYLIST,
    QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
    REGEX_BY_FILETYPE,
    KeywordDetector,
)
from detect_secrets.settings import get_filters, get_plugins, transient_settings
from detect_secrets.transformers import config as ini
from detect_secrets.transformers import yaml as yaml_transformer
from detect_secrets.util.code_snippet import CodeSnippet
from detect_secrets.util.filetype import FileType, determine_file_type

from stages.redaction.vectorscan import CASELESS, SINGLE, Expression, Patterns

LONGEST_LINE = 8_192
SLICE_OVERLAP = 512
MOST_LINES = 4_000
LONGEST_PARSED = 200_000
MOST_NODES = 200_000
_MOST_INTERPOLATIONS = 24
NOT_INI = 900

NAMES_OF_SECRETS = (
    r"secret|token|passw|passphrase|pwd|api[_-]?key|(?:access|auth|private|encrypt\w{0,9}|sign\w{0,9}|client|master|"
    r"shared|session)[_-]?key|credential|bearer"
)
_NEWLINE = re.compile(r"\r\n?|\n")
_SECTION_FIRST = re.compile(r"(?:[^\S\r\n]*(?:[#;][^\r\n]*)?(?:\r\n?+|\n))*+[^\S\r\n]*\[")
_SECTION_FIRST_BYTES = re.compile(rb"(?:[ \t\f\v]*(?:[#;][^\r\n]*)?(?:\r\n?+|\n))*+[ \t\f\v]*\[")
_LOOK_AROUND = re.compile(r"\(\?(?:=|!|<=|<!)(?:[^()\\\[]|\\.|\[(?:\\.|[^\]])*\])*\)")

# Plugins whose own expression Vectorscan cannot take, or would report at every byte of a line.
_SIMPLE_TRIGGERS = {"IPPublicDetector": r"(?:[0-9]{1,3}\.){3}[0-9]", "NpmDetector": r"/:_authToken="}


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


class _File(io.StringIO):
    """Text with a name and universal newlines, as detect-secrets' transformers expect an open file."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, newline=None)
        self.name = name


@functools.cache
def _loaded() -> tuple[tuple[_Plugin, ...], tuple[Any, ...]]:
    """All plugins and default filters; detect-secrets' process-wide settings are put back at once."""
    names = sorted(plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values())
    with transient_settings({"plugins_used": [{"name": name} for name in names]}):
        plugins = tuple(_Plugin(number, plugin) for number, plugin in enumerate(get_plugins()))
        filters = tuple((set(one.injectable_variables), one) for one in get_filters())
    return plugins, tuple(item for item in filters if item[1].__name__ != "is_invalid_file")


@functools.cache
def expressions(entropy: str = "all") -> tuple[Expression, ...]:
    """The Vectorscan expressions of every plugin, numbered by plugin, and NOT_INI.

    `entropy` says for which strings the high-entropy plugins are asked: `all`, those `named` a secret up to
    80 characters before, or `none`. Only `all` gives scan_file's findings.
    """
    rows = [
        Expression(pattern, number, flags)
        for number, plugin in _loaded()[0]
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
    kind = _file_type(_suffix(name))
    lines = _transformed(text, name) if kind == FileType.YAML or _SECTION_FIRST.match(text) else None
    found = list(_scan_rewritten(lines, name) if lines else _scan_raw(text, name, hits))
    if not found and kind == FileType.OTHER and not any(number == NOT_INI for _, number in hits):
        found = list(_scan_rewritten(_parse_ini(text, name, add_header=True) or [], name))
    return found


def needs_parsing(data: bytes, name: str, *, not_ini: bool) -> bool:
    """Whether a document without any hit must still be scanned, because it is rewritten first."""
    kind = _file_type(_suffix(name))
    return kind == FileType.YAML or (kind == FileType.OTHER and not not_ini) or bool(_SECTION_FIRST_BYTES.match(data))


@functools.lru_cache(maxsize=1024)
def _file_type(suffix: str) -> FileType:
    return determine_file_type(suffix)


def _suffix(name: str) -> str:
    """A short name with the extension of `name`, all that detect-secrets looks at."""
    return f"x{os.path.splitext(name)[1]}"  # noqa: PTH122 — as detect-secrets splits it


def _hits(text: str) -> list[tuple[int, int]]:
    data = text.encode()
    hits = _all_patterns().scan(data)
    if len(data) == len(text):
        return [(hit.end, hit.number) for hit in hits]
    return [(len(data[: hit.end].decode(errors="replace")), hit.number) for hit in hits]


def _scan_raw(text: str, name: str, hits: Iterable[tuple[int, int]]) -> Iterator[Secret]:
    """Scan the lines that have hits, each with the plugins that were hit."""
    lines = _lines_of(text, hits)
    for index, (number, start, end, plugins) in enumerate(lines):
        if index >= MOST_LINES:
            return
        previous = text.rfind("\n", 0, max(start - 1, 0)) + 1
        before = text[max(previous, start - LONGEST_LINE) : start].strip("\r\n") if start else ""
        yield from _scan_line(text[start:end], number, before, name, plugins)


def _lines_of(text: str, hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int, frozenset[int]]]:
    """(line number, start, end, plugins hit) of every line with a hit, in order."""
    found: dict[int, tuple[int, int, set[int]]] = {}
    number, at, start, end = 1, 0, 0, -1
    for place, plugin in hits:
        if plugin == NOT_INI:
            continue
        last = place - 1
        if end < 0 or last >= end:
            number += _count_newlines(text, at, last)
            at = last
            start = max(text.rfind("\n", 0, last), _lone_return(text, last)) + 1
            stop = _NEWLINE.search(text, last)
            end = stop.start() if stop else len(text)
        found.setdefault(number, (start, end, set()))[2].add(plugin)
    for number, (start, end, plugins) in sorted(found.items()):
        yield number, start, end, frozenset(plugins)


def _count_newlines(text: str, start: int, end: int) -> int:
    if text.find("\r", start, end) < 0:
        return text.count("\n", start, end)
    return sum(1 for _ in _NEWLINE.finditer(text, start, end))


def _lone_return(text: str, before: int) -> int:
    place = text.rfind("\r", 0, before)
    return place if place >= 0 and text[place + 1 : place + 2] != "\n" else -1


def _scan_rewritten(lines: Sequence[str], name: str) -> Iterator[Secret]:
    """Scan lines that a transformer made; columns are unknown."""
    every = frozenset(number for number, _ in _loaded()[0])
    joined = "\n".join(line if "\n" not in line else "" for line in lines)
    hit = {number: plugins for number, _, _, plugins in _lines_of(joined, _hits(joined))}
    done = 0
    for number, line in enumerate(lines, start=1):
        plugins = every if "\n" in line else hit.get(number)
        if plugins and done < MOST_LINES:
            done += 1
            before = lines[number - 2] if number > 1 else ""
            for secret in _scan_line(line, number, before, name, plugins):
                yield secret._replace(start=-1, end=-1)


def _scan_line(line: str, number: int, before: str, name: str, plugins: frozenset[int]) -> Iterator[Secret]:
    stripped = line.rstrip()
    for left in range(0, max(1, len(stripped) - SLICE_OVERLAP), LONGEST_LINE - SLICE_OVERLAP):
        piece = stripped[left : left + LONGEST_LINE] if len(stripped) > LONGEST_LINE else stripped
        for secret in _scan_piece(piece, number, before, name, plugins):
            yield secret._replace(start=secret.start + left, end=secret.end + left) if secret.start >= 0 else secret
        if piece is stripped:
            return


def _scan_piece(line: str, number: int, before: str, name: str, plugins: frozenset[int]) -> Iterator[Secret]:
    """detect_secrets.core.scan's treatment of one line: plugins, secret filters, line filters.

    The line filters are asked last, because few lines have a finding; the outcome is the same.
    """
    context = CodeSnippet(snippet=[before, line], start_line=max(number - 2, 0), target_index=1)
    refused: bool | None = None
    for index, plugin in _loaded()[0]:
        if index not in plugins or not _can_exceed(plugin, line):
            continue
        for found in plugin.analyze_line(filename=name, line=line, line_number=number, context=context):
            value = found.secret_value or ""
            if _is_filtered({"secret"}, filename=name, secret=value, plugin=plugin, line=line):
                continue
            if refused is None:
                refused = _is_filtered({"line"}, filename=name, line=line, context=context)
            if refused:
                return
            start, end = _columns(plugin, line, value, name)
            yield Secret(found.type, value, number, start, end)


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


def _columns(plugin: BasePlugin, line: str, value: str, name: str) -> tuple[int, int]:
    """Where the plugin's own expression found `value` in `line`; (-1, -1) if it cannot be said."""
    for pattern, group in _patterns(plugin, name):
        for match in pattern.finditer(line):
            for index in range(1, (pattern.groups or 0) + 1) if group is None else (group,):
                if match[index] == value:
                    return match.span(index)
            if group is None and not pattern.groups and match[0] == value:
                return match.span()
    place = line.find(value)
    return (place, place + len(value)) if place >= 0 else (-1, -1)


def _patterns(plugin: BasePlugin, name: str) -> Iterator[tuple[re.Pattern[str], int | None]]:
    if isinstance(plugin, RegexBasedDetector):
        yield from ((pattern, None) for pattern in plugin.denylist)
    elif isinstance(plugin, HighEntropyStringsPlugin):
        yield plugin.regex, 2
    elif isinstance(plugin, KeywordDetector):
        kind = _file_type(_suffix(name))
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


def _transformed(text: str, name: str) -> list[str] | None:
    """What scan_file's first transformers make of the document; None if they decline."""
    lines = _parse_ini(text, name, add_header=False)
    if lines is None and _file_type(_suffix(name)) == FileType.YAML:
        lines = _parse_yaml(text, name)
    return lines


def _parse_ini(text: str, name: str, *, add_header: bool) -> list[str] | None:
    if len(text) > LONGEST_PARSED or text.count("%(") > _MOST_INTERPOLATIONS:
        return None
    try:
        return ini._parse_file(cast(Any, _File(text, name)), add_header=add_header)
    except Exception:  # noqa: BLE001 — configparser.Error where it declines, anything on a hostile file
        return None


class _BoundedYaml(yaml_transformer.YAMLFileParser):
    """The parser of detect-secrets, refusing documents whose aliases expand without end."""

    def json(self) -> dict[str, Any]:
        data: dict[str, Any] = super().json()
        if _expanded_size(data, {}, 0) > MOST_NODES:
            raise ValueError("too many nodes")
        return data


def _parse_yaml(text: str, name: str) -> list[str] | None:
    """`key: "value"` for each string of the document, at its line: what YAMLTransformer makes, but bounded."""
    if len(text) > LONGEST_PARSED:
        return None
    try:
        items = sorted(_BoundedYaml(cast(Any, _File(text, name))), key=lambda item: item.line_number)
    except Exception:  # noqa: BLE001 — YAMLError where it declines; ValueError, RecursionError … on odd files
        return None
    lines: list[str] = []
    for item in dict.fromkeys(items):
        lines.extend([""] * (item.line_number - 1 - len(lines)))
        value = base64.b64encode(item.value).decode() if isinstance(item.value, bytes) else item.value
        comment = yaml_transformer._yaml_comment_regex().search(item.line.strip())
        escaped = value.replace('"', '\\"')
        lines.append(f'{item.key}: "{escaped}"{comment[0] if comment else ""}')
    return lines


def _expanded_size(value: Any, sizes: dict[int, int], depth: int) -> int:
    """Nodes of `value` with every alias written out; over MOST_NODES for cycles and depths beyond 200."""
    if not isinstance(value, dict | list):
        return 1
    known = sizes.get(id(value))
    if known is not None:
        return known
    sizes[id(value)] = MOST_NODES + 1  # what a cycle finds
    items = value.values() if isinstance(value, dict) else value
    size = MOST_NODES + 1 if depth > 200 else 1 + sum(_expanded_size(item, sizes, depth + 1) for item in items)
    sizes[id(value)] = min(size, MOST_NODES + 1)
    return sizes[id(value)]
