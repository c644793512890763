"""Evidence as canonical JSON: which statement, where, named how, by which tool, with what score and rule.

    {"kind": …, "lines": [first, last], "notice": …, "path": …, "rule": …, "score": …, "tool": …, "with": [the others]}

`with` is left out when one statement stands alone. Where a header rests on the licence of the file's path (it points
at it, or only adds to it), `path_licence` holds that one's evidence, of the same form. `reviewed` ({"by", "date",
"reason"}) is there where a person's override decided. Only paths and names are in it, never a file's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from foundation.canonical import Json, canonical_json

MAX_STATEMENTS = 8
"""Statements that evidence lists; `more` counts the rest."""


def evidence_of(statements: Sequence[Mapping[str, Any]], *, path_licence: str | None = None) -> str | None:
    """Canonical JSON of `statements` (fields of STATED and `path` as text), the first one leading; None for none.

    `path_licence` is the evidence (JSON) of the path's licence, where the statements rest on it.
    """
    if not statements:
        return None
    first, *others = [_entry(statement) for statement in statements[:MAX_STATEMENTS]]
    document: dict[str, Json] = dict(first)
    if others:
        document["with"] = others
    if len(statements) > MAX_STATEMENTS:
        document["more"] = len(statements) - MAX_STATEMENTS
    if path_licence is not None:
        document["path_licence"] = json.loads(path_licence)
    return canonical_json(document).decode()


def _entry(statement: Mapping[str, Any]) -> dict[str, Json]:
    rule, said = statement["rule"], statement.get("reviewed")
    entry: dict[str, Json] = {
        "path": statement["path"],
        "kind": statement["kind"],
        "lines": [statement["start_line"], statement["end_line"]],
        "notice": statement["notice"],
        "expression": statement["expression"],
        "status": statement["status"],
        "score": statement["score"],
        "rule": rule if rule is None or len(rule) <= 200 else rule[:199] + "…",
        "tool": statement["tool"],
    }
    return entry if said is None else {**entry, "reviewed": json.loads(said)}
