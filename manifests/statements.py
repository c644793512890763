"""Licence evidence for people: each statement on two lines, where it stands and how it was told.

    LICENSE, lines 1-17: MIT (text)
      notice 5f62…, scancode-toolkit 32.5.0, rule mit_14.RULE, score 100

The statements that hold together follow each other; what a header rests on comes indented; the copy that decided has
a line of its own. Other evidence (an exclusion, a length) stays JSON. Its form: stages/licences/evidence.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from foundation.canonical import Json


def evidence_lines(evidence: Json) -> list[str]:
    """The lines for any evidence; none for null."""
    if evidence is None:
        return []
    if isinstance(evidence, Mapping) and {"notice", "tool", "expression"} <= evidence.keys():
        return list(_document(evidence))
    return [evidence if isinstance(evidence, str) else json.dumps(evidence, ensure_ascii=False)]


def _document(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in (document, *(document.get("with") or ())):
        yield from _statement(statement)
    if document.get("more"):
        yield f"and {document['more']} statements more"
    if isinstance(copy := document.get("copy"), Mapping):
        yield _copy(copy)
    if isinstance(below := document.get("path_licence"), Mapping):
        yield "rests on the licence of its path:"
        yield from (f"  {line}" for line in _document(below))


def _statement(statement: Mapping[str, Any]) -> Iterator[str]:
    first, last = statement.get("lines") or (None, None)
    lines = "" if first is None else f", line {first}" if first == last else f", lines {first}-{last}"
    where = statement.get("path") or "repository metadata"
    yield f"{where}{lines}: {statement.get('expression') or 'no licence'} ({statement.get('kind')})"
    score = statement.get("score")
    said = {
        "notice": statement.get("notice"),
        "found by": statement.get("tool"),
        "rule": statement.get("rule"),
        "score": None if score is None else f"{score:g}",
        "status": None if statement.get("status") == "detected" else statement.get("status"),
    }
    told = ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)
    if told:
        yield f"  {told}"


def _copy(copy: Mapping[str, Any]) -> str:
    place = f"{copy['origin']}:{copy['path']}" if copy.get("origin") else "a copy that is not named"
    seen = f", first seen {copy['first_seen']}" if copy.get("first_seen") else ""
    return f"of its copies {place} decided ({copy.get('policy')}{seen})"
