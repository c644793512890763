"""What a finished build does not keep: work tables with names of the archive in which something was redacted.

Contents never lie in a work table unredacted. Paths do until all of a repository are together (`contents.placing`):
in the archive's directory entries, in the levels of the walk, in the occurrences and licence statements before they
are placed. When nothing in any path was redacted they hold nothing to hide and stay. Else their files are removed once
the release is published, and the same command makes them again, byte for byte, when it needs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from foundation.tasks import Outcome

NAMED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stages.catalog.sources:scatter_table": ("rows",),
        "stages.catalog.walk:expand": ("found", "frontier"),
        "stages.catalog.describe:describe": ("occurrences", "notices"),
        "stages.contents.statements:read_statements": ("statements",),
    }
)
"""Outputs that hold names as the archive has them, by worker; of the archive's tables only `directory_entry`."""

_PLACE = "stages.contents.placing:place"
_ENTRIES = "directory_entry"


def wipe_names(root: str | Path, stages: Mapping[str, Sequence[Outcome]]) -> int:
    """Remove what `stages` wrote below `root` of unredacted names, if any name was redacted; returns how many files."""
    outcomes = [outcome for each in stages.values() for outcome in each]
    if not any(outcome.counts.get("redacted_paths") for outcome in outcomes if outcome.task.worker == _PLACE):
        return 0
    files = sorted(set(_named(outcomes)))
    for file in files:
        Path(root, file).unlink(missing_ok=True)
    return len(files)


def _named(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.task.params.get("table", _ENTRIES) == _ENTRIES:
            yield from (outcome.parts[output].path for output in NAMED.get(outcome.task.worker, ()))
