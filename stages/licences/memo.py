"""The memo: each distinct notice is detected once, by whoever comes first, and read from disk ever after.

`MemoResolver(folder)` keeps one small Parquet file (DETECTIONS) for each batch of newly detected notices in
`folder/<key>/`, named by the notices in it; the key is a fingerprint of policy version, tool and licence data,
so that another version never reads them. Files are written atomically, so several processes and killed
builds may share a folder; a notice's answer depends on its text alone, so it does not matter who wrote it.
Memory: one row a distinct notice. A damaged memo file is an IntegrityError that names it.

A detection that ran out of time is an answer for the build that waited for it, and no longer: a resolver made later
tries such a notice once more (in a file `…-again.parquet`), and only what ran out of time twice stays so. Which files
are of an earlier build is settled when the resolver is made: those that lay in the folder then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from foundation import spdx
from foundation.canonical import Json, fingerprint
from foundation.tables import read_table, write_table
from stages.licences.detection import DETECTIONS, SPDX_TOOL, TIMED_OUT, TOOL, detect
from stages.licences.settings import VERSION, Settings

BATCH = 64
"""Notices detected between two writes to the memo: what a killed build loses at most."""


AGAIN = "-again"


class Resolver(Protocol):
    """Whoever can say of notices (NOTICES columns `notice`, `text`) which licences they are."""

    def __call__(self, notices: pa.Table) -> pa.Table:
        """DETECTIONS, one row a distinct notice, in order of `notice`."""


class MemoResolver:
    """A Resolver that detects a notice it has never seen, and remembers it in `folder` (see the module)."""

    def __init__(self, folder: str | Path, *, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._folder = Path(folder) / memo_key(self._settings)
        self._earlier = frozenset(path.name for path in self._folder.glob("*.parquet"))
        self._known: dict[str, dict[str, object]] = {}
        self._late: set[str] = set()  # ran out of time once, in an earlier build
        self._read: set[str] = set()

    def __call__(self, notices: pa.Table) -> pa.Table:
        """DETECTIONS of `notices`; see `Resolver`."""
        names = sorted(set(notices["notice"].to_pylist()))
        if any(name not in self._known for name in names):
            self._refresh()
        missing = [name for name in names if name not in self._known]
        texts = dict(zip(notices["notice"].to_pylist(), notices["text"].to_pylist(), strict=True))
        self._detect([name for name in missing if name not in self._late], texts, suffix="")
        self._detect([name for name in missing if name in self._late], texts, suffix=AGAIN)
        return pa.Table.from_pylist([self._known[name] for name in names], schema=DETECTIONS)

    def _detect(self, missing: Sequence[str], texts: Mapping[str, str], *, suffix: str) -> None:
        for at in range(0, len(missing), BATCH):
            batch = list(missing[at : at + BATCH])
            asked = pa.table({"notice": batch, "text": [texts[name] for name in batch]})
            found = detect(asked, settings=self._settings)
            write_table(self._folder / f"{fingerprint(batch)}{suffix}.parquet", found, DETECTIONS)
            self._learn(found, final=True)

    def _refresh(self) -> None:
        for path in sorted(self._folder.glob("*.parquet")):
            if path.name not in self._read:
                self._learn(read_table(path), final=path.stem.endswith(AGAIN) or path.name not in self._earlier)
                self._read.add(path.name)

    def _learn(self, detections: pa.Table, *, final: bool) -> None:
        """Remember `detections`; unless `final`, those that ran out of time are only noted."""
        for row in detections.to_pylist():
            if final or row["status"] != TIMED_OUT:
                self._known.setdefault(row["notice"], row)
            else:
                self._late.add(row["notice"])


def memo_key(settings: Settings) -> str:
    """The memo's sub-folder: a fingerprint of all that a detection depends on besides its text."""
    parts: dict[str, Json] = {
        "version": VERSION,
        "tool": TOOL,
        "spdx_tool": SPDX_TOOL,
        "licences": spdx.licence_data().sha256,
        "timeout": settings.detection_timeout,
    }
    return fingerprint(parts)[:16]
