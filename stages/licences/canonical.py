"""The canonical text of a licence or exception, by its SPDX id: ScanCode's licence database as it is installed.

The texts are legal documents that stand under their own terms; they are read from the installed package `licensedcode`
(its data: CC-BY-4.0) and never stored in this project. An id that the database lists as retired is answered by the
licence that took it over. Cost: the heads of some 2,600 small files once a process, 0.6 s.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from foundation.errors import ConfigError

_FILE = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
_ID = re.compile(r"^spdx_license_key:[ \t]*(\S+)", re.MULTILINE)
_OTHERS = re.compile(r"^other_spdx_license_keys:[ \t]*\n((?:[ \t]*-[ \t]*\S+[ \t]*\n?)+)", re.MULTILINE)
_RETIRED = re.compile(r"^is_deprecated:[ \t]*yes", re.MULTILINE)


def canonical_text(identifier: str) -> str | None:
    """The text of the SPDX licence or exception `identifier` (a final `+` does not count); None where there is none."""
    path = _files().get(identifier.removesuffix("+").lower())
    if path is None:
        return None
    found = _FILE.match(path.read_text("utf-8"))
    text = found[2].strip("\n") if found else ""
    return f"{text}\n" if text.strip() else None


@functools.cache
def _files() -> Mapping[str, Path]:
    """Lower-cased SPDX id → file; a licence's first id goes before others' further ids, a living one before retired."""
    ranked: dict[str, tuple[bool, bool, str]] = {}
    for path in sorted(_folder().glob("*.LICENSE")):
        found = _FILE.match(path.read_text("utf-8"))
        if not found:
            continue
        retired, others = bool(_RETIRED.search(found[1])), _OTHERS.search(found[1] + "\n")
        first = [(name, False) for name in _ID.findall(found[1])]
        further = [(name.lstrip(" \t-").strip(), True) for name in (others[1].splitlines() if others else ())]
        for name, is_further in (*first, *further):
            entry = (retired, is_further, path.name)
            ranked[name.lower()] = min(entry, ranked.get(name.lower(), entry))
    return MappingProxyType({name: _folder() / entry[2] for name, entry in ranked.items()})


def _folder() -> Path:
    """Where the installed licence texts lie; found without importing the package, which takes seconds."""
    found = importlib.util.find_spec("licensedcode")
    if found is None or found.origin is None:
        raise ConfigError("ScanCode's licence texts are not installed", hint="pip install scancode-toolkit-mini")
    return Path(found.origin).parent / "data" / "licenses"
