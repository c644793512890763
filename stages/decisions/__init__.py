"""Decisions: one verdict a content, with its reason and evidence, from everything measured before.

Tables: `decisions` (foundation.schema.DECISIONS, sorted by sha1_git in each bucket) and `kept` (KEPT, scattered by the
contents part that holds the text). Invariants: every content of the catalog has exactly one row; a
duplicate names the kept content that it resembles. Nothing here reads bytes of code.
Cost: one row a content; memory: one bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stages.decisions.deciding import COPIES, KEPT, decide, follow, rebucket

NAME = "decisions"
VERSION = "1"
REASONS: Mapping[str, str] = MappingProxyType({})

__all__ = ["COPIES", "KEPT", "NAME", "REASONS", "VERSION", "decide", "follow", "rebucket"]
