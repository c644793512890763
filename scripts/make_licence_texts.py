"""Make `stages/licences/data/spdx_texts.json`: hashes of the texts of the SPDX licence list.

Run with the list's texts (npm package `spdx-license-list`, CC0-1.0) unpacked:

    python -m scripts.make_licence_texts --texts package/licenses --version 6.12.0 --date 2026-11-23

It prints the SHA-256 to pin in `stages/licences/texts.py`. Texts that stand for several ids (a licence with and
without "or later", with and without invariant sections) are left out: the text alone does not say which.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from foundation import spdx
from foundation.errors import ConfigError
from stages.licences.notices import whole_text
from stages.licences.texts import MIN_WORDS, text_key, words_of

TARGET = Path(__file__).resolve().parent.parent / "stages" / "licences" / "data" / "spdx_texts.json"
TITLE_WORDS = 12
_HOLDER_LINE = re.compile(r"^\W*(?:copyright\b|\(c\)|©).*(?:[<\[{]|\b(?:19|20)\d\d\b|\byear\b|\byyyy\b)", re.IGNORECASE)
_MOST = 1_000_000


def build(texts: Mapping[str, str], *, version: str, date: str) -> dict[str, Any]:
    """The whole document from the texts by id."""
    ids_by_key = collections.defaultdict(set)
    for name, text in texts.items():
        listed = _listed(name)
        for variant in _variants(text):
            ids_by_key[text_key(variant)].add(listed or name)
    keys = collections.defaultdict(list)
    for key, ids in sorted(ids_by_key.items()):
        (name, *others) = sorted(ids)
        if not others and _listed(name) == name:
            keys[name].append(key)
    return {
        "source": {"name": "SPDX licence list texts (npm spdx-license-list)", "version": version,
                   "licence": "CC0-1.0", "made": date},
        "texts": dict(sorted(keys.items())),
    }  # fmt: skip


def _listed(name: str) -> str | None:
    """The id's own spelling if it names one licence that the classes know; None for retired and compound ones."""
    try:
        return name if spdx.normalise(name) == name else None
    except ConfigError:
        return None


def _variants(text: str) -> Iterator[str]:
    """Normal forms of a text: as it is, without its template's holder line, each with and without its title."""
    without = "\n".join(line for line in text.splitlines() if not _HOLDER_LINE.match(line))
    for version in {text, without}:
        normal = whole_text(version, limit=_MOST)
        title, _, rest = normal.partition("\n\n")
        for variant in (normal, rest if len(words_of(title)) <= TITLE_WORDS else normal):
            if len(words_of(variant)) >= MIN_WORDS:
                yield variant


def render(document: dict[str, Any]) -> bytes:
    """One licence a line, so that a change of data reads as a diff."""
    lines = [f"  {json.dumps(name)}: {json.dumps(keys)}" for name, keys in document["texts"].items()]
    return (
        f'{{\n "source": {json.dumps(document["source"])},\n "texts": {{\n' + ",\n".join(lines) + "\n }\n}\n"
    ).encode()


def main() -> None:
    """Write the data file and print its checksum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--date", required=True)
    asked = parser.parse_args()
    texts = {path.stem: json.loads(path.read_bytes())["licenseText"] for path in sorted(asked.texts.glob("*.json"))}
    data = render(build(texts, version=asked.version, date=asked.date))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(data)
    print(hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
