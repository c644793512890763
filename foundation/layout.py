"""Where a file lies in a release.

Shards: `data/<license_type>/<language slug>/part-<number>.parquet`. Parts of the tables beside them:
`<table>/part-<number>.parquet`, numbered by a hash of the table's key (TABLES).

The slug is the language's name percent-encoded (RFC 3986 §2.1), so that every name, a stranger's
included, is one safe path component; different names have different slugs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from foundation.errors import InternalError

LICENSE_TYPES = ("no_license", "non_permissive", "permissive")
NO_LANGUAGE = "_none"
SHARD_PATH = re.compile(
    r"data/(no_license|non_permissive|permissive)/([A-Za-z0-9._~%-]{1,160})/part-([0-9]{5,9})\.parquet"
)
TABLES: Mapping[str, str] = MappingProxyType(
    {
        "attribution": "origin",
        "languages": "language",
        "licences": "text_sha256",
        "paths": "origin",
        "repositories": "origin",
    }
)
"""The tables of a release beside its shards, in order, with the column whose hash decides the part."""
TABLE_PATH = re.compile(rf"({'|'.join(TABLES)})/part-([0-9]{{5,9}})\.parquet")

_LONGEST = 120


def language_slug(language: str | None) -> str:
    """One path component for `language`; `_none` for null, `%-` and a hash end the slug of an overlong name."""
    if language is None:
        return NO_LANGUAGE
    raw = language.encode("utf-8", "surrogatepass")
    slug = quote(raw, safe="") or "%-"
    if slug[0] in "._":  # hidden files, `..` and `_none`
        slug = f"%{ord(slug[0]):02X}{slug[1:]}"
    if len(slug) > _LONGEST:
        slug = f"{slug[:_LONGEST]}%-{hashlib.sha256(raw).hexdigest()[:16]}"
    return slug


def shard_path(license_type: str, language: str | None, number: int) -> str:
    """Path of shard `number` (from 0), relative to the release; InternalError for an unknown licence class."""
    if license_type not in LICENSE_TYPES or not 0 <= number < 10**9:
        raise InternalError(f"no shard path for license_type {license_type!r}, number {number}")
    return f"data/{license_type}/{language_slug(language)}/part-{number:05d}.parquet"


def table_path(table: str, number: int) -> str:
    """Path of part `number` (from 0) of the table `table`, relative to the release."""
    if table not in TABLES or not 0 <= number < 10**9:
        raise InternalError(f"no path for table {table!r}, part {number}")
    return f"{table}/part-{number:05d}.parquet"
