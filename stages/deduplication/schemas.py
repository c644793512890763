"""Arrow schemas of deduplication's tables. Ids are sha1_git as lowercase hex; every other order is data.

Inputs CANDIDATES and TEXTS, results EXACT, NEAR and PAIRS; the rest are work tables of single steps.
"""

from __future__ import annotations

import pyarrow as pa

ORDER = ("rank_licence", "rank_stars", "rank_forks", "rank_first_seen", "rank_path", "sha1_git")
"""The total order, ascending: of contents that resemble each other the lowest stays."""

_RANKS = [
    ("rank_licence", pa.int8()),  # licence class, best first
    ("rank_stars", pa.int64()),  # negated, so that more stars sort first
    ("rank_forks", pa.int64()),  # negated
    ("rank_first_seen", pa.int64()),  # microseconds; null sorts last
    ("rank_path", pa.binary()),
]

CANDIDATES = pa.schema(
    [
        ("sha1_git", pa.string()),  # key; a content that is still kept
        ("text_sha256", pa.string()),  # of the redacted text as UTF-8
        ("signature", pa.binary()),  # see signing; null when too short to shingle
        *_RANKS,
        ("text_part", pa.int32()),  # index into `texts` of the part that holds its text
    ]
)

TEXTS = pa.schema([("sha1_git", pa.string()), ("text", pa.large_string())])

EXACT = pa.schema(
    [
        ("sha1_git", pa.string()),  # dropped; key
        ("kept", pa.string()),  # the lowest content in the total order with the same text
    ]
)

NEAR = pa.schema(
    [
        ("sha1_git", pa.string()),  # key; a member of a cluster of two or more
        ("cluster", pa.string()),  # smallest sha1_git of the connected component of verified pairs
        ("kept", pa.string()),  # kept content it duplicates; null if it stays
        ("jaccard", pa.float64()),  # exact, with `kept`; null if it stays
    ]
)

PAIRS = pa.schema([("a", pa.string()), ("b", pa.string()), ("jaccard", pa.float64())])  # a < b

KEYED = pa.schema([("sha1_git", pa.string()), ("text_sha256", pa.string()), *_RANKS])

DROPPED = pa.schema([("sha1_git", pa.string())])

BANDS = pa.schema([("band", pa.int64()), ("sha1_git", pa.string()), ("sketch", pa.binary())])

MEMBERS = pa.schema([("sha1_git", pa.string()), *_RANKS, ("text_part", pa.int32()), ("sketch", pa.binary())])

EDGES = pa.schema([("node", pa.string()), ("other", pa.string())])

STARS = pa.schema([("component", pa.string()), ("sha1_git", pa.string())])  # component = its smallest node

PLACED = pa.schema([("component", pa.string()), *MEMBERS])

_PIECE = ("piece", pa.int32())  # part of a component too large for one task, in the total order; else null

WANTED = pa.schema([("group", pa.string()), ("component", pa.string()), _PIECE, *MEMBERS])

GROUPED = pa.schema([("group", pa.string()), ("component", pa.string()), _PIECE, *MEMBERS, ("text", pa.large_string())])

GIANTS = pa.schema([("component", pa.string()), ("pieces", pa.int32())])

STAYING = pa.schema([("sha1_git", pa.string()), ("sketch", pa.binary()), ("text", pa.large_string())])

DRAFT = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("root", pa.string()),  # lowest content of its cluster within the piece
        ("kept", pa.string()),
        ("jaccard", pa.float64()),
    ]
)
