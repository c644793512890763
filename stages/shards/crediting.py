"""Whose words a release's rows rest on, and the texts that must be handed on with them.

Tables: CREDITS, one row a statement that decided for rows of one origin and expression; WANTED, the hashes of the
licence texts that any of them lies in; `attribution` (foundation.schema.RELEASE_ATTRIBUTION) by a hash of the
origin; `licences` (RELEASE_LICENCES) by a hash of the text's hash.

Workers: `credit` (assembled rows → CREDITS by licence_origin), `find` (CREDITS ⨝ STATED_TEXTS → CREDITS by origin,
WANTED by text), `pick` (WANTED ⨝ the texts of licence files), `canonical` (SPDX ids → their texts), `list_attribution`
(one part of origins), `list_texts` (one part of texts).

Invariants: only rows that a release ships are credited, each with exactly one leading statement; a text is shipped
once, and if something in the release points at it or names its licence; what a header rests on is credited too, and
one header of many files is one row. Statements of opted-out places are not among the inputs, so their words and
names are nowhere. Evidence lists at most eight statements a row (`stages.licences.evidence`); so does this.
Cost: one pass over the rows' metadata (texts are not read), about 2 µs a row, 11 µs one with a header of its own; each
credit (about 300 bytes) is exchanged twice; each distinct licence text is written in the first wave and read once, the
wanted ones are exchanged.
Memory: one bucket.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from foundation import spdx
from foundation.canonical import sha256_bytes
from foundation.errors import InternalError
from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import RELEASE_ATTRIBUTION, RELEASE_LICENCES
from foundation.tables import RELEASE_ZSTD_LEVEL, read_table, write_groups
from foundation.tasks import Counts, Task
from stages.contents.statements import NOTICE_TEXTS, STATED_TEXTS
from stages.licences import canonical_text
from stages.licences.places import as_text
from stages.shards.assembling import ROWS

CREDITS = pa.schema([*RELEASE_ATTRIBUTION, ("own_path", pa.string())])  # own_path: of a header, a file that has it
WANTED = pa.schema([("text_sha256", pa.string())])
CREDIT_GROUP_ROWS = 4_096  # of attribution: what a reader of one repository decodes at least
TEXT_GROUP_ROWS = 512  # licence texts in a row group: some 5 MB
ORDER = ("origin", "licence_expression", "licence_source", "notice", "licence_origin", "licence_path")

_HEADER = "header"
_READ = ("origin", "path", "repo_name", "snapshot_id", "revision_id", "swhid", "length_bytes", "license_type",
         "licence_expression", "licence_source", "licence_evidence")  # fmt: skip
_SAID: dict[str, Any] = {"kind": pl.String, "notice": pl.String, "path": pl.String}
_DOCUMENT: dict[str, Any] = {**_SAID, "with": pl.List(pl.Struct(_SAID)), "copy": pl.Struct({"origin": pl.String})}
_EVIDENCE = pl.Struct({**_DOCUMENT, "path_licence": pl.Struct(_DOCUMENT)})
_SUMS = ("files", "bytes", "leading")
_STATE = ("repo_name", "snapshot_id", "revision_id", "anchor")
_KEY = (*ORDER, "license_type", "kind")


def credit(task: Task) -> Counts:
    """Worker: one part of assembled rows → `credits`, scattered by licence_origin; counts rows by `licence:<id>`."""
    parts = task.inputs["rows"]
    read = [read_table(Path(task.root, part.path), columns=list(_READ)) for part in parts]
    rows = frame(pa.concat_tables([pa.schema([ROWS.field(name) for name in _READ]).empty_table(), *read]))
    owed = merged(credited(rows))
    scatter(task, "credits", arrow(owed, CREDITS), CREDITS, key="licence_origin", buckets=_number(task, "buckets"))
    tally: Counts = {}
    for expression, count in rows.group_by("licence_expression").len().sort("licence_expression").iter_rows():
        for name in spdx.names(expression):
            tally[f"licence:{name}"] = tally.get(f"licence:{name}", 0) + count
    return {"credits": owed.height, **dict(sorted(tally.items()))}


def credited(rows: pl.DataFrame) -> pl.DataFrame:
    """CREDITS of release rows (columns `_READ`), one for each row and statement of its evidence."""
    alike = ["origin", "licence_expression", "license_type", "licence_source", "licence_evidence"]
    grouped = rows.group_by(alike).agg(
        pl.col("path").min().alias("own_path"),
        *(pl.col(name).first() for name in ("repo_name", "snapshot_id", "revision_id")),
        pl.col("swhid").str.extract(r";anchor=(swh:1:[a-z]{3}:[0-9a-f]{40})", 1).first().alias("anchor"),
        files=pl.len().cast(pl.Int64),
        bytes=pl.col("length_bytes").sum(),
    )
    evidence = grouped["licence_evidence"].str.json_decode(_EVIDENCE).alias("evidence")
    said = grouped.with_columns(evidence)
    document = pl.col("evidence")
    below = document.struct.field("path_licence")
    found = pl.concat(
        [
            _statements(said, document, leads=True),
            _statements(said.filter(below.struct.field("kind").is_not_null()), below, leads=False),
        ]
    )
    once = ["licence_evidence", *_KEY]  # however often a file says it
    distinct = found.unique(once, keep="first", maintain_order=True)
    return distinct.with_columns(
        text_sha256=pl.lit(None, pl.String), copyrights=pl.lit(None, pl.List(pl.String))
    ).select(CREDITS.names)


def _statements(rows: pl.DataFrame, document: pl.Expr, *, leads: bool) -> pl.DataFrame:
    """A row for each statement of the evidence `document`: its first, and those in `with`."""
    first = pl.struct(*(document.struct.field(name) for name in _SAID))
    others = document.struct.field("with").fill_null([])
    copied = document.struct.field("copy")
    listed = rows.with_columns(
        said=pl.concat_list(first, others),
        licence_origin=pl.when(copied.struct.field("origin").is_null() & copied.is_null())
        .then("origin")
        .otherwise(copied.struct.field("origin")),
    )
    numbered = listed.with_columns(at=pl.int_ranges(pl.col("said").list.len())).explode("said", "at")
    statement = {name: pl.col("said").struct.field(name) for name in _SAID}
    own = (pl.col("licence_source") == _HEADER).fill_null(value=False) & pl.lit(leads)
    return numbered.select(
        *(name for name in CREDITS.names if name in rows.columns and name != "own_path"),
        "licence_evidence",
        "licence_origin",
        notice=statement["notice"],
        kind=statement["kind"],
        licence_path=pl.when(~own & pl.col("licence_origin").is_not_null()).then(statement["path"]),
        own_path=pl.when(own).then("own_path"),
        leading=pl.when((pl.col("at") == 0) & pl.lit(leads)).then("files").otherwise(0).cast(pl.Int64),
    )


def merged(owed: pl.DataFrame) -> pl.DataFrame:
    """CREDITS with equal keys added up, in order."""
    said = [pl.col(name).first() for name in (*_STATE, "text_sha256", "copyrights")]
    sums = [pl.col(name).sum() for name in _SUMS]
    whole = owed.group_by(_KEY).agg(*said, *sums, pl.col("own_path").min())
    return whole.sort(*_KEY, nulls_last=True).select(CREDITS.names)


def find(task: Task) -> Counts:
    """Worker: one bucket of CREDITS and of STATED_TEXTS, by origin → `credits` by origin, `wanted` by text_sha256."""
    bucket = _number(task, "bucket")
    owed = frame(gather(task, "credits", bucket, CREDITS)).drop("text_sha256", "copyrights")
    stated = frame(gather(task, "stated", bucket, STATED_TEXTS))
    texts = stated.select(
        pl.col("origin").alias("licence_origin"),
        as_text(stated["path"]).alias("licence_path"),
        "text_sha256",
        "copyrights",
    ).unique(["licence_origin", "licence_path"], keep="first", maintain_order=True)
    found = owed.join(texts, on=["licence_origin", "licence_path"], how="left")
    wanted = found.select("text_sha256").drop_nulls().unique().sort("text_sha256")
    whole = merged(found.select(CREDITS.names))
    scatter(task, "credits", arrow(whole, CREDITS), CREDITS, key="origin", buckets=_number(task, "parts"))
    scatter(task, "wanted", arrow(wanted, WANTED), WANTED, key="text_sha256", buckets=_number(task, "buckets"))
    return {"credits": whole.height, "texts": wanted.height}


def list_attribution(task: Task) -> Counts:
    """Worker: one part of origins → `attribution`, as the release ships it."""
    owed = merged(frame(gather(task, "credits", _number(task, "part"), CREDITS)))
    shipped = owed.with_columns(licence_path=pl.coalesce("licence_path", "own_path"))
    ordered = shipped.sort(*_KEY, nulls_last=True)
    _write(task, "attribution", ordered, RELEASE_ATTRIBUTION, group_rows=CREDIT_GROUP_ROWS)
    return {"attribution": shipped.height, "leading": int(shipped["leading"].sum())}


def canonical(task: Task) -> Counts:
    """Worker: the canonical texts of the licences `ids` → `texts` (RELEASE_LICENCES), scattered by text_sha256."""
    asked: Any = task.params["ids"]
    found = [(str(name), canonical_text(str(name))) for name in asked]
    known = [(name, text) for name, text in found if text is not None]
    rows = pl.DataFrame(
        {
            "text_sha256": [sha256_bytes(text.encode()) for _, text in known],
            "kind": ["canonical"] * len(known),
            "licence": [name for name, _ in known],
            "copyrights": [None] * len(known),
            "text": [text for _, text in known],
        },
        schema=frame(RELEASE_LICENCES.empty_table()).schema,
    )
    table = arrow(rows, RELEASE_LICENCES)
    scatter(task, "texts", table, RELEASE_LICENCES, key="text_sha256", buckets=_number(task, "parts"))
    return {"texts": rows.height, "without": len(found) - len(known)}


def pick(task: Task) -> Counts:
    """Worker: one bucket of WANTED and of licence files' texts → `texts` (RELEASE_LICENCES), by text_sha256."""
    bucket = _number(task, "bucket")
    wanted = frame(gather(task, "wanted", bucket, WANTED)).unique()
    texts = frame(gather(task, "texts", bucket, NOTICE_TEXTS)).unique("text_sha256", keep="first", maintain_order=True)
    found = texts.join(wanted, on="text_sha256", how="semi")
    if found.height != wanted.height:
        lost = wanted.join(found, on="text_sha256", how="anti").sort("text_sha256")
        raise InternalError(f"{lost.height} licence texts are lost, e.g. {lost['text_sha256'][0]}")
    named = arrow(found.with_columns(kind=pl.lit("found"), licence=pl.lit(None, pl.String)), RELEASE_LICENCES)
    scatter(task, "texts", named, RELEASE_LICENCES, key="text_sha256", buckets=_number(task, "parts"))
    return {"found": found.height}


def list_texts(task: Task) -> Counts:
    """Worker: one part of texts, found and canonical → `licences`, as the release ships it."""
    rows = frame(gather(task, "texts", _number(task, "part"), RELEASE_LICENCES))
    ordered = rows.sort("text_sha256", "kind", "licence", nulls_last=True)
    _write(task, "licences", ordered, RELEASE_LICENCES, group_rows=TEXT_GROUP_ROWS)
    return {"texts": rows.height}


def _write(task: Task, output: str, rows: pl.DataFrame, schema: pa.Schema, *, group_rows: int) -> None:
    groups = (arrow(rows.slice(start, group_rows), schema) for start in range(0, rows.height, group_rows))
    write_groups(task.output_path(output), groups, schema, level=RELEASE_ZSTD_LEVEL)


def _number(task: Task, name: str) -> int:
    return int(str(task.params[name]))
