"""Which licences may go into a work under another: OSADL's compatibility matrix.

Data: `data/osadl_matrix.json` (source, date, licence and copyright inside the file; made by
`scripts/make_compatibility_matrix.py`), whose checksum is pinned here. A cell is OSADL's own answer for one inbound
licence under one outbound licence; only its "Yes" and "Same" count. What the matrix does not list, does not know, or
makes depend on something else is not compatible.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

from foundation.errors import ConfigError

MATRIX_SHA256 = "aa9a69b49d450a424888d8ab77beb0315aa111bec7acd3274e784e7e63482a3e"
_NAME = "osadl_matrix.json"
_COMPATIBLE = "YS"


@dataclasses.dataclass(frozen=True)
class Matrix:
    """The matrix: what each outbound licence takes in, and the day (YYYY-MM-DD) of the data."""

    takes: Mapping[str, frozenset[str]]
    date: str


@functools.cache
def matrix() -> Matrix:
    """The matrix shipped with the package; ConfigError when its bytes are not the pinned ones."""
    data = importlib.resources.files("stages.licences").joinpath("data", _NAME).read_bytes()
    return read_matrix(data, expected=MATRIX_SHA256)


def read_matrix(data: bytes, *, expected: str) -> Matrix:
    """Parse the data file's bytes; ConfigError when their SHA-256 is not `expected`."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ConfigError(
            f"stages/licences/data/{_NAME} has SHA-256 {found}, expected {expected}",
            hint="reinstall, or make the file again with scripts/make_compatibility_matrix.py and pin its checksum",
        )
    raw: dict[str, Any] = json.loads(data)
    inbound = raw["inbound"]
    takes = {
        outbound: frozenset(name for name, cell in zip(inbound, row, strict=True) if cell in _COMPATIBLE)
        for outbound, row in raw["rows"].items()
    }
    return Matrix(takes=takes, date=raw["source"]["date"])


def inbound_of(outbound: str) -> frozenset[str]:
    """The licences that a work under `outbound` (an SPDX id in normal form) may take in; ConfigError if not listed."""
    known = matrix().takes
    if outbound not in known:
        raise ConfigError(
            f"OSADL's matrix of {matrix().date} does not know {outbound} as a licence to be compatible with",
            hint=f"it knows {len(known)} licences, such as Apache-2.0, GPL-3.0-or-later and MIT; use allow for others",
        )
    return known[outbound]
