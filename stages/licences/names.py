"""What package authors write in a manifest's licence field, as SPDX.

`declared_expression` reads SPDX itself, the spellings that registries ask for (`MIT/Apache-2.0`, `GPL (>= 2)`,
`perl_5`, trove classifiers) and common names. What it does not know for certain is left to ScanCode.
"""

from __future__ import annotations

import functools
import re

from foundation import spdx
from foundation.errors import ConfigError

_PERL = "Artistic-1.0-Perl OR GPL-1.0-or-later"
_DROPPED = re.compile(r"\b(?:the|licen[cs]es?|licen[cs]ed|lisence|version|ver|software|under|terms)\b")
_PUNCTUATION = re.compile(r"[^a-z0-9+.>=]+")
_FILE_PART = re.compile(r"\s*(?:\+|\|)?\s*file\s+li[cs]en[cs]e\s*$", re.IGNORECASE)
_REFERENCE = re.compile(
    r"^\s*(?:see\s+(?:the\s+)?(?:li[cs]en[cs]e|copying|readme)|file\s+li[cs]en[cs]e|li[cs]en[cs]e\.(?:txt|md)|custom\b)",
    re.IGNORECASE,
)
_GNU = re.compile(
    r"^(?:gnu )?([al]?)gpl ?(?:(?:>=? ?)?v?(\d)(?:\.(\d))?(?:\.0)?)?"
    r" ?(\+|>=|or (?:later|newer|greater|any later))?(?: only)?$"
)
_EITHER = re.compile(r"\s*(?:/|\||\bor\b)\s*", re.IGNORECASE)
_ALL = re.compile(r"\s*(?:&|,|;|\band\b)\s*", re.IGNORECASE)
_ALIAS = re.compile(r"^(.*\S)\s*\(([^()]*)\)$")

# Common names → SPDX, keyed by `_key`; spellings seen in package registries.
_NAMES = {
    "mit": "MIT", "mit x11": "MIT", "expat": "MIT", "mit expat": "MIT", "x11 mit": "MIT",
    "apache 2": "Apache-2.0", "apache 2.0": "Apache-2.0", "apache2": "Apache-2.0", "apache2.0": "Apache-2.0",
    "apache v2": "Apache-2.0", "apache v2.0": "Apache-2.0", "asl 2.0": "Apache-2.0", "asl2.0": "Apache-2.0",
    "apache foundation 2.0": "Apache-2.0", "apache 2 0": "Apache-2.0", "al2": "Apache-2.0",
    "bsd 3 clause": "BSD-3-Clause", "3 clause bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "bsd3": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause", "bsd new": "BSD-3-Clause", "bsd 3": "BSD-3-Clause", "revised bsd": "BSD-3-Clause",
    "bsd 2 clause": "BSD-2-Clause", "2 clause bsd": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause",
    "bsd2": "BSD-2-Clause", "freebsd": "BSD-2-Clause", "bsd 2": "BSD-2-Clause", "bsd 4 clause": "BSD-4-Clause",
    "isc": "ISC", "iscl": "ISC", "unlicense": "Unlicense", "un": "Unlicense", "wtfpl": "WTFPL", "zlib": "Zlib",
    "zlib libpng": "Zlib", "boost 1.0": "BSL-1.0", "boost": "BSL-1.0", "bsl 1.0": "BSL-1.0",
    "public domain": "LicenseRef-scancode-public-domain", "publicdomain": "LicenseRef-scancode-public-domain",
    "cc0": "CC0-1.0", "cc0 1.0": "CC0-1.0", "cc0 1.0 universal": "CC0-1.0",
    "mpl 1.1": "MPL-1.1", "mpl 2": "MPL-2.0", "mpl 2.0": "MPL-2.0", "mozilla public 2.0": "MPL-2.0",
    "mozilla public 2.0 mpl 2.0": "MPL-2.0", "mpl2": "MPL-2.0", "mplv2.0": "MPL-2.0",
    "epl 1.0": "EPL-1.0", "epl 2.0": "EPL-2.0", "eclipse public 1.0": "EPL-1.0", "eclipse public 2.0": "EPL-2.0",
    "eclipse public v1.0": "EPL-1.0", "eclipse public v2.0": "EPL-2.0",
    "python foundation": "PSF-2.0", "psf": "PSF-2.0", "psfl": "PSF-2.0", "psf 2": "PSF-2.0",
    "zpl 2.1": "ZPL-2.1", "zope public 2.1": "ZPL-2.1", "ms pl": "MS-PL", "ruby": "Ruby",
    "perl 5": _PERL, "perl": _PERL, "same as perl": _PERL, "artistic 1": "Artistic-1.0-Perl",
    "artistic 2": "Artistic-2.0", "artistic 2.0": "Artistic-2.0", "apache 1 1": "Apache-1.1",
    "gpl 1": "GPL-1.0-only", "gpl 2": "GPL-2.0-only", "gpl 3": "GPL-3.0-only", "lgpl 2 1": "LGPL-2.1-only",
    "lgpl 3 0": "LGPL-3.0-only", "mozilla 1 1": "MPL-1.1", "ssleay": "OpenSSL", "wx": "wxWindows",
    "unlicensed": "LicenseRef-scancode-proprietary-license", "proprietary": "LicenseRef-scancode-proprietary-license",
    "all rights reserved": "LicenseRef-scancode-proprietary-license",
    "unrestricted": "LicenseRef-scancode-other-permissive", "ncsa": "NCSA", "university of illinois ncsa": "NCSA",
    "academic free": "AFL-3.0", "vim": "Vim", "zero clause bsd": "0BSD", "bsd zero clause": "0BSD", "mit 0": "MIT-0",
    "gnu general public": "GPL-1.0-or-later", "gpl": "GPL-1.0-or-later", "gnu gpl": "GPL-1.0-or-later",
    "lgpl": "LGPL-2.0-or-later", "gnu lgpl": "LGPL-2.0-or-later",
}  # fmt: skip


@functools.lru_cache(maxsize=16_384)
def declared_expression(value: str) -> str | None:
    """The SPDX expression that a declared licence stands for, in normal form; None when it is not certain.

    A licence named `BSD` alone, a pointer to a file and prose are not certain.
    """
    value = " ".join(value.split())[:500]
    if not value or is_reference(value):
        return None
    return _exact(value) or _aliased(value) or _joined(_FILE_PART.sub("", value))


def is_reference(value: str) -> bool:
    """Whether a declared licence only points at a file (`SEE LICENSE IN …`, `file LICENSE`)."""
    return bool(_REFERENCE.match(value))


def classifier_expression(classifier: str) -> str | None:
    """SPDX of a trove classifier `License :: OSI Approved :: …`; None when it names no version or no licence."""
    name = classifier.rsplit("::", 1)[-1].strip()
    if name in ("OSI Approved", "Other/Proprietary License", "Freeware", "Free For Home Use"):
        return None
    short = re.search(r"\(([A-Za-z]+[A-Za-z0-9 .+-]*)\)\s*$", name)
    whole = re.sub(r"\s*\([^()]*\)\s*$", "", name)
    if whole.startswith("GNU") and short:
        return declared_expression(short[1])
    return declared_expression(whole) or (declared_expression(short[1]) if short else None)


def _exact(value: str) -> str | None:
    try:
        return spdx.normalise(value)
    except ConfigError:
        pass
    key = _key(value)
    if key in _NAMES:
        return spdx.normalise(_NAMES[key])
    return _gnu(key)


def _aliased(value: str) -> str | None:
    """`The MIT License (MIT)`: a name and its short form that agree."""
    found = _ALIAS.match(value)
    long = _exact(found[1]) if found else None
    return long if found and long and long == _exact(found[2]) else None


def _key(value: str) -> str:
    text = _PUNCTUATION.sub(" ", value.lower().replace("licence", "license"))
    return " ".join(_DROPPED.sub(" ", text).split())


def _gnu(key: str) -> str | None:
    text = key.replace("general public", "gpl").replace("affero gpl", "agpl").replace("lesser gpl", "lgpl")
    text = re.sub(r"\b(?:library gpl|library or lesser gpl)", "lgpl", text)
    found = _GNU.match(re.sub(r"\s+", " ", re.sub(r"\b([al]?gpl) \1\b", r"\1", text)))
    if not found or not found[2]:
        return None
    later = bool(found[4]) or ">" in text
    name = f"{found[1].upper()}GPL-{found[2]}.{found[3] or '0'}{'-or-later' if later else '-only'}"
    try:
        return spdx.normalise(name)
    except ConfigError:
        return None


def _joined(value: str) -> str | None:
    if whole := _exact(value):
        return whole
    if "(" in value and not re.search(r"\(\s*>?=", value):
        return None
    for pattern, join in ((_EITHER, spdx.disjunction), (_ALL, spdx.conjunction)):
        parts = [part for part in pattern.split(value) if part]
        if len(parts) > 1:
            known = [_exact(part) or (_joined(part) if join is spdx.disjunction else None) for part in parts]
            return join([part for part in known if part]) if all(known) else None
    return None
