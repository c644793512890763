"""Linguist's vocabulary: 804 languages with id, type, group, extensions, file names, interpreters and aliases.

`data/linguist.json` is made by `scripts/make_linguist_table.py` from the source distribution of
enry-python 0.3.0 (Apache-2.0), whose tables are generated from Linguist's languages.yml (MIT) at the
commit that the file states. enry-python 0.2.0 knows all but a few of these names, and no others.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

_DATA = Path(__file__).parent / "data" / "linguist.json"


@dataclasses.dataclass(frozen=True)
class Language:
    """One Linguist language. `group` is null where it is its own; `prior` (natural log of its share of
    Linguist's samples) is null where the classifier was not trained on it. `filenames` are whole names; `aliases`
    are in lower case, with underscores for spaces."""

    name: str
    id: int
    type: str
    group: str | None
    extensions: tuple[str, ...]
    prior: float | None
    filenames: tuple[str, ...]
    interpreters: tuple[str, ...]
    aliases: tuple[str, ...]


@functools.cache
def table() -> Mapping[str, Language]:
    """Every language by name, in name order; read once a process."""
    rows = json.loads(_DATA.read_bytes())["languages"]
    return MappingProxyType({name: _language(name, row) for name, row in rows.items()})


def _language(name: str, row: Mapping[str, Any]) -> Language:
    listed = {key: tuple(row[key]) for key in ("extensions", "filenames", "interpreters", "aliases")}
    return Language(name, row["id"], row["type"], row["group"], prior=row["prior"], **listed)


@functools.cache
def by_extension() -> Mapping[str, tuple[str, ...]]:
    """Extension (lower case, with its dot) → the languages that claim it, sorted."""
    found: dict[str, list[str]] = {}
    for name in vocabulary():
        for extension in table()[name].extensions:
            found.setdefault(extension.lower(), []).append(name)
    return MappingProxyType({extension: tuple(names) for extension, names in found.items()})


@functools.cache
def by_alias() -> Mapping[str, str]:
    """Alias or own name (lower case, blanks as `_`) → its language; no two languages share one."""
    listed = {alias: name for name in vocabulary() for alias in table()[name].aliases}
    return MappingProxyType(listed | {name.lower().replace(" ", "_"): name for name in vocabulary()})


def vocabulary() -> tuple[str, ...]:
    """The names of all Linguist languages, sorted by code point."""
    return tuple(sorted(table()))


def require(name: str) -> str:
    """`name` if it is a Linguist language; ValueError with the nearest names otherwise."""
    if name in table():
        return name
    folded = {known.casefold(): known for known in reversed(vocabulary())}
    near = [folded[key] for key in difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)]
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise ValueError(f"unknown language {name!r}{hint}")
