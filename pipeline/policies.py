"""The stages of the flow, in order, with what each calls itself, its policy version and its reason codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from stages import catalog, contents, decisions, deduplication, languages, licences, optout, quality, redaction, shards


@dataclasses.dataclass(frozen=True)
class Policy:
    """One stage: name, policy version, reason codes."""

    NAME: str
    VERSION: str
    REASONS: Mapping[str, str]


STAGES: tuple[Policy, ...] = tuple(
    Policy(stage.NAME, stage.VERSION, dict(stage.REASONS))
    for stage in (
        catalog,
        optout,
        licences,
        contents,
        languages,
        quality,
        redaction,
        deduplication,
        decisions,
        shards,
    )
)
