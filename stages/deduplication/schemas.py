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
        ("shingles", pa.int64()),  # distinct shingles of the text; 0 with a null signature
        *_RANKS,
        ("text_part", pa.int32()),  # index into `texts` of the part that holds its text
    ]
)

TEXTS = pa.schema([("sha1_git", pa.string()), ("text", pa.large_string())])

EXACT = pa.schema(
    [
        ("sha1_git", pa.string()),  # dropped; key
        ("kept", pa.string()),  # the lowest content in the total order with the same text
        ("text_part", pa.int32()),  # that of the dropped content
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

KEYED = pa.schema([("sha1_git", pa.string()), ("text_sha256", pa.string()), *_RANKS, ("text_part", pa.int32())])

_RANGE = ("part_range", pa.int32())  # text_part // span: neighbouring text parts lie in one bucket

DROPPED = pa.schema([("sha1_git", pa.string()), _RANGE])

_NODE = ("node", pa.int64())  # 64-bit hash of sha1_git: two contents in one node are compared, no more


def sketch_names(words: int) -> list[str]:
    """Columns of a sketch of `words` 64-bit words."""
    return [f"sketch_{at}" for at in range(words)]


def sketched(schema: pa.Schema, words: int) -> pa.Schema:
    """`schema` followed by the columns of a sketch of `words` 64-bit words."""
    return pa.schema([*schema, *((name, pa.int64()) for name in sketch_names(words))])


BANDS = pa.schema([("band", pa.int64()), _NODE])  # and a sketch

MEMBERS = pa.schema(  # and a sketch
    [_NODE, ("sha1_git", pa.string()), *_RANKS, ("text_part", pa.int32()), ("shingles", pa.int64())]
)

EDGES = pa.schema([_NODE, ("other", pa.int64())])

STARS = pa.schema([("component", pa.int64()), _NODE])  # component = its smallest node

PLACED = pa.schema([("component", pa.int64()), *MEMBERS])  # and a sketch

_PIECE = ("piece", pa.int32())  # part of a component too large for one task, in the total order; else null

_GROUP = ("group", pa.int64())  # a component, or a piece of one

WANTED = pa.schema([_GROUP, _PIECE, _RANGE, *PLACED])  # and a sketch

GROUPED = pa.schema([_GROUP, _PIECE, *PLACED, ("text", pa.large_string())])  # and a sketch

GIANTS = pa.schema([("component", pa.int64()), ("pieces", pa.int32())])

STAYING = pa.schema([("sha1_git", pa.string()), ("text", pa.large_string())])  # and a sketch

DRAFT = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("root", pa.string()),  # lowest content of its cluster within the piece
        ("kept", pa.string()),
        ("jaccard", pa.float64()),
    ]
)
