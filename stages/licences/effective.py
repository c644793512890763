"""The licence that holds for a content: what stands in the file itself, over what its path says.

- A tag, a declaration or a header of the file's own replaces the path's licence.
- A comment below code speaks of a part of the file: it can add a condition to what holds, never lift one, and
  licenses nothing by itself.
- A notice in which nothing was recognised changes nothing; a pointer ("see LICENSE") means the path's licence.
- A tag that names no known licence, and a notice that was not read to its end within the time limit, make the
  file non_permissive, visibly.

Cost: Python runs once a content that has a notice; the rest is a join.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from foundation import spdx
from stages.licences.combine import NOT_READ, vague_beside
from stages.licences.detection import DETECTED, INVALID, REFERENCES, TIMED_OUT
from stages.licences.evidence import evidence_of
from stages.licences.places import as_text
from stages.licences.spread import LICENCE, stated

SOURCE = "header"


def with_headers(path_licences: pl.DataFrame, notices: pl.DataFrame, detections: pl.DataFrame) -> pl.DataFrame:
    """`path_licences` (sha1_git, `path` if known, LICENCE columns; one row a content) with the files' own licences.

    `notices` (NOTICES of `notices_of_headers`) and `detections` (DETECTIONS) may hold other contents too.
    Columns and row order are kept; where a file speaks, `licence_source` is `header`. A boolean column `own_licence`,
    if there, becomes true where what the file says stands alone: the same under whatever licence of its path.
    """
    said = stated(notices, detections).sort("sha1_git", "start_line", "end_line", "kind", "notice", maintain_order=True)
    heard = said.filter(pl.col("status").is_in([DETECTED, INVALID, TIMED_OUT]))
    known = path_licences.join(heard.select("sha1_git").unique(), on="sha1_git", how="semi")
    if not known.height:
        return path_licences
    paths = as_text(known["path"]) if "path" in known.columns else pl.Series([None] * known.height, dtype=pl.String)
    spoken = zip(known["licence_expression"], known["licence_evidence"], paths, strict=True)
    base = dict(zip(known["sha1_git"], spoken, strict=True))
    records = []
    for (content,), group in heard.group_by("sha1_git", maintain_order=True):
        if content in base:
            path_expression, evidence, path = base[str(content)]
            entries = [entry | {"path": path} for entry in group.to_dicts()]
            records += _ruled(str(content), path_expression, entries, evidence=evidence)
    if not records:
        return path_licences
    schema = {"sha1_git": pl.String, **dict.fromkeys(LICENCE, pl.String), "own_licence": pl.Boolean}
    made = pl.DataFrame(records, schema=schema)
    return path_licences.update(made, on="sha1_git", how="left", include_nulls=False, maintain_order="left")


def _ruled(
    content: str, path_expression: str | None, entries: Sequence[dict[str, Any]], *, evidence: str | None
) -> list[dict[str, Any]]:
    own = [entry for entry in entries if entry["kind"] != "mention"]
    parts = [entry for entry in entries if entry["kind"] == "mention"]
    holds = spdx.conjunction(_meant(entry, path_expression) for entry in own) or path_expression
    added = [entry for entry in parts if _binds(entry, holds)]
    expression = spdx.conjunction([*filter(None, [holds]), *(_meant(entry, path_expression) for entry in added)])
    if not own and not added:
        return []
    alone = bool(own) and not any(_points(entry) for entry in [*own, *added])
    return [
        {
            "sha1_git": content,
            "licence_expression": expression,
            "licence_class": spdx.licence_class(expression),
            "licence_source": SOURCE,
            "licence_evidence": evidence_of([*own, *added], path_licence=None if alone else evidence),
            "own_licence": alone,
        }
    ]


def _binds(entry: dict[str, Any], holds: str | None) -> bool:
    """Whether a part's licence says something new; without a licence for the whole, only a condition counts."""
    expression = _meant(entry, holds)
    if holds is None:
        return spdx.licence_class(expression) == spdx.NON_PERMISSIVE
    return expression not in spdx.conditions(holds) and not vague_beside(expression, holds)


def _points(entry: dict[str, Any]) -> bool:
    """Whether the notice points at the path's licence, named or not."""
    return entry["status"] == DETECTED and not REFERENCES.isdisjoint(spdx.identifiers(str(entry["expression"])))


def _meant(entry: dict[str, Any], path_expression: str | None) -> str:
    """The notice's expression; pointers beside a named licence stand for the path's licence."""
    if entry["status"] == TIMED_OUT:
        return NOT_READ
    expression = str(entry["expression"])
    if entry["status"] == INVALID:
        return expression
    if path_expression is None or not _points(entry):
        return expression
    named = [part for part in spdx.conditions(expression) if part not in REFERENCES]
    return spdx.conjunction([*named, path_expression]) or expression
