"""Licences known by their whole text: the SPDX list's own, found by hash before any matching.

`known_text(text)` → the SPDX id whose list text has the same words as a notice's normal form, or None. Words are
compared without case and punctuation, in order. The table (`data/spdx_texts.json`: source, version, date inside;
made by `scripts/make_licence_texts.py`; its checksum is pinned here) holds hashes, no texts. It knows licences newer
than ScanCode's database. Invariant: a text that the list gives to several ids (GPL-3.0-only and -or-later) is not
in it. Cost: about 20 MB/s.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import re
from collections.abc import Mapping

from foundation.errors import ConfigError

TEXTS_SHA256 = "ddf0ae13551667bfd143c4e709e3294bc94eb8b77e389d4c4e580c708dd11d58"
_DATA_NAME = "spdx_texts.json"

MIN_WORDS = 20
"""Shorter texts are too little to be told apart by their words alone; the list has a dozen of them."""

_KEY_BYTES = 16
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of a text, lower-cased, in order."""
    return _WORD.findall(text.lower())


def text_key(text: str) -> str:
    """What names a text whatever its punctuation and case: half a SHA-256 (hex) of its words."""
    return hashlib.sha256(" ".join(words_of(text)).encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _KEY_BYTES]


def known_text(text: str) -> str | None:
    """The SPDX id of a notice (normal form) that is a licence of the SPDX list, word for word; else None."""
    return _table().get(text_key(text))


@functools.cache
def _table() -> Mapping[str, str]:
    data = importlib.resources.files("stages.licences").joinpath("data", _DATA_NAME).read_bytes()
    return read_texts(data, expected=TEXTS_SHA256)


def read_texts(data: bytes, *, expected: str) -> Mapping[str, str]:
    """{key: id} of the table's bytes; ConfigError when their SHA-256 is not `expected`."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ConfigError(
            f"stages/licences/data/{_DATA_NAME} has SHA-256 {found}, expected {expected}",
            hint="reinstall, or make the file again with scripts/make_licence_texts.py and pin its checksum",
        )
    texts: dict[str, list[str]] = json.loads(data)["texts"]
    return {key: name for name, keys in texts.items() for key in keys}
