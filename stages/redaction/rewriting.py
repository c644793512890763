"""The rewriting that detect-secrets does to configuration files before it looks at them, without its dangers.

INI-like files become `key = "value"` lines and YAML files `key: "value"` lines, each at its own line number.
None means that the file is not of that kind (or too large, or a bomb) and its lines are to be read as they are.
"""

from __future__ import annotations

import base64
import functools
import io
import os
import re
from typing import Any, cast

from detect_secrets.transformers import config as ini
from detect_secrets.transformers import yaml as yaml_transformer
from detect_secrets.util.filetype import FileType, determine_file_type

LONGEST_PARSED = 200_000
MOST_NODES = 200_000
# With 24 references over any number of levels a value grows at most 3**8 = 6,561-fold.
_MOST_INTERPOLATIONS = _MOST_MERGED = 24
_MERGED_LIST = re.compile(r"<<[ \t]*:[ \t]*(?:\[|(?:#[^\n]*)?\n[ \t]*-)")
_ALIAS = re.compile(r"\*[\w-]")

_SECTION_FIRST = re.compile(r"(?:[^\S\r\n]*(?:[#;][^\r\n]*)?(?:\r\n?+|\n))*+[^\S\r\n]*\[")
_SECTION_FIRST_BYTES = re.compile(rb"(?:[ \t\f\v]*(?:[#;][^\r\n]*)?(?:\r\n?+|\n))*+[ \t\f\v]*\[")


class _File(io.StringIO):
    """Text with a name and universal newlines, as detect-secrets' transformers expect an open file."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, newline=None)
        self.name = name


def file_type(name: str) -> FileType:
    """detect-secrets' type of a file called `name`."""
    return _type_of_suffix(os.path.splitext(name)[1])  # noqa: PTH122 — split as detect-secrets splits


@functools.lru_cache(maxsize=1024)
def _type_of_suffix(suffix: str) -> FileType:
    return determine_file_type(f"x{suffix}")


def is_rewritten(data: bytes, name: str, *, not_ini: bool) -> bool:
    """Whether a document without any hit must be scanned all the same, because it is rewritten first."""
    kind = file_type(name)
    return kind == FileType.YAML or (kind == FileType.OTHER and not not_ini) or bool(_SECTION_FIRST_BYTES.match(data))


def rewrite(text: str, name: str) -> list[str] | None:
    """What scan_file's first transformers make of the document; None if they decline."""
    is_yaml = file_type(name) == FileType.YAML
    lines = parse_ini(text, name, add_header=False) if _SECTION_FIRST.match(text) else None
    return _parse_yaml(text, name) if lines is None and is_yaml else lines


def parse_ini(text: str, name: str, *, add_header: bool) -> list[str] | None:
    """The options of an INI-like file; with `add_header`, also of one that begins without a [section]."""
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
    merges_lists = _MERGED_LIST.search(text) is not None and len(_ALIAS.findall(text)) > _MOST_MERGED
    if len(text) > LONGEST_PARSED or merges_lists:
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
