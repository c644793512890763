"""What the recipe says about loss: `[guard]`."""

from __future__ import annotations

from typing import Literal

import pydantic

MOST_SAMPLES = 20


class GuardSettings(pydantic.BaseModel):
    """How much of one language or source deduplication may remove, and what happens beyond that.

    Loss is removed contents over contents that reached deduplication. Contents are what the limits apply to; bytes are
    reported beside them, but a few large files decide those. A group with fewer contents than its minimum is
    not judged: three near-identical files of five are no sign of a wrong threshold.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    # The Stack v1 lost some 40 % of its files as near duplicates, its Java 47 %: 95 % of a language is no normal loss.
    max_language_loss: float = pydantic.Field(
        default=0.95, ge=0, le=1, description="largest share of one language's contents that may go; 1: no limit"
    )
    # A fork or mirror rightly loses everything.
    max_source_loss: float = pydantic.Field(
        default=1.0, ge=0, le=1, description="largest share of one origin's contents that may go; 1: not judged"
    )
    min_language_contents: int = pydantic.Field(default=1000, ge=1, description="smaller languages are not judged")
    min_source_contents: int = pydantic.Field(default=100, ge=1, description="smaller sources are not judged")
    on_excess: Literal["stop", "quarantine", "report"] = pydantic.Field(
        default="stop",
        description="`stop` ends the build before any shard is cut, `quarantine` marks what the group lost for review, "
        "`report` only says so",
    )
    samples: int = pydantic.Field(default=5, ge=0, le=MOST_SAMPLES, description="pairs shown for each group beyond")

    @property
    def judges_sources(self) -> bool:
        """Whether any source can be over its limit; if not, sources are not counted at all."""
        return self.max_source_loss < 1
