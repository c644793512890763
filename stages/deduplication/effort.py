"""What the near-duplicate search went through: how large its buckets and components were, and what it left out.

Read from the counts of the steps, so it costs nothing; every figure depends on the contents and settings alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from foundation.canonical import Json
from foundation.tasks import Outcome
from stages.deduplication.settings import NAME


@dataclasses.dataclass(frozen=True)
class Effort:
    """Counts of contents, unless said otherwise.

    signed: compared at all; too_short: fewer than five tokens, exact comparison only. largest_bucket: that share one
    band key; not_compared: looks that `max_bucket` cut off, in buckets larger than it (pairs, an upper bound of what
    could have been missed). linked: with at least one look-alike; components, largest_component: how they hang
    together; giants: components compared piece by piece.
    """

    signed: int = 0
    too_short: int = 0
    largest_bucket: int = 0
    not_compared: int = 0
    linked: int = 0
    components: int = 0
    largest_component: int = 0
    giants: int = 0

    def to_json(self) -> dict[str, Json]:
        """The fields as JSON."""
        return dict(dataclasses.asdict(self))

    def summary(self) -> str:
        """One line for people."""
        cut = f"; {self.not_compared:,} looks left out by max_bucket" if self.not_compared else ""
        largest = f"largest {self.largest_component:,}; largest bucket {self.largest_bucket:,}{cut}"
        return (
            f"near duplicates: {self.signed:,} contents compared, {self.linked:,} have look-alikes in "
            f"{self.components:,} groups ({largest})"
        )


def effort_of(stages: Mapping[str, Sequence[Outcome]]) -> Effort:
    """From the outcomes of a build by the label that each step ran under."""

    def counts(step: str, name: str) -> list[int]:
        return [outcome.counts.get(name, 0) for outcome in stages.get(f"{NAME}.{step}", ())]

    return Effort(
        signed=sum(counts("bands", "signed")),
        too_short=sum(counts("bands", "too_short")),
        largest_bucket=max(counts("edges", "largest_bucket"), default=0),
        not_compared=sum(counts("edges", "not_compared")),
        linked=sum(counts("placed", "candidates")),
        components=sum(counts("groups", "components")),
        largest_component=max(counts("groups", "largest"), default=0),
        giants=sum(counts("groups", "giants")),
    )
