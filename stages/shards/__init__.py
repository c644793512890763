"""Shards: contents ⨝ decisions ⨝ repositories → release rows, partitioned, sorted, byte-deterministic.

Worker `assemble`: the kept rows of one contents part → `rows` (ROWS: RELEASE and a shard key), scattered by shard
key. Worker `cut`: one shard key → `shard` (RELEASE), sorted by (origin, path, content_id), in row groups bounded by
bytes and rows. A shard key is `<licence class>/<language>/<slice>`, so a language or a licence class can
be read alone and one repository's rows lie in few files. The opt-out gate re-checks every row here.
Cost: each kept text is read twice and written twice; memory: one shard.

`list_repositories` makes the repository tables: which row stands for every path of every repository that the release
holds something of, so that a repository can be rebuilt although its duplicates were removed (see `pointing`).
`list_evidence` makes the tables of evidence: whose licence texts the rows rest on, those texts, and what their
languages are (see `crediting`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stages.shards.assembling import ROWS, assemble
from stages.shards.cutting import cut
from stages.shards.evidence import Credited, ReleaseTable, list_evidence
from stages.shards.listing import Listing, Sources, list_repositories

NAME = "shards"
VERSION = "3"
REASONS: Mapping[str, str] = MappingProxyType({})

__all__ = [
    "NAME",
    "REASONS",
    "ROWS",
    "VERSION",
    "Credited",
    "Listing",
    "ReleaseTable",
    "Sources",
    "assemble",
    "cut",
    "list_evidence",
    "list_repositories",
]
