"""What an archive holds, origin by origin.

Output of `list_origins`, by origin: origin, visits (how many), visit_type, status and date of the latest final
visit status, head (branch that HEAD leads to at the latest full visit, else partial one; undecodable bytes
escaped; empty if unknown), target (core SWHID of what it names). Memory: the visit table, and the branches of
the chosen snapshots.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from archive import orc
from archive.reader import Archive

_SWHID_TYPES = {"revision": "rev", "release": "rel", "directory": "dir", "content": "cnt", "snapshot": "snp"}
_FALLBACKS = (b"refs/heads/main", b"refs/heads/master")
_MAX_HOPS = 8


@dataclasses.dataclass(frozen=True)
class OriginRow:
    """One origin of an archive; see the module for the fields."""

    origin: str
    visits: int
    visit_type: str
    status: str
    date: dt.datetime | None
    head: str
    target: str


def list_origins(archive: Archive) -> list[OriginRow]:
    """One row an origin, sorted by origin."""
    columns = ["origin", "visit", "date", "status", "snapshot", "type"]
    statuses = orc.read_table(
        archive.store, archive.files("origin_visit_status"), table="origin_visit_status", columns=columns
    )
    latest: dict[str, dict[str, object]] = {}
    visits: dict[str, set[object]] = {}
    snapshots: dict[str, str] = {}
    full: set[str] = set()
    for row in statuses.sort_by([("origin", "ascending"), ("date", "ascending"), ("visit", "ascending")]).to_pylist():
        visits.setdefault(row["origin"], set()).add(row["visit"])
        if row["status"] not in ("created", "ongoing"):
            latest[row["origin"]] = row
        if row["snapshot"] and (row["status"] == "full" or row["origin"] not in full):
            snapshots[row["origin"]] = row["snapshot"]
            full.update([row["origin"]] if row["status"] == "full" else [])
    branches = _branches(archive, set(snapshots.values()))
    found = []
    for origin in sorted(visits):
        row = latest.get(origin, {})
        head, target = _head(branches.get(snapshots.get(origin, ""), {}))
        date = row.get("date")
        found.append(
            OriginRow(
                origin=origin,
                visits=len(visits[origin]),
                visit_type=str(row.get("type") or ""),
                status=str(row.get("status", "created")),
                date=date if isinstance(date, dt.datetime) else None,
                head=head,
                target=target,
            )
        )
    return found


def _branches(archive: Archive, snapshots: set[str]) -> dict[str, dict[bytes, tuple[str, str]]]:
    """(target, type) by branch name of each of `snapshots`."""
    wanted, found = pa.array(sorted(snapshots), pa.string()), dict[str, dict[bytes, tuple[str, str]]]()
    columns = ["snapshot_id", "name", "target", "target_type"]
    files = archive.files("snapshot_branch")
    for batch in orc.read_batches(archive.store, files, table="snapshot_branch", columns=columns):
        for row in batch.filter(pc.is_in(batch["snapshot_id"], value_set=wanted)).to_pylist():
            found.setdefault(row["snapshot_id"], {})[row["name"]] = (row["target"], row["target_type"])
    return found


def _head(branches: Mapping[bytes, tuple[str, str]]) -> tuple[str, str]:
    """(branch that HEAD ends at, SWHID); main or master where HEAD is missing or dangling."""
    for start in (b"HEAD", *_FALLBACKS):
        name = start
        for _ in range(_MAX_HOPS):
            if name not in branches:
                break
            target, kind = branches[name]
            if kind != "alias":
                swhid = f"swh:1:{_SWHID_TYPES.get(kind, kind)}:{target}"
                return name.decode("utf-8", "backslashreplace"), swhid
            # the exporter writes the other branch's name in hex
            name = bytes.fromhex(target)
    return "", ""
