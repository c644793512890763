"""A recipe's licence overrides in a build: the table that tasks read, and the entries that decide nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foundation import tables
from foundation.canonical import Json
from foundation.errors import ConfigError
from foundation.tasks import Part
from pipeline.recipe import Recipe
from stages.licences import OVERRIDES, overrides_table

PLACE = "inputs/overrides.parquet"
SHOWN = 20
"""Unmatched entries that a message lists."""


@dataclasses.dataclass(frozen=True)
class Applied:
    """How many overrides the recipe has, and the notices (SHA-256, sorted) of those that no file contains."""

    entries: int = 0
    unmatched: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """entries, matched and unmatched as counts, `unmatched_notices` as a list."""
        missing = len(self.unmatched)
        return {
            "entries": self.entries,
            "matched": self.entries - missing,
            "unmatched": missing,
            "unmatched_notices": list(self.unmatched),
        }

    def warning(self) -> str:
        """What to tell people of unmatched entries; empty when there are none."""
        if not self.unmatched:
            return ""
        listed = [f"  {notice}" for notice in self.unmatched[:SHOWN]]
        more = len(self.unmatched) - SHOWN
        return "\n".join(
            [
                f"{len(self.unmatched)} of {self.entries} licence overrides decide nothing: "
                "no file of this build contains their notice",
                *listed,
                *([f"  and {more} more"] if more > 0 else []),
            ]
        )


def write_overrides(root: Path, recipe: Recipe) -> Part | None:
    """Write the recipe's overrides (OVERRIDES) below the build folder `root`; None when it has none."""
    entries = recipe.licences.overrides
    if not entries:
        return None
    written = tables.write_table(root / PLACE, overrides_table(entries), OVERRIDES)
    return Part(PLACE, written.sha256, written.rows, written.bytes)


def check_overrides(root: Path, recipe: Recipe, notices: Sequence[Part]) -> Applied:
    """Which overrides met their notice among the build's `notices` (NOTICES_KEPT).

    ConfigError when one did not and the recipe says `overrides_must_match`. Cost: one column of the notices.
    """
    entries = recipe.licences.overrides
    if not entries:
        return Applied()
    wanted = pl.LazyFrame({"notice": [entry.notice for entry in entries]})
    paths = [root / part.path for part in notices]
    if paths:
        seen = pl.scan_parquet(paths, glob=False, hive_partitioning=False).select("notice")
        wanted = wanted.join(seen, on="notice", how="anti")
    missing = sorted(wanted.collect(engine="streaming")["notice"])
    applied = Applied(len(entries), tuple(missing))
    if missing and recipe.licences.overrides_must_match:
        raise ConfigError(applied.warning(), hint="remove the entries, or set [licences] overrides_must_match = false")
    return applied
