"""Make `foundation/data/licence_classes.json` from ScanCode's licence database and the Blue Oak Council list.

Run with the pinned scancode-toolkit installed, the Blue Oak list's JSON (npm package `@blueoak/list`, CC0-1.0) and
the SPDX list's texts (npm package `spdx-license-list`, CC0-1.0) unpacked:

    python -m scripts.make_licence_classes --blue-oak package/index.json --blue-oak-version 15.0.0 \
        --spdx-texts package/licenses --spdx-texts-version 6.12.0 --date 2026-11-23

It prints the SHA-256 to pin in `foundation/spdx.py`. A licence is permissive where ScanCode's category is
Permissive or Public Domain, or where Blue Oak rates it and ScanCode files it under nothing else. The ids on
which the two disagree are listed under `disputed` and are non_permissive: taking a file with conditions for
a permissive one is the harmful error.

SPDX ids newer than ScanCode's database (`newer`) have their class from the text: permissive where ScanCode finds
the text of permissive licences and nothing else in at least 95 % of its words, else non_permissive.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

PERMISSIVE = ("Permissive", "Public Domain")
TARGET = Path(__file__).resolve().parent.parent / "foundation" / "data" / "licence_classes.json"
# Deprecated compound ids of the SPDX list (spdx.org/licenses, "Deprecated License Identifiers").
COMPOUND = {
    "GPL-2.0-with-GCC-exception": "GPL-2.0-or-later WITH GCC-exception-2.0",
    "GPL-2.0-with-autoconf-exception": "GPL-2.0-or-later WITH Autoconf-exception-2.0",
    "GPL-2.0-with-bison-exception": "GPL-2.0-or-later WITH Bison-exception-2.2",
    "GPL-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "GPL-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "GPL-3.0-with-GCC-exception": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "GPL-3.0-with-autoconf-exception": "GPL-3.0-or-later WITH Autoconf-exception-3.0",
    "eCos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "wxWindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}
# "Not a licence" references of ScanCode: inside an AND they add no condition (rule of The Stack v2).
IGNORABLE = (
    "dco-1.1", "generic-cla", "google-cla", "jetty-ccla-1.1", "newton-king-cla", "generic-exception",
    "generic-export-compliance", "generic-tos", "generic-trademark", "warranty-disclaimer",
)  # fmt: skip


RETIRED = ("Nunit", "StandardML-NJ", "wxWindows", "eCos-2.0")
"""Ids of the SPDX list that are retired and stand for no other one by `COMPOUND` or by ScanCode's database."""

MIN_COVERAGE = 0.95


def build(
    blue_oak: list[dict[str, Any]], texts: dict[str, str], *, blue_oak_version: str, texts_version: str, date: str
) -> dict[str, Any]:
    """The whole document; see the module docstring for the rule."""
    from licensedcode.models import load_licenses

    ratings = {entry["id"]: rating["name"] for rating in blue_oak for entry in rating["licenses"]}
    licences: dict[str, list[str | None]] = {}
    exceptions, aliases = {}, {}
    for licence in load_licenses(with_deprecated=True).values():
        spdx = licence.spdx_license_key
        if not spdx or (licence.is_deprecated and spdx in COMPOUND):
            continue
        if licence.is_exception:
            exceptions[spdx] = licence.category
        else:
            licences[spdx] = [_class(licence.category), licence.category, ratings.pop(spdx, None)]
        for other in licence.other_spdx_license_keys or []:
            if " " not in other and (not other.startswith("LicenseRef-") or other.startswith("LicenseRef-scancode-")):
                aliases[other.lower()] = spdx
    aliases |= {old.lower(): new for old, new in COMPOUND.items()}
    older = {name.lower() for name in (*licences, *exceptions, *aliases, *RETIRED)}
    newer = {spdx for spdx in texts if spdx.lower() not in older and not _is_old_gnu(spdx)}
    new_exceptions = {spdx for spdx in newer if spdx.endswith("-exception")}
    exceptions |= dict.fromkeys(sorted(new_exceptions))
    classes = {spdx: class_of_text(texts[spdx]) for spdx in sorted(newer - new_exceptions)}
    licences |= {spdx: [found, None, ratings.get(spdx)] for spdx, found in classes.items()}
    licences |= {spdx: ["permissive", None, rating] for spdx, rating in ratings.items() if spdx not in licences}
    known = {name.lower() for name in (*licences, *exceptions)}
    disputed = sorted(spdx for spdx, (cls, _, rating) in licences.items() if rating and cls != "permissive")
    return {
        "source": {
            "scancode": {
                "version": importlib.metadata.version("scancode-toolkit-mini"),
                "what": "licence keys, SPDX ids and categories (aboutcode.org, nexB Inc. and others)",
                "licence": "CC-BY-4.0",
            },
            "blue_oak": {
                "version": blue_oak_version,
                "what": "permissive licence list with ratings (Blue Oak Council)",
                "licence": "CC0-1.0",
            },
            "spdx_texts": {
                "version": texts_version,
                "what": "ids newer than ScanCode's database (SPDX licence list, npm spdx-license-list)",
                "licence": "CC0-1.0",
            },
            "made": date,
        },
        "licences": dict(sorted(licences.items())),
        "exceptions": dict(sorted(exceptions.items())),
        "aliases": {key: aliases[key] for key in sorted(aliases) if key not in known},
        "ignorable": sorted(f"LicenseRef-scancode-{key}" for key in IGNORABLE),
        "disputed": disputed,
        "newer": sorted(newer),
    }


def _is_old_gnu(spdx: str) -> bool:
    """Whether the id is one of the retired `GPL-2.0` and `GPL-2.0+`, which an expression reads by rule."""
    return re.fullmatch(r"(?:[AL]?GPL|GFDL)-\d\.\d\+?", spdx) is not None


def class_of_text(text: str) -> str:
    """The class of a licence that ScanCode does not know, by what it does find in its text."""
    from licensedcode.cache import get_licenses_by_spdx_key
    from licensedcode.detection import detect_licenses

    matches = [match for found in detect_licenses(query_string=text) for match in found.matches]
    if not matches:
        return "non_permissive"
    by_key = {licence.key: licence for licence in get_licenses_by_spdx_key(include_deprecated=True).values()}
    keys = {key for match in matches for key in match.rule.license_keys()}
    covered = set().union(*(match.qspan._set for match in matches))
    query = matches[0].query
    explained = len(covered) >= MIN_COVERAGE * (len(query.tokens) + sum(query.unknowns_by_pos.values()))
    good = all(_class(by_key[key].category) == "permissive" for key in keys)
    return "permissive" if good and explained else "non_permissive"


def _class(category: str) -> str:
    return "permissive" if category in PERMISSIVE else "non_permissive"


def render(document: dict[str, Any]) -> bytes:
    """One licence a line, so that a change of data reads as a diff."""
    parts = []
    for key, value in document.items():
        if isinstance(value, dict) and key != "source":
            lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            parts.append(f" {json.dumps(key)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def main() -> None:
    """Write the data file and print its checksum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--blue-oak", type=Path, required=True)
    parser.add_argument("--blue-oak-version", required=True)
    parser.add_argument("--spdx-texts", type=Path, required=True)
    parser.add_argument("--spdx-texts-version", required=True)
    parser.add_argument("--date", required=True)
    asked = parser.parse_args()
    texts = {
        path.stem: json.loads(path.read_bytes())["licenseText"] for path in sorted(asked.spdx_texts.glob("*.json"))
    }
    document = build(
        json.loads(asked.blue_oak.read_bytes()),
        texts,
        blue_oak_version=asked.blue_oak_version,
        texts_version=asked.spdx_texts_version,
        date=asked.date,
    )
    data = render(document)
    TARGET.write_bytes(data)
    print(f"{TARGET.name}: {len(document['licences'])} licences, {len(document['disputed'])} disputed")
    print(hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
