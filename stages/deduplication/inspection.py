"""`inspect duplicates`: the flow's own functions on a table of your files.

Input `id` (string, unique), `path`, `content` (binary). Output one row an input row, in its order:
`id`, `cluster` (smallest id of its cluster; null when alone), `representative` (id of the content that
stays; its own when it stays), `jaccard` (exact, with the representative; 1.0 for an exact duplicate;
null when it stays). Of similar rows the first by (path, id) stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from foundation import tables
from foundation.errors import UsageError
from foundation.frames import frame
from foundation.tasks import Outcome, Part, Runner, Task, finished, perform
from stages.deduplication.components import contract
from stages.deduplication.exact import exact_duplicates
from stages.deduplication.near import search
from stages.deduplication.schemas import CANDIDATES, EXACT, NEAR, PAIRS, TEXTS
from stages.deduplication.settings import Settings
from stages.deduplication.signing import sign
from stages.deduplication.steps import Flow

INSPECTED = pa.schema(
    [("id", pa.string()), ("cluster", pa.string()), ("representative", pa.string()), ("jaccard", pa.float64())]
)


def inspect(table: pa.Table, settings: Settings, *, run: Runner | None = None, root: str = "") -> pa.Table:
    """INSPECTED rows for (id, path, content); work files go to `root`, or a temporary folder.

    UsageError names a missing column, a null or a repeated id.
    """
    return inspect_pairs(table, settings, run=run, root=root, pairs=False)[0]


def inspect_pairs(
    table: pa.Table, settings: Settings, *, run: Runner | None = None, root: str = "", pairs: bool = True
) -> tuple[pa.Table, pa.Table]:
    """`inspect`'s rows, and PAIRS (a < b, exact Jaccard ≥ threshold) of distinct contents.

    An exact duplicate is in no pair of its own: its representative speaks for it.
    """
    rows = _checked(table)
    with contextlib.ExitStack() as stack:
        folder = root or stack.enter_context(tempfile.TemporaryDirectory(prefix="gristmill-inspect-"))
        runner = run or in_process
        candidates, texts = _write_inputs(rows, settings, folder)
        exact = exact_duplicates(runner, root=folder, folder="work", candidates=(candidates,))
        found = search(
            Flow(runner, folder, "work"),
            settings,
            candidates=(candidates,),
            texts=(texts,),
            excluded=exact,
            pairs=pairs,
        )
        return _report(rows, _read(folder, exact, EXACT), _read(folder, found.near, NEAR)), _read(
            folder, found.pairs, PAIRS
        ).sort("a", "b").to_arrow().cast(PAIRS)


def final_kept(exact: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """(sha1_git, kept, jaccard, reason) of every removed content, from all EXACT and NEAR rows.

    An exact duplicate of a content that is itself a near duplicate names the one that stays in the end,
    with the same Jaccard: their texts are equal.
    """
    removed = near.filter(pl.col("kept").is_not_null()).select("sha1_git", "kept", "jaccard")
    onward = removed.select(kept="sha1_git", final="kept", jaccard="jaccard")
    followed = exact.join(onward, on="kept", how="left")
    copies = followed.select(
        "sha1_git",
        kept=pl.coalesce("final", "kept"),
        jaccard=pl.coalesce("jaccard", pl.lit(1.0)),
        reason=pl.lit("exact_duplicate"),
    )
    return pl.concat([copies, removed.with_columns(reason=pl.lit("near_duplicate"))]).sort("sha1_git")


def in_process(stage: str, tasks: Sequence[Task]) -> list[Outcome]:  # noqa: ARG001
    """The simplest Runner: one task after another, finished ones re-used."""
    return [finished(task) or perform(task) for task in tasks]


def _checked(table: pa.Table) -> pa.Table:
    missing = [column for column in ("id", "path", "content") if column not in table.column_names]
    if missing:
        raise UsageError(f"input lacks columns {missing}", hint="expected id, path, content (binary)")
    rows = pa.table(
        {
            "id": table["id"].cast(pa.string()),
            "path": table["path"].cast(pa.binary()),
            "content": table["content"].cast(pa.large_binary()),
        }
    )
    ids = frame(rows.select(["id"]))["id"]
    if ids.null_count() or rows["content"].null_count:
        raise UsageError("input has a null id or content", hint="give every row an id and its bytes")
    repeated = ids.filter(ids.is_duplicated())
    if repeated.len():
        raise UsageError(f"id {repeated.min()!r} occurs more than once", hint="ids must be unique")
    return rows


def _write_inputs(rows: pa.Table, settings: Settings, folder: str) -> tuple[Part, Part]:
    """One CANDIDATES and one TEXTS part; bytes that are not UTF-8 separate tokens, as any non-word byte."""
    contents: list[bytes] = rows["content"].to_pylist()
    texts = pa.array([content.decode("utf-8", "replace") for content in contents], pa.large_string())
    zeros = np.zeros(rows.num_rows, dtype=np.int64)
    signed = sign(texts, settings)
    candidates = pa.table(
        {
            "sha1_git": rows["id"],
            "text_sha256": pa.array([hashlib.sha256(content).hexdigest() for content in contents]),
            "signature": signed["signature"],
            "shingles": signed["shingles"],
            "rank_licence": pa.array(zeros, pa.int8()),
            **{name: pa.array(zeros) for name in ("rank_stars", "rank_forks", "rank_first_seen")},
            "rank_path": rows["path"],
            "text_part": pa.array(zeros, pa.int32()),
        }
    )
    return (
        _write(folder, "candidates", candidates, CANDIDATES),
        _write(folder, "texts", pa.table({"sha1_git": rows["id"], "text": texts}), TEXTS),
    )


def _write(folder: str, name: str, table: pa.Table, schema: pa.Schema) -> Part:
    written = tables.write_table(Path(folder, f"{name}.parquet"), table, schema)
    return Part(f"{name}.parquet", written.sha256, written.rows, written.bytes)


def _read(folder: str, parts: Sequence[Part], schema: pa.Schema) -> pl.DataFrame:
    found = (tables.read_table(Path(folder, part.path)) for part in parts)
    return frame(pa.concat_tables([schema.empty_table(), *found]))


def _report(rows: pa.Table, exact: pl.DataFrame, near: pl.DataFrame) -> pa.Table:
    links = pl.concat(
        [
            exact.select(node="sha1_git", other="kept"),
            near.select(node="sha1_git", other="cluster"),
        ]
    )
    stars = contract(links)
    centres = stars.select(id="other", cluster="other").unique()
    clusters = pl.concat([stars.select(id="node", cluster="other"), centres])
    kept = final_kept(exact, near).select("sha1_git", "kept", "jaccard")
    ids = frame(rows.select(["id"]))
    joined = ids.join(clusters, on="id", how="left", maintain_order="left").join(
        kept, left_on="id", right_on="sha1_git", how="left", maintain_order="left"
    )
    out = joined.select("id", "cluster", representative=pl.coalesce("kept", "id"), jaccard="jaccard")
    return out.to_arrow().cast(INSPECTED)
