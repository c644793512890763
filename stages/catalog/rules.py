"""Path and origin patterns, matched over whole columns in linear time (RE2), never as Python regexes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from foundation.globs import glob_regex, matches


def origin_regex(pattern: str) -> str:
    """An anchored RE2 expression for an origin pattern: `**` any text, `*` any but `/`, `?` one but `/`."""
    pieces = re.split(r"(\*\*|\*|\?)", pattern)
    mapped = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return r"(?s)\A" + "".join(mapped.get(piece, re.escape(piece)) for piece in pieces) + r"\z"


def origins_match(origins: pa.ChunkedArray, patterns: Sequence[str]) -> pa.ChunkedArray:
    """Boolean column: whether each origin matches one of `patterns`."""
    return _any(len(origins), [pc.match_substring_regex(origins, origin_regex(pattern)) for pattern in patterns])


def paths_match(paths: pa.ChunkedArray, globs: Sequence[str]) -> pa.ChunkedArray:
    """Boolean column: whether each path (bytes) is covered by one of the gitignore-like `globs`."""
    return _any(len(paths), [matches(glob_regex(glob), paths) for glob in globs])


def has_extension(paths: pa.ChunkedArray, extensions: Sequence[str]) -> pa.ChunkedArray:
    """Boolean column: whether each path ends in `.<one of extensions>`, ASCII case ignored."""
    if not extensions:
        return _any(len(paths), [])
    pattern = r"(?i)\.(?:" + "|".join(re.escape(extension) for extension in extensions) + r")\z"
    return _any(len(paths), [pc.match_substring_regex(paths, pattern)])


def _any(length: int, columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    result = pa.chunked_array([pa.repeat(pa.scalar(value=False), length)])
    for column in columns:
        result = pc.or_(result, pc.fill_null(column, fill_value=False))
    return result
