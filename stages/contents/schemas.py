"""Work tables between the catalog and the decisions. See each schema's comments for its key and order."""

from __future__ import annotations

import pyarrow as pa

from foundation.schema import OCCURRENCES, SPAN
from stages.catalog import KNOWN

VERSION = "5"  # policy version: raise it when an equal input may give another answer
UNKNOWN_DATE = (1 << 63) - 1  # sorts after every date
CLASS_RANK = {"permissive": 0, "no_license": 1, "non_permissive": 2}

LICENCE = [
    ("licence_expression", pa.string()),  # SPDX; null when nothing states a licence
    ("licence_class", pa.string()),
    ("licence_source", pa.string()),
    ("licence_evidence", pa.string()),  # canonical JSON
]
RANK = [
    ("rank_licence", pa.int8()),
    ("rank_stars", pa.int64()),  # negated: more stars sort first
    ("rank_forks", pa.int64()),
    ("rank_first_seen", pa.int64()),  # microseconds since 1970; UNKNOWN_DATE when unknown
]
NAME = ("path_redactions", pa.list_(SPAN))  # what was replaced in `path`; null where nothing was
COPY = [
    ("copy_origin", pa.string()),  # the occurrence that the recipe's policy hears beside the representative,
    ("copy_path", pa.binary()),  # or null: see `copies`. Opted-out ones are heard, not named
    ("copy_first_seen", pa.int64()),
    ("copy_class", pa.string()),
    ("copy_expression", pa.string()),
    ("copy_evidence", pa.string()),
]
VERDICT = [
    ("stage", pa.string()),
    ("reason", pa.string()),  # null while the content can be kept
    ("value", pa.string()),
    ("threshold", pa.string()),
    ("evidence", pa.string()),
]

# Occurrences, their paths redacted, with what the paths say of licence; scattered by sha1_git.
PLACED = pa.schema([*OCCURRENCES, *LICENCE, *RANK, NAME])

# One row a content that some occurrence could still keep; key sha1_git, packed in order of (origin, path).
WORK = pa.schema(
    [*KNOWN, ("origin", pa.string()), ("path", pa.binary()), ("occurrences", pa.int64()), *LICENCE, *RANK, NAME, *COPY]
)
_WORK_ALONE = {"alternatives", *(name for name, _ in COPY)}

SIGNALS = [
    ("encoding", pa.string()),
    ("encoding_confidence", pa.float32()),
    ("language", pa.string()),
    ("language_confidence", pa.float32()),
    ("language_source", pa.string()),
    ("vendored", pa.bool_()),
    ("generated", pa.bool_()),
    ("documentation", pa.bool_()),
    ("num_lines", pa.int64()),
    ("avg_line_length", pa.float64()),
    ("max_line_length", pa.int64()),
    ("alpha_fraction", pa.float64()),
    ("alphanum_fraction", pa.float64()),
    ("encoded_fraction", pa.float64()),
]

# One row a content that was read; signals are null from the test on that refused it.
CONTENTS = pa.schema(
    [
        *[field for field in WORK if field.name not in _WORK_ALONE],
        *SIGNALS,
        ("text", pa.large_string()),  # redacted; null when refused
        ("text_sha256", pa.string()),
        ("redactions", pa.list_(SPAN)),
        *VERDICT,
    ]
)

VERDICTS = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("origin", pa.string()),
        ("path", pa.binary()),
        ("part", pa.int64()),  # ordinal of the contents part that holds the row
        ("bytes", pa.int64()),  # UTF-8 bytes of the text; 0 when refused
        ("language", pa.string()),
        ("licence_class", pa.string()),
        *VERDICT,
    ]
)

# One row a content whose text is known and whose licence a copy may overrule; scattered by text_key.
TEXT_COPIES = pa.schema(
    [
        ("text_key", pa.string()),  # what copies have in common: key of the body, else text_sha256
        ("text_sha256", pa.string()),
        ("sha1_git", pa.string()),  # key
        ("text_part", pa.int32()),  # ordinal of the contents part that holds the row
        ("kept", pa.bool_()),  # false: a witness, refused for the licence of its paths
        ("licence_class", pa.string()),
        ("rank_first_seen", pa.int64()),  # of its representative
        *COPY,  # the copy that speaks for these bytes, named in full if it is non_permissive
    ]
)

# Contents that a witness refuses; scattered by sha1_git.
REFUSED = pa.schema([("sha1_git", pa.string()), ("text_sha256", pa.string()), ("text_part", pa.int32()), *VERDICT])

# Contents that may not represent their text, since an earlier copy of it states a licence that is kept too.
YIELDING = pa.schema([("sha1_git", pa.string()), ("text_sha256", pa.string())])
