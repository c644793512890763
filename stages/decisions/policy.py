"""What decisions call themselves: name, policy version, reason codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAME = "decisions"
VERSION = "2"
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "quarantined": "a duplicate of a source or language that lost more to deduplication than [guard] allows; "
        "held back for review with the kept content and the Jaccard similarity",
    }
)
