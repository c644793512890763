"""What a finished build does not keep: work tables with names of the archive in which something was redacted.

Contents never lie in a work table unredacted. Names do: origins until the catalog's repositories are settled
(`catalog.place`), paths until all of a repository are together (`contents.placing`); before that they stand in the
re-partitioned tables of the archive, in the levels of the walk, in occurrences and licence statements. When no name was
redacted these hold nothing to hide and stay. Else their files are removed once the release is published, and the same
command makes them again, byte for byte, when it needs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from foundation.tasks import Outcome

NAMED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stages.catalog.sources:scatter_table": ("rows",),
        "stages.catalog.visits:scatter_by_url": ("rows",),
        "stages.catalog.visits:select_visits": ("repositories",),
        "stages.catalog.heads:resolve_heads": ("targets",),
        "stages.catalog.heads:resolve_targets": ("resolved", "pending"),
        "stages.catalog.walk:expand": ("found", "frontier"),
        "stages.catalog.describe:describe": ("occurrences", "notices"),
        "stages.contents.statements:read_statements": ("statements",),
    }
)
"""Outputs that hold names as the archive has them, by worker."""

_NAMELESS = ("content", "directory", "release", "revision", "skipped_content")  # of the archive's tables
_COUNTS = ("redacted_paths", "redacted_origins")


def wipe_names(root: str | Path, stages: Mapping[str, Sequence[Outcome]]) -> int:
    """Remove what `stages` wrote below `root` of unredacted names, if any name was redacted; returns how many files."""
    outcomes = [outcome for each in stages.values() for outcome in each]
    if not any(outcome.counts.get(name) for outcome in outcomes for name in _COUNTS):
        return 0
    files = sorted(set(_named(outcomes)))
    for file in files:
        Path(root, file).unlink(missing_ok=True)
    return len(files)


def _named(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.task.params.get("table") not in _NAMELESS:
            yield from (outcome.parts[output].path for output in NAMED.get(outcome.task.worker, ()))
