"""The answer to "why is this file in, or out?": a record, as JSON and as lines for people.

Lines hold strangers' text as it is: whoever shows them escapes control characters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, TypeAlias

from foundation.canonical import Json
from manifests.differences import Difference
from manifests.statements import evidence_lines

Level: TypeAlias = Literal["repository", "occurrence", "content"]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Kept or dropped, where it was decided, and on what grounds; numbers as the stage wrote them."""

    verdict: Literal["kept", "dropped"]
    level: Level
    stage: str | None = None
    reason: str | None = None
    value: str | None = None
    threshold: str | None = None
    evidence: Json = None


@dataclasses.dataclass(frozen=True)
class KeptFile:
    """The kept file that stands for this one; `jaccard` is the verified similarity, 1.0 for equal text."""

    swhid: str
    origin: str | None
    path: str | None
    jaccard: float | None


@dataclasses.dataclass(frozen=True)
class ReleaseRow:
    """The file's row in the release: `redactions` counts spans by kind."""

    release: str
    shard: str
    swhid: str
    origin: str
    path: str
    language: str | None
    license_type: str
    licence_expression: str | None
    licence_source: str | None
    licence_evidence: Json
    cluster: str | None
    redactions: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """One path in one repository; `reason` says why it could not be kept, None when it could."""

    origin: str
    path: str
    mode: int | None
    reason: str | None


@dataclasses.dataclass(frozen=True)
class Explanation:
    """All that is known about one id.

    `origin` and `path` are the file asked for, or the one that the decision speaks of. `elsewhere` is the
    occurrence that the release names when the bytes are kept under another path than the one asked for.
    `occurrences` are the first of `occurrence_count`. `diff` leads from the redacted text of `duplicate_of` to
    this one; None for what is no duplicate, or when it was not asked for.
    """

    id: str
    swhid: str | None
    origin: str | None
    path: str | None
    verdict: Verdict
    duplicate_of: KeptFile | None = None
    elsewhere: KeptFile | None = None
    row: ReleaseRow | None = None
    occurrence_count: int | None = None
    occurrences: tuple[Occurrence, ...] = ()
    diff: Difference | None = None

    def to_json(self) -> dict[str, Json]:
        """The explanation as JSON values."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """The explanation for people, one fact a line."""
        facts = [self._head(), *_pairs(self._facts())]
        if self.row is not None:
            facts += ["", f"row of {self.row.release}", *_pairs(_row_facts(self.row))]
        if self.occurrence_count is not None:
            shown = len(self.occurrences)
            more = f" (the first {shown})" if shown < self.occurrence_count else ""
            facts += ["", f"occurrences: {self.occurrence_count}{more}"]
            facts += [f"  {item.origin}:{item.path}{_dropped(item.reason)}" for item in self.occurrences]
        if self.diff is not None:
            facts += ["", *_diff_lines(self.diff)]
        return facts

    def _head(self) -> str:
        verdict = self.verdict
        if verdict.verdict == "kept":
            return f"kept: {self.id}"
        return f"dropped by {verdict.stage}: {verdict.reason} ({verdict.level}): {self.id}"

    def _facts(self) -> dict[str, object]:
        verdict = self.verdict
        return {
            "content": self.swhid,
            "file": _place(self.origin, self.path),
            "value": verdict.value,
            "threshold": verdict.threshold,
            "evidence": evidence_lines(verdict.evidence),
            "duplicate of": _kept(self.duplicate_of),
            "kept as": _kept(self.elsewhere),
        }


def _row_facts(row: ReleaseRow) -> dict[str, object]:
    redactions = ", ".join(f"{kind} {count}" for kind, count in sorted(row.redactions.items()))
    return {
        "shard": row.shard,
        "swhid": row.swhid,
        "language": row.language or "undecided",
        "licence": f"{row.licence_expression or 'none found'} ({row.license_type})",
        "stated by": row.licence_source,
        "evidence": evidence_lines(row.licence_evidence),
        "cluster": row.cluster,
        "redacted": redactions or "nothing",
    }


def _pairs(facts: Mapping[str, object]) -> list[str]:
    lines = []
    for name, value in facts.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        labels = [f"{name}:", *[""] * len(values)]
        lines += [f"  {label:<14}{each}" for label, each in zip(labels, values, strict=False)]
    return lines


def _diff_lines(diff: Difference) -> list[str]:
    if not diff.lines:
        return [f"diff: {diff.note}"]
    note = f"; {diff.note}" if diff.note else ""
    return [f"diff of the redacted texts, - the kept file, + this one{note}", *(f"  {line}" for line in diff.lines)]


def _place(origin: str | None, path: str | None) -> str | None:
    return origin if path is None else f"{origin}:{path}"


def _kept(kept: KeptFile | None) -> str | None:
    if kept is None:
        return None
    place = _place(kept.origin, kept.path)
    similarity = "" if kept.jaccard is None else f", Jaccard {kept.jaccard:.4g}"
    return f"{place} ({kept.swhid}{similarity})" if place else f"{kept.swhid}{similarity}"


def _dropped(reason: str | None) -> str:
    return f"  dropped: {reason}" if reason else ""
