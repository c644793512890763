"""Make `foundation/data/licence_classes.json` from ScanCode's licence database and the Blue Oak Council list.

Run with the pinned scancode-toolkit installed and the Blue Oak list's JSON (npm package `@blueoak/list`,
CC0-1.0) unpacked:

    python scripts/make_licence_classes.py --blue-oak package/index.json --blue-oak-version 15.0.0 --date 2026-11-23

It prints the SHA-256 to pin in `foundation/spdx.py`. A licence is permissive where ScanCode's category is
Permissive or Public Domain, or where Blue Oak rates it and ScanCode files it under nothing else. The ids on
which the two disagree are listed under `disputed` and are non_permissive: taking a file with conditions for
a permissive one is the harmful error.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
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


def build(blue_oak: list[dict[str, Any]], *, blue_oak_version: str, date: str) -> dict[str, Any]:
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
    licences |= {spdx: ["permissive", None, rating] for spdx, rating in ratings.items()}
    aliases |= {old.lower(): new for old, new in COMPOUND.items()}
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
            "made": date,
        },
        "licences": dict(sorted(licences.items())),
        "exceptions": dict(sorted(exceptions.items())),
        "aliases": {key: aliases[key] for key in sorted(aliases) if key not in known},
        "ignorable": sorted(f"LicenseRef-scancode-{key}" for key in IGNORABLE),
        "disputed": disputed,
    }


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
    parser.add_argument("--date", required=True)
    asked = parser.parse_args()
    document = build(json.loads(asked.blue_oak.read_bytes()), blue_oak_version=asked.blue_oak_version, date=asked.date)
    data = render(document)
    TARGET.write_bytes(data)
    print(f"{TARGET.name}: {len(document['licences'])} licences, {len(document['disputed'])} disputed")
    print(hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
