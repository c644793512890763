"""Contents: the two waves over bytes, and the metadata steps between them.

`statements` (first wave: licence-bearing contents) → `placing` (licences spread over paths) → `choosing`
(which contents are worth reading, and through which occurrence) → `reading` (second wave: everything else
a build measures, in one pass) → `witnesses` (what copies that are the same text only after redaction say of each
other). Schemas: `stages.contents.schemas`. Invariants: bytes are believed only after re-hashing; a content is fetched
at most once in each wave; what cannot be kept is not signed, and redacted only to know its copies by.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stages.contents.schemas import CONTENTS, PLACED, VERDICTS, VERSION, WORK
from stages.contents.witnesses import Weighed, weigh_copies

NAME = "contents"
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "the archive's tables name the content, but its object is not there",
        "nul_filled": "the object holds NUL bytes where a gzip member should be",
        "bad_gzip": "the object is not a gzip member",
        "truncated": "the object ends in the middle of the gzip member",
        "hash_mismatch": "the bytes do not have the sha1 and sha1_git they are stored under",
        "too_large": "the bytes are longer than the recipe allows, whatever the table says",
        "binary": "the bytes are not text in any encoding we can tell",
    }
)
PROBLEMS = ("missing", "nul_filled", "bad_gzip", "truncated", "hash_mismatch")

__all__ = [
    "CONTENTS",
    "NAME",
    "PLACED",
    "PROBLEMS",
    "REASONS",
    "VERDICTS",
    "VERSION",
    "WORK",
    "Weighed",
    "weigh_copies",
]
