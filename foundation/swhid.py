"""Software Heritage identifiers (SWHID v1; swh-model's documents §5 of the specification).

Object ids are git's: sha1 over `<type> <length>\\0<bytes>`. Qualified ids name a row of a release.
"""

from __future__ import annotations

import hashlib
import re

from foundation.errors import UsageError

EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # sha1_git of no bytes at all
CORE = re.compile(r"swh:1:(snp|rel|rev|dir|cnt):([0-9a-f]{40})")


def git_object_id(kind: str, body: bytes) -> str:
    """sha1_git (hex) of a git object of `kind` (`blob`, `tree`, `commit`, `tag`)."""
    return hashlib.sha1(b"%s %d\x00" % (kind.encode(), len(body)) + body, usedforsecurity=False).hexdigest()


def content_swhid(sha1_git: str) -> str:
    """`swh:1:cnt:<sha1_git>`."""
    return f"swh:1:cnt:{sha1_git}"


def parse_core(text: str) -> tuple[str, str]:
    """(type, hex id) of a core SWHID, qualifiers ignored; UsageError if it is none."""
    found = CORE.match(text)
    if not found or text[found.end() : found.end() + 1] not in ("", ";"):
        raise UsageError(f"not a SWHID: {text!r}", hint="expected swh:1:<snp|rel|rev|dir|cnt>:<40 hex digits>")
    return found.group(1), found.group(2)


def escape_qualifier(value: str) -> str:
    """`value` with `%` and `;` percent-encoded, as the specification asks of qualifier values."""
    return value.replace("%", "%25").replace(";", "%3B")


def qualified_swhid(*, sha1_git: str, origin: str, snapshot: str, anchor: str, path: str) -> str:
    """The row's name: content id with origin, visit (snapshot id), anchor (core SWHID) and absolute path."""
    return (
        f"swh:1:cnt:{sha1_git};origin={escape_qualifier(origin)};visit=swh:1:snp:{snapshot}"
        f";anchor={anchor};path=/{escape_qualifier(path)}"
    )
