"""`gristmill inspect licences`: the licences of loose files, each judged by itself.

Every row states its own licence: a manifest what it declares, any other file what stands anywhere in it.
Output (INSPECTED), in the order of the rows: id, spdx (null: none found), class, evidence (canonical JSON or null).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from foundation import spdx
from foundation.canonical import sha256_bytes
from foundation.frames import frame
from stages.decoding import decode
from stages.licences.candidates import licence_kind
from stages.licences.detection import DETECTED, INVALID, TIMED_OUT, UNKNOWN, detect
from stages.licences.evidence import evidence_of
from stages.licences.memo import Resolver
from stages.licences.notices import notices_of_files
from stages.licences.places import as_text
from stages.licences.settings import Settings
from stages.licences.spread import stated

INSPECTED = pa.schema([("id", pa.string()), ("spdx", pa.string()), ("class", pa.string()), ("evidence", pa.string())])


def inspect(files: pa.Table, settings: Settings | None = None, *, resolver: Resolver | None = None) -> pa.Table:
    """INSPECTED of `files` with columns id (string), path (string or binary) and content (binary)."""
    paths = pc.cast(files["path"], pa.binary()).combine_chunks()
    texts = decode(pc.cast(files["content"], pa.large_binary()).combine_chunks())["text"]
    keys = [sha256_bytes(str(at).encode()) for at in range(files.num_rows)]  # rows, not contents: names matter
    manifest = pc.fill_null(pc.equal(licence_kind(paths), "manifest"), fill_value=False)
    kinds = pc.if_else(manifest, "manifest", "licenses_folder")  # the latter is read whole, whatever it bundles
    table = pa.table({"sha1_git": keys, "path": paths, "kind": kinds, "text": texts})
    notices = notices_of_files(table, settings=settings)
    detections = resolver(notices) if resolver else detect(notices, settings=settings)
    by_row: dict[str, list[dict[str, object]]] = {}
    names = dict(zip(keys, as_text(frame(pa.table({"path": paths}))["path"]), strict=True))
    for entry in stated(frame(notices), frame(detections)).to_dicts():
        if entry["status"] in (DETECTED, INVALID, UNKNOWN, TIMED_OUT):
            by_row.setdefault(entry["sha1_git"], []).append(entry | {"path": names[entry["sha1_git"]]})
    found = [by_row.get(key, []) for key in keys]
    whole = [
        spdx.conjunction(str(entry["expression"]) for entry in entries if entry["expression"]) for entries in found
    ]
    late = [any(entry["status"] == TIMED_OUT for entry in entries) for entries in found]
    classes = [
        spdx.NON_PERMISSIVE if slow else spdx.licence_class(text) for slow, text in zip(late, whole, strict=True)
    ]
    evidence = [evidence_of(entries) for entries in found]
    columns = [
        pc.cast(files["id"], pa.string()),
        pa.array(whole, pa.string()),
        pa.array(classes),
        pa.array(evidence, pa.string()),
    ]
    return pa.table(columns, schema=INSPECTED)
