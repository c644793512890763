"""Decisions: one verdict a content, with its reason and evidence, from everything measured before.

Tables: `decisions` (foundation.schema.DECISIONS, sorted by sha1_git in each bucket) and `kept` (KEPT, scattered by the
contents part that holds the text). Invariants: every content of the catalog has exactly one row; a
duplicate names the kept content that it resembles. Nothing here reads bytes of code.
`guard` holds what deduplication removed of each language and source against the recipe's limits, before any shard.
Cost: one row a content; memory: one bucket.
"""

from __future__ import annotations

from stages.decisions.deciding import COPIES, KEPT, decide, follow, rebucket
from stages.decisions.guard_report import Group, Report, Sample
from stages.decisions.guarding import REPORT, Guarded, guard
from stages.decisions.limits import GuardSettings
from stages.decisions.policy import NAME, REASONS, VERSION

__all__ = [
    "COPIES",
    "KEPT",
    "NAME",
    "REASONS",
    "REPORT",
    "VERSION",
    "Group",
    "GuardSettings",
    "Guarded",
    "Report",
    "Sample",
    "decide",
    "follow",
    "guard",
    "rebucket",
]
