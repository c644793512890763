"""Deduplication: exact on the redacted text's SHA-256, near by verified Jaccard over MinHash candidates.

`sign` is fused into the pass over bytes; `exact_duplicates` and `near_duplicates` are flows of tasks
over CANDIDATES and TEXTS parts that give EXACT and NEAR parts; `inspect` runs the same on a small table.
Tables: see `schemas`. Texts that differ only outside [A-Za-z0-9_] (an operator, white space) have the
same shingles and Jaccard 1: that follows from the shingle definition, SHINGLES, which the manifest states.
"""

from stages.deduplication.components import components
from stages.deduplication.effort import Effort, effort_of
from stages.deduplication.exact import exact_duplicates
from stages.deduplication.inspection import INSPECTED, final_kept, inspect, inspect_pairs
from stages.deduplication.near import near_duplicates
from stages.deduplication.schemas import CANDIDATES, EDGES, EXACT, NEAR, ORDER, PAIRS, STARS, TEXTS
from stages.deduplication.settings import (
    NAME,
    REASONS,
    SHINGLES,
    VERSION,
    Banding,
    Settings,
    banding,
    banding_curve,
    sketch_matches,
)
from stages.deduplication.signing import SIGNED, shingle_hash32, shingle_hash64, sign

__all__ = [
    "CANDIDATES",
    "EDGES",
    "EXACT",
    "INSPECTED",
    "NAME",
    "NEAR",
    "ORDER",
    "PAIRS",
    "REASONS",
    "SHINGLES",
    "SIGNED",
    "STARS",
    "TEXTS",
    "VERSION",
    "Banding",
    "Effort",
    "Settings",
    "banding",
    "banding_curve",
    "components",
    "effort_of",
    "exact_duplicates",
    "final_kept",
    "inspect",
    "inspect_pairs",
    "near_duplicates",
    "shingle_hash32",
    "shingle_hash64",
    "sign",
    "sketch_matches",
]
