"""Software Heritage's graph tables: columns, types and relations, as its exporter writes them.

Source: `swh.export.relational.TABLES` of swh-export 1.12. All hashes are lowercase hex; names, branch
names, messages and manifests are raw bytes; offsets are minutes; timestamps are microseconds UTC here
whatever the file holds. Invariant: a table read through `archive.orc` has exactly these columns, in
this order, with these types; columns that an older export lacks are null.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from foundation.schema import TIMESTAMP

_ARROW: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "string": pa.string(),
        "binary": pa.binary(),
        "bigint": pa.int64(),
        "int": pa.int32(),
        "smallint": pa.int16(),
        "timestamp": TIMESTAMP,
    }
)


@dataclasses.dataclass(frozen=True)
class TableSpec:
    """One table: (column, ORC type) pairs, its columns with Bloom filters, and the table whose rows it extends."""

    columns: tuple[tuple[str, str], ...]
    bloom: tuple[str, ...] = ()
    extends: str = ""

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema that readers see."""
        return pa.schema([(name, _ARROW[kind]) for name, kind in self.columns])

    @property
    def orc_type(self) -> str:
        """The ORC struct type that the writer declares."""
        return f"struct<{','.join(f'{name}:{kind}' for name, kind in self.columns)}>"


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (field.split(":") for field in text.split())
    return tuple((name, kind) for name, kind in pairs)


_HASHES = "sha1:string sha1_git:string sha256:string blake2s256:string"
_HASH_BLOOM = ("sha1", "sha1_git", "sha256")

SPECS: Mapping[str, TableSpec] = MappingProxyType(
    {
        "origin": TableSpec(_columns("id:string url:string"), ("url",)),
        "origin_visit": TableSpec(_columns("origin:string visit:bigint date:timestamp type:string"), ("origin",)),
        "origin_visit_status": TableSpec(
            _columns("origin:string visit:bigint date:timestamp status:string snapshot:string type:string"), ("origin",)
        ),
        "snapshot": TableSpec(_columns("id:string"), ("id",)),
        "snapshot_branch": TableSpec(
            _columns("snapshot_id:string name:binary target:string target_type:string"),
            ("snapshot_id", "target"),
            "snapshot",
        ),
        "release": TableSpec(
            _columns(
                "id:string name:binary message:binary target:string target_type:string author:binary date:timestamp "
                "date_offset:smallint date_raw_offset_bytes:binary raw_manifest:binary"
            ),
            ("id", "author", "target"),
        ),
        "revision": TableSpec(
            _columns(
                "id:string message:binary author:binary date:timestamp date_offset:smallint "
                "date_raw_offset_bytes:binary committer:binary committer_date:timestamp committer_offset:smallint "
                "committer_date_raw_offset_bytes:binary directory:string type:string raw_manifest:binary"
            ),
            ("id", "author", "committer", "directory"),
        ),
        "revision_history": TableSpec(
            _columns("id:string parent_id:string parent_rank:int"), ("id", "parent_id"), "revision"
        ),
        "revision_extra_headers": TableSpec(_columns("id:string key:binary value:binary"), (), "revision"),
        "directory": TableSpec(_columns("id:string raw_manifest:binary"), ("id",)),
        "directory_entry": TableSpec(
            _columns("directory_id:string name:binary type:string target:string perms:int"),
            ("directory_id", "target"),
            "directory",
        ),
        "content": TableSpec(_columns(f"{_HASHES} length:bigint status:string data:binary"), _HASH_BLOOM),
        "skipped_content": TableSpec(_columns(f"{_HASHES} length:bigint status:string reason:string"), _HASH_BLOOM),
    }
)

REQUIRED = ("content", "directory", "directory_entry", "origin_visit_status", "snapshot", "snapshot_branch")
