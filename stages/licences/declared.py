"""Licences that package manifests declare. Nothing is executed: every manifest is read as text.

`declarations(path, text)` → `Declaration`s: the value as SPDX where `names.py` is certain, else the author's own
words behind `License: `, the line, and for DEP-5 and REUSE.toml the globs of the files that it speaks of.
A manifest that is damaged, or says nothing, declares nothing.
"""

from __future__ import annotations

import dataclasses
import email.parser
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from foundation import spdx
from stages.licences.bundled import parts
from stages.licences.names import classifier_expression, declared_expression, is_reference

MAX_MANIFEST = 1 << 18  # characters of a manifest that are read
_LINE = re.compile(r"licen[cs]e", re.IGNORECASE)
_QUOTED = re.compile(r"""["']([^"'\n]{1,200})["']""")
_OR, _AND = spdx.disjunction, spdx.conjunction


@dataclasses.dataclass(frozen=True)
class Declaration:
    """One declared licence: its notice text, the line it stands on (1-based) and the globs it is limited to."""

    text: str
    line: int
    scope: tuple[str, ...] = ()


def declarations(path: bytes, text: str) -> list[Declaration]:
    """What the manifest at `path` declares, in its order; empty when nothing, or when it cannot be read."""
    text = text[:MAX_MANIFEST]
    name = path.rsplit(b"/", 1)[-1].decode("utf-8", "replace")
    if path.endswith((b"debian/copyright", b".reuse/dep5")):
        return _dep5(text)
    reader = _READERS.get(name) or _READERS.get(name.rsplit(".", 1)[-1])
    if reader is None:
        return []
    try:
        return reader(text)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return []


def _declare(
    values: Sequence[str], text: str, *, join: Callable[[Iterable[str]], str | None] = _AND
) -> list[Declaration]:
    """One declaration of all `values`: SPDX when each is certain, else the values as they are."""
    stated = [value for value in dict.fromkeys(value.strip() for value in values) if value and not is_reference(value)]
    if not stated:
        return []
    known = [declared_expression(value) for value in stated]
    whole = join([value for value in known if value]) if all(known) else None
    shown = whole or "\n\n".join(f"License: {value}" for value in stated)
    return [Declaration(shown, _line_of(text))]


def _line_of(text: str) -> int:
    found = _LINE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _strings(value: Any) -> list[str]:
    """The licence names in a manifest's value: a string, `{type: …}`, or a list of either."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return _strings(value.get("type") or value.get("name") or value.get("text") or "")
    if isinstance(value, list):
        return [name for item in value for name in _strings(item)]
    return []


def _json(text: str) -> list[Declaration]:
    # npm, Bower and Composer all read a list as alternatives.
    manifest = json.loads(text.lstrip("\ufeff"))
    return _declare(_strings(manifest.get("license") or manifest.get("licenses")), text, join=_OR)


def _cpan_json(text: str) -> list[Declaration]:
    # CPAN::Meta::Spec: "unknown" says nothing; several licences are alternatives.
    return _declare([name for name in _strings(json.loads(text).get("license")) if name != "unknown"], text, join=_OR)


def _pyproject(text: str) -> list[Declaration]:
    manifest = tomllib.loads(text)
    project = manifest.get("project") or {}
    poetry = (manifest.get("tool") or {}).get("poetry") or {}
    flit = ((manifest.get("tool") or {}).get("flit") or {}).get("metadata") or {}
    for table in (project, poetry, flit):
        licence = table.get("license")
        if isinstance(licence, dict):
            licence = licence.get("text")  # {file = …} only points at a file
        if found := _from_python([licence] if isinstance(licence, str) else [], table.get("classifiers") or [], text):
            return found
    return []


def _from_python(values: Sequence[str], classifiers: Sequence[str], text: str) -> list[Declaration]:
    """Python metadata: the licence field where it is certain, else the classifiers, else its first line as it is."""
    for value in values:
        if declared_expression(value):
            return _declare([value], text)
    licences = [item for item in classifiers if isinstance(item, str) and item.strip().startswith("License ::")]
    known = [found for found in map(classifier_expression, licences) if found]
    if known and len(known) == len(licences):
        return _declare(known, text)
    words = [value for value in values if value.strip().upper() not in ("", "UNKNOWN", "NONE")]
    if words:
        said = _own_words(words[0])
        return [Declaration(f"License: {said}", _line_of(text))] if not is_reference(said) else []
    return [Declaration("\n\n".join(licences), _line_of(text))] if licences else []


def _own_words(value: str) -> str:
    """A licence field as it stands; of a whole licence file pasted there, what it says of the package itself."""
    plain = re.sub(r"\n[ \t]+", "\n", value.strip())
    return plain[: parts(plain)[0].end].strip()


def _cargo(text: str) -> list[Declaration]:
    manifest = tomllib.loads(text)
    package = manifest.get("package") or (manifest.get("workspace") or {}).get("package") or {}
    return _declare(_strings(package.get("license")) if isinstance(package.get("license"), str) else [], text)


def _setup_cfg(text: str) -> list[Declaration]:
    values = re.findall(r"^licen[cs]e(?:_expression)?[ \t]*=[ \t]*(\S[^\n]*)$", text, re.MULTILINE)
    return _from_python(values, re.findall(r"^[ \t]+(License ::[^\n]*)$", text, re.MULTILINE), text)


def _setup_py(text: str) -> list[Declaration]:
    values = re.findall(r"""\blicen[cs]e(?:_expression)?\s*=\s*["']([^"'\n]{1,200})["']""", text)
    return _from_python(values, re.findall(r"""["'](License ::[^"'\n]{1,200})["']""", text), text)


def _metadata(text: str) -> list[Declaration]:
    fields = email.parser.HeaderParser().parsestr(text, headersonly=True)
    expressions = [str(value) for value in fields.get_all("License-Expression") or []]
    licences = [str(value) for value in fields.get_all("License") or []]
    return _from_python([*expressions, *licences], [str(item) for item in fields.get_all("Classifier") or []], text)


def _pattern(pattern: str, *, join: Callable[[Iterable[str]], str | None] = _AND) -> Callable[[str], list[Declaration]]:
    """A reader that takes the first group of every match of `pattern`; lists in quotes are taken apart."""
    compiled = re.compile(pattern, re.MULTILINE | re.DOTALL)

    def read(text: str) -> list[Declaration]:
        found = [match[1].strip() for match in compiled.finditer(text)]
        values = [item for value in found for item in (_QUOTED.findall(value) or [value])]
        return _declare(values, text, join=join)

    return read


def _meta_yml(text: str) -> list[Declaration]:
    found = re.search(r"^license:[ \t]*['\"]?([\w.+-]+)", text, re.MULTILINE)
    return _declare([found[1]], text) if found and found[1] != "unknown" else []


def _debian_controlled(text: str) -> list[Declaration]:
    found = re.search(r"^License:[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", text, re.MULTILINE)
    return _declare([" ".join(found[1].split())], text) if found else []


_DEP5_NAMES = re.compile(r"\b(GPL|LGPL|AGPL|GFDL)-(\d+(?:\.\d+)?)(\+)?", re.IGNORECASE)


def _dep5(text: str) -> list[Declaration]:
    """DEP-5 (debian.org/doc/packaging-manuals/copyright-format/1.0): one declaration a `Files` paragraph."""
    if not re.search(r"^Format:", text[:2000], re.MULTILINE | re.IGNORECASE):
        return []
    found, line = [], 1
    for paragraph in re.split(r"(\n[ \t]*\n)", text):
        fields = {
            key.lower(): value
            for key, value in re.findall(r"^([\w-]+):((?:[^\n]*)(?:\n[ \t]+[^\n]*)*)", paragraph, re.M)
        }
        names = fields.get("license", "").strip().split("\n")[0].strip()
        globs = tuple(fields.get("files", "").split())
        if names and globs:
            expression = _dep5_expression(names)
            scope = () if globs == ("*",) else globs
            found.append(Declaration(expression or f"License: {names}", line, scope))
        line += paragraph.count("\n")
    return found


def _dep5_expression(names: str) -> str | None:
    def dated(match: re.Match[str]) -> str:
        version = match[2] if "." in match[2] else f"{match[2]}.0"
        return f"{match[1].upper()}-{version}{'-or-later' if match[3] else '-only'}"

    spelled = re.sub(r",\s*(and|or)\b", r" \1", names)
    spelled = re.sub(r"\bExpat\b", "MIT", re.sub(r"\bpublic-domain\b", "LicenseRef-scancode-public-domain", spelled))
    spelled = re.sub(r"\bApache-2\b(?!\.)", "Apache-2.0", _DEP5_NAMES.sub(dated, spelled))
    return declared_expression(spelled)


def _reuse(text: str) -> list[Declaration]:
    """REUSE.toml (reuse.software/spec-3.3): one declaration an annotation."""
    found = []
    for entry in tomllib.loads(text).get("annotations") or []:
        licences, globs = entry.get("SPDX-License-Identifier"), entry.get("path")
        scope = tuple(globs) if isinstance(globs, list) else (globs,) if isinstance(globs, str) else ()
        for declaration in _declare(_strings(licences), text):
            if scope:
                found.append(dataclasses.replace(declaration, scope=scope))
    return found


_READERS: dict[str, Callable[[str], list[Declaration]]] = {
    "package.json": _json,
    "bower.json": _json,
    "composer.json": _json,
    "META.json": _cpan_json,
    "META.yml": _meta_yml,
    "Makefile.PL": _pattern(r"""\bLICENSE['"]?\s*=>\s*["']([\w.+-]{1,60})["']"""),
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "PKG-INFO": _metadata,
    "METADATA": _metadata,
    "Cargo.toml": _cargo,
    "DESCRIPTION": _debian_controlled,
    "REUSE.toml": _reuse,
    # Maven's reference: of several licences the user may select any.
    "pom.xml": _pattern(r"<license>(?:(?!</license>).){0,200}?<name>\s*([^<]{1,200}?)\s*</name>", join=_OR),
    "nuspec": _pattern(r"<license\s+type=[\"']expression[\"']\s*>\s*([^<]{1,200}?)\s*</license>"),
    "gemspec": _pattern(r"\.licen[cs]es?\s*=\s*(%w\[[^\]\n]*\]|[^\n]{1,200})"),
    "podspec": _pattern(r"\.license\s*=\s*(?:\{[^}]{0,200}?:type\s*=>\s*)?([\"'][^\"'\n]{1,100}[\"'])"),
    "rockspec": _pattern(r"^[ \t]*license[ \t]*=\s*([\"'][^\"'\n]{1,100}[\"'])"),
    "opam": _pattern(r"^license:\s*(\"[^\"\n]{1,100}\"|\[[^\]]{1,300}\])"),
    "cabal": _pattern(r"^[Ll]icense:[ \t]*([^\s][^\n]{0,100})$"),
}
