"""Canonical bytes, checksums, fingerprints and Merkle roots.

Canonical JSON is UTF-8, keys sorted, no white space, no NaN; it refuses whatever has no single
spelling (sets, callables, bytes, dates), so that a fingerprint can never depend on a repr.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from foundation.errors import InternalError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_BLOCK = 1 << 20


def canonical_json(value: Json) -> bytes:
    """The one spelling of `value` as JSON; raises InternalError for anything that has none."""
    _refuse_ambiguous(value, "$")
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def readable_json(value: Json) -> bytes:
    """Canonical order, indented for people, with a final newline; still byte-deterministic."""
    _refuse_ambiguous(value, "$")
    return (json.dumps(value, sort_keys=True, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def fingerprint(value: Json) -> str:
    """SHA-256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """SHA-256 (hex) of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: str | Path) -> str:
    """SHA-256 (hex) of a local file, read in 1 MiB blocks."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def merkle_root(leaves: Mapping[str, str]) -> str:
    """Root (hex) of the Merkle tree over `leaves` (name → sha256 hex), taken in name order.

    RFC 6962 §2.1 hashing: leaf = H(0x00 ‖ name ‖ 0x00 ‖ digest), node = H(0x01 ‖ left ‖ right); an odd
    node is promoted unchanged. No leaves: SHA-256 of the empty string.
    """
    level = [
        hashlib.sha256(b"\x00" + name.encode() + b"\x00" + bytes.fromhex(digest)).digest()
        for name, digest in sorted(leaves.items())
    ]
    if not level:
        return hashlib.sha256().hexdigest()
    while len(level) > 1:
        paired = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0].hex()


def differing_fields(expected: Mapping[str, Json], found: Mapping[str, Json], prefix: str = "") -> list[str]:
    """`path: expected → found` for every leaf in which two JSON objects differ, in key order."""
    lines: list[str] = []
    for key in sorted(set(expected) | set(found)):
        here, there = expected.get(key), found.get(key)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            lines += differing_fields(here, there, f"{prefix}{key}.")
        elif here != there:
            lines.append(f"{prefix}{key}: {_short(here)} → {_short(there)}")
    return lines


def _short(value: Json) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "…"


def _refuse_ambiguous(value: object, where: str) -> None:
    if value is None or isinstance(value, bool | int | float | str):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InternalError(f"no canonical JSON for {where}: key {key!r} is not a string")
            _refuse_ambiguous(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_ambiguous(item, f"{where}[{index}]")
    else:
        raise InternalError(f"no canonical JSON for {where}: {type(value).__name__}")
