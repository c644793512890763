"""Contents by sha1: fetch, gunzip within a bound, and believe only what hashes to both of its names.

Output of `fetch`, one row a request, in the order asked:
    sha1       string         as asked
    sha1_git   string         as expected
    data       large_binary   the bytes; null when there is a problem
    problem    string         null, or a code of PROBLEMS
Invariant: `data` is not null exactly when its SHA-1 is `sha1`, its git blob id is `sha1_git` and its
length is at most `max_bytes`.

Cost per content: one read, one inflate, two SHA-1 passes. Memory: the batch's bytes, plus what a few
reads ahead hold; no object is inflated beyond `max_bytes` + 1.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import cast

import pyarrow as pa
from isal import isal_zlib

from foundation.errors import InternalError
from foundation.storage import Store

SCHEMA = pa.schema(
    [("sha1", pa.string()), ("sha1_git", pa.string()), ("data", pa.large_binary()), ("problem", pa.string())]
)

MISSING = "missing"  # no such object
NUL_FILLED = "nul_filled"  # NUL bytes where a gzip header should be (swh/meta#5034)
BAD_GZIP = "bad_gzip"  # not gzip, or its stream or CRC is wrong
TRUNCATED = "truncated"  # ends before the gzip stream does
HASH_MISMATCH = "hash_mismatch"  # sha1 or sha1_git differs
TOO_LARGE = "too_large"  # more than max_bytes when inflated
PROBLEMS = (MISSING, NUL_FILLED, BAD_GZIP, TRUNCATED, HASH_MISMATCH, TOO_LARGE)

FOLDER = "content"
_DAMAGED = cast("type[Exception]", isal_zlib.IsalError)  # the library's stub declares an instance
_GZIP = 16 + zlib.MAX_WBITS
_SHA1 = re.compile(r"[0-9a-f]{40}")
_NOWHERE = "0" * 40  # asked for in place of an id that is no sha1, so that no stranger's text becomes a key


def fetch(store: Store, sha1s: Sequence[str], *, expected: Sequence[str], max_bytes: int, workers: int = 8) -> pa.Table:
    """The contents `sha1s`, whose git blob ids must be `expected` (same length); table of SCHEMA.

    Damage is a row's problem, never an exception; StorageError and CredentialsError pass through.
    """
    if len(sha1s) != len(expected):
        raise InternalError(f"{len(sha1s)} sha1s but {len(expected)} expected ids")
    data: list[bytes | None] = []
    problems: list[str | None] = []
    for sha1, sha1_git, stored in zip(sha1s, expected, read_objects(store, sha1s, workers=workers), strict=True):
        raw, problem = inflate(stored, max_bytes=max_bytes) if isinstance(stored, bytes) else (None, MISSING)
        if raw is not None and not _is(raw, sha1, sha1_git):
            raw, problem = None, HASH_MISMATCH
        data.append(raw)
        problems.append(problem)
    columns = [
        pa.array(sha1s, pa.string()),
        pa.array(expected, pa.string()),
        pa.array(data, pa.large_binary()),
        pa.array(problems, pa.string()),
    ]
    return pa.table(columns, schema=SCHEMA)


def read_objects(store: Store, sha1s: Sequence[str], *, workers: int) -> Iterator[bytes | FileNotFoundError]:
    """The stored (gzip) bytes of each content, in order; an id that is no sha1 is not found."""
    keys = [key_of(sha1 if _SHA1.fullmatch(sha1 or "") else _NOWHERE) for sha1 in sha1s]
    return store.read_many(keys, workers)


def key_of(sha1: str) -> str:
    """Key of the object that holds the content `sha1`."""
    return f"{FOLDER}/{sha1}"


def inflate(stored: bytes, *, max_bytes: int) -> tuple[bytes | None, str | None]:
    """(raw bytes, None), or (None, problem code); inflates at most `max_bytes` + 1 bytes."""
    if not stored.startswith(b"\x1f\x8b"):
        if not stored:
            return None, TRUNCATED
        return None, BAD_GZIP if stored.strip(b"\0") else NUL_FILLED
    stream = isal_zlib.decompressobj(_GZIP)
    try:
        raw: bytes = stream.decompress(stored, max_bytes + 1)
    except _DAMAGED:
        return None, BAD_GZIP
    if len(raw) > max_bytes:
        return None, TOO_LARGE
    return (raw, None) if stream.eof else (None, TRUNCATED)


def _is(raw: bytes, sha1: str, sha1_git: str) -> bool:
    if hashlib.sha1(raw, usedforsecurity=False).hexdigest() != sha1:
        return False
    blob = hashlib.sha1(b"blob %d\0" % len(raw), usedforsecurity=False)
    blob.update(raw)
    return blob.hexdigest() == sha1_git
