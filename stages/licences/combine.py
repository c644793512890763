"""What the statements of one directory say together.

Rules, in order (each over SPDX expressions, never over bags of ids):

1. Licence files that name one licence each in the dual manner (`LICENSE-MIT` + `LICENSE-APACHE`) are alternatives
   (OR) if all are permissive, or if a `LICENSE` beside them offers just that choice.
2. `COPYING.LESSER` beside a GPL of the same version is the LGPL (LGPL-3.0 is written as additions to the GPL).
3. Otherwise several texts hold together: AND.
4. A manifest refines the texts: it wins when it names every family that they name (`MIT OR Apache-2.0` over the
   AND of both texts, `GPL-2.0-or-later` over the bare text). A manifest that names something else is heard
   only when it is stricter: then both hold.
5. What a licence file prints below its own licence, without saying of what (`appended`, see `bundled.py`), holds as
   well, unless the manifest names just the families of what stands above it: then that is the work's licence.
6. A README of the same directory that says OR of the same families settles an AND of texts, and one that says
   "or later" of the same version settles a bare GNU text, which cannot say so itself.

A text that states terms which nobody knows is `UNRECOGNISED`; a notice that ran into the time limit is
`NOT_READ`. Both are non_permissive by construction.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Sequence

from foundation import spdx

UNRECOGNISED = "LicenseRef-scancode-unknown"
NOT_READ = "LicenseRef-gristmill-not-read"

_DUAL = re.compile(
    r"(?:li[cs]en[cs]e|copying)[-_.](?:mit|apache|bsd|isc|zlib|unlicense|0bsd|boost|bsl|cc0|a?l?gpl|mpl|epl)[\w.-]*"
    r"|(?:mit|apache|bsd|gpl|mpl)[-_.]li[cs]en[cs]e",
    re.IGNORECASE,
)
_POINTERS = frozenset({"LicenseRef-scancode-unknown-license-reference"})
_LESSER = re.compile(r"(?:copying|li[cs]en[cs]e)[-_.]lesser|lgpl", re.IGNORECASE)
_VAGUE = re.compile(r"(?:GPL|LGPL)-(?:1\.0|2\.0)-or-later")  # what a bare "GPL" or "LGPL" is taken for


@dataclasses.dataclass(frozen=True, order=True)
class Statement:
    """One statement about a directory: which sort, by which file name, which expression."""

    sort: str  # text | manifest | readme
    name: str
    expression: str
    leading: str | None = None  # of a text: what it says above what is appended to it; None: nothing is


@functools.lru_cache(maxsize=65_536)
def combined(statements: tuple[Statement, ...]) -> str | None:
    """The directory's expression by the rules of the module; None when neither text nor manifest speaks."""
    texts = [item for item in statements if item.sort == "text"]
    text, manifest = _of_texts(texts), spdx.conjunction(_declared(statements))
    if manifest and (leading := _leading(texts)) and spdx.families(leading) == spdx.families(manifest):
        text = leading
    whole = _refined(text, manifest) if text and manifest else text or manifest
    readmes = [item.expression for item in statements if item.sort == "readme"]
    return next((readme for readme in readmes if whole and _settles(readme, whole)), whole)


def _declared(statements: Sequence[Statement]) -> list[str]:
    """The manifests' expressions; a bare "GPL" gives way to a manifest that names a version of it."""
    stated = sorted({item.expression for item in statements if item.sort == "manifest"})
    clear = [item for item in stated if not _VAGUE.fullmatch(item)]
    return [item for item in stated if not any(vague_beside(item, other) for other in clear)]


def _of_texts(texts: Sequence[Statement]) -> str | None:
    expressions = {_plain(item.expression) for item in texts}
    named = {_plain(item.expression) for item in texts if _DUAL.fullmatch(_stem(item.name))}
    others = expressions - named
    if len(named) > 1 and all(" OR " in item for item in others) and _alternatives(named, others):
        return spdx.disjunction(named)
    if any(_LESSER.match(item.name) for item in texts):
        lesser = {version for item in expressions for version in re.findall(r"\bLGPL-(3\.0)", item)}
        expressions = {item for item in expressions if not any(item.startswith(f"GPL-{v}-") for v in lesser)}
    return spdx.conjunction(expressions)


def _leading(texts: Sequence[Statement]) -> str | None:
    """What the texts say above what is appended to any of them; None where nothing is."""
    if all(item.leading is None for item in texts):
        return None
    return _of_texts([dataclasses.replace(item, expression=item.leading or item.expression) for item in texts])


def _alternatives(named: set[str], choices: set[str]) -> bool:
    """Whether texts named in the dual manner are alternatives: all permissive, or offered as such by another text."""
    permissive = all(spdx.licence_class(item) == spdx.PERMISSIVE for item in named)
    families = frozenset[str]().union(*map(spdx.families, named))
    return permissive or (bool(choices) and all(spdx.families(item) == families for item in choices))


def _plain(expression: str) -> str:
    """One licence file's expression, without the texts that only spell out what it states elsewhere.

    `(GPL-3.0-only OR MIT) AND GPL-3.0-only AND MIT` offers the choice and prints both texts: the OR stands.
    `GPL-2.0-only AND GPL-2.0-or-later` is the text below a notice that allows later versions: the notice stands.
    """
    parts = spdx.conditions(expression)
    for part in parts:
        others = {name for other in parts if other != part for name in spdx.families(other)} - _POINTERS
        if " OR " in part and others and others <= spdx.families(part):
            return part
    later = {spdx.family(part) for part in parts if part.endswith("-or-later")}
    kept = [part for part in parts if not (part.endswith("-only") and spdx.family(part) in later)]
    return spdx.conjunction(kept) or expression


def _stem(name: str) -> str:
    return re.sub(r"\.(?:txt|md|markdown|rst|html?)$", "", name, flags=re.IGNORECASE)


def _refined(text: str, manifest: str) -> str:
    said, meant = spdx.families(text), spdx.families(manifest)
    if said & {UNRECOGNISED, NOT_READ}:
        return spdx.conjunction([text, manifest]) or text
    if said <= meant:
        return manifest
    if vague_beside(manifest, text):
        return text
    stricter = spdx.CLASSES.index(spdx.licence_class(manifest)) > spdx.CLASSES.index(spdx.licence_class(text))
    both = spdx.conjunction([text, manifest]) if stricter and not meant <= said else None
    return both or text


def _settles(readme: str, whole: str) -> bool:
    if spdx.families(readme) != spdx.families(whole):
        return False
    later = whole.endswith("-only") and readme == f"{whole.removesuffix('-only')}-or-later"
    return later or (" OR " in readme and " AND " in whole)


def vague_beside(expression: str, other: str) -> bool:
    """Whether `expression` is what a bare "GPL" or "LGPL" is taken for, and `other` names the version meant."""
    if not _VAGUE.fullmatch(expression):
        return False
    stem = expression.split("-", maxsplit=1)[0]
    return any(name.split("-", maxsplit=1)[0] == stem for name in spdx.identifiers(other))
