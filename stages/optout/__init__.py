"""Opt-out: which repositories, occurrences and contents the registry's exclusions cover.

Used twice in a build: by the catalog, so that opted-out bytes are never fetched, and as the last gate
over the release's rows. Output columns, always:

    reason        string   opted_out_host | opted_out_owner | opted_out_repository | opted_out_path | opted_out_content
    exclusion_id  string   id of the exclusion, `optout-<n>`

Invariants: held and effective exclusions count alike; any refused purpose excludes; of several
exclusions that cover the same thing the broadest kind and then the lowest number is named; results do
not depend on the order of rows. Cost: a few hash joins a call, linear in the rows; memory is a few
times the repositories' (or occurrences') keys, so large tables go through in partitions (`known`).
"""

from stages.optout.gate import gate
from stages.optout.matching import excluded_contents, excluded_occurrences, excluded_repositories
from stages.optout.repositories import ALIASES, REASONS, covered, known_aliases

NAME = "optout"
VERSION = "1"

__all__ = [
    "ALIASES",
    "NAME",
    "REASONS",
    "VERSION",
    "covered",
    "excluded_contents",
    "excluded_occurrences",
    "excluded_repositories",
    "gate",
    "known_aliases",
]
