"""What a release holds of each path: its own row, another occurrence's, a duplicate's, or nothing and why.

Tables:
- SOUGHT: one row a content dropped as a duplicate, with the content that stays instead;
- POINTERS: the same, with the origin of the release row that stands for it;
- `paths` (foundation.schema.RELEASE_PATHS) and `repositories` (RELEASE_REPOSITORIES), one part a hash of the origin.

Workers: `spread` (rows of a known table → bucket files by another key), `seek` (decisions → SOUGHT by kept), `resolve`
(SOUGHT → POINTERS by content), `point` (occurrences → RELEASE_PATHS by origin), `list_part` (one part of origins → both
tables). Invariants: every release row is the `row` of exactly one path; a pointer names a row of this release;
`exact_duplicate` means the same redacted text, `near_duplicate` a verified Jaccard; a file without bytes needs no row
(`empty`); a path that an exclusion covers is not listed, whatever else is true of it; neither is a repository of which
the release holds no row.
Cost: each duplicate content (about 150 bytes) is exchanged twice, each occurrence (about 300 bytes) once.
Memory: one bucket (`point`: about 1.2 kB an occurrence); `list_part`: one part (700 bytes a path), or the largest
repository.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from foundation.errors import IntegrityError, InternalError
from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import (
    DECISIONS,
    NOT_FILES,
    PRESENT_VIAS,
    RELEASE_PATHS,
    RELEASE_REPOSITORIES,
    REPOSITORIES,
)
from foundation.swhid import EMPTY_BLOB
from foundation.tables import RELEASE_ZSTD_LEVEL, write_groups
from foundation.tasks import Counts, Task
from stages.catalog import KNOWN_ALIASES, exclusions_of
from stages.contents.schemas import PLACED
from stages.deduplication import EXACT
from stages.optout import excluded_occurrences

SOUGHT = pa.schema([("sha1_git", pa.string()), ("via", pa.string()), ("kept", pa.string()), ("jaccard", pa.float64())])
POINTERS = pa.schema([*SOUGHT, ("kept_origin", pa.string())])
ORDER = ("origin", "path", "content_id", "mode")
GROUP_ROWS = 16_384  # of a released table: what a reader of one repository decodes at least

_SLICE_ROWS = 1 << 18  # occurrences joined at once
_SCHEMAS = {"EXACT": EXACT, "REPOSITORIES": REPOSITORIES}
_SYMLINK = "symlink"


def spread(task: Task) -> Counts:
    """Worker: one part of the table that `schema` names → `rows`, scattered by the parameter `key`."""
    schema = _SCHEMAS[str(task.params["schema"])]
    rows = task.read("rows").cast(schema)
    scatter(task, "rows", rows, schema, key=str(task.params["key"]), buckets=_number(task, "buckets"))
    return {"rows": rows.num_rows}


def seek(task: Task) -> Counts:
    """Worker: the decisions and EXACT rows of one bucket → `sought` (SOUGHT), scattered by kept.

    A copy of a near duplicate resembles the kept one as its twin does: only the twin that stays has the same text.
    """
    duplicates = _decisions(task, "sha1_git", "kept", "jaccard").filter(pl.col("kept").is_not_null())
    twins = frame(gather(task, "exact", _number(task, "bucket"), EXACT)).select("sha1_git", twin="kept")
    same = (pl.col("twin") == pl.col("kept")).fill_null(value=False)
    sought = duplicates.join(twins, on="sha1_git", how="left").select(
        "sha1_git",
        via=pl.when(same).then(pl.lit("exact_duplicate")).otherwise(pl.lit("near_duplicate")),
        kept="kept",
        jaccard=pl.when(same).then(pl.lit(1.0)).otherwise(pl.col("jaccard")),
    )
    scatter(task, "sought", arrow(sought, SOUGHT), SOUGHT, key="kept", buckets=_number(task, "buckets"))
    return {"duplicates": sought.height}


def resolve(task: Task) -> Counts:
    """Worker: one bucket of SOUGHT, by kept, and its decisions → `pointers` (POINTERS), scattered by sha1_git."""
    sought = frame(gather(task, "sought", _number(task, "bucket"), SOUGHT))
    kept = _decisions(task, "sha1_git", "origin", "verdict").filter(pl.col("verdict") == "kept")
    found = sought.join(kept.select(kept="sha1_git", kept_origin="origin"), on="kept", how="inner")
    if found.height != sought.height:
        lost = sought.join(found, on="sha1_git", how="anti").sort("sha1_git").row(0, named=True)
        raise InternalError(f"{lost['sha1_git']} duplicates {lost['kept']}, which is not kept")
    scatter(task, "pointers", arrow(found, POINTERS), POINTERS, key="sha1_git", buckets=_number(task, "buckets"))
    return {"pointers": found.height}


def point(task: Task) -> Counts:
    """Worker: the occurrences, decisions and pointers of one bucket → `paths` (RELEASE_PATHS), scattered by origin."""
    bucket = _number(task, "bucket")
    columns = ["origin", "path", "mode", "sha1_git", "reason", "path_redactions"]
    occurrences = frame(gather(task, "placed", bucket, PLACED, columns=columns))
    decisions = _decisions(task, "sha1_git", "origin", "path", "verdict", "reason")
    pointers = frame(gather(task, "pointers", bucket, POINTERS))
    slices = (occurrences.slice(start, _SLICE_ROWS) for start in range(0, occurrences.height, _SLICE_ROWS))
    found = [arrow(pointed(rows, decisions, pointers), RELEASE_PATHS) for rows in slices]
    counts = {"occurrences": occurrences.height, "paths": sum(table.num_rows for table in found)}
    del occurrences, decisions, pointers
    rows = pa.concat_tables([RELEASE_PATHS.empty_table(), *found])
    scatter(task, "paths", rows, RELEASE_PATHS, key="origin", buckets=_number(task, "parts"))
    return counts


def pointed(occurrences: pl.DataFrame, decisions: pl.DataFrame, pointers: pl.DataFrame) -> pl.DataFrame:
    """RELEASE_PATHS rows of `occurrences`; those whose reason is an opt-out are left out.

    `decisions` hold every content of the occurrences (InternalError otherwise), `pointers` every duplicate among them.
    Occurrences without the column `path_redactions` have paths in which nothing was replaced.
    A symbolic link is no copy of the file whose text its target happens to be.
    """
    known = decisions.select(
        "sha1_git", "verdict", row_origin="origin", row_path="path", decided=pl.col("reason").fill_null("unexplained")
    )
    open_to_all = pl.col("reason").fill_null("").str.starts_with("opted_out").not_()
    joined = (
        occurrences.filter(open_to_all)
        .join(known, on="sha1_git", how="left", maintain_order="left")
        .join(pointers, on="sha1_git", how="left", maintain_order="left")
    )
    is_file = pl.col("reason").fill_null("").is_in([*NOT_FILES, _SYMLINK]).not_()
    undecided = joined.filter(is_file & pl.col("verdict").is_null())
    if undecided.height:
        raise InternalError(f"{undecided.height} occurrences have no decision, e.g. of {undecided['sha1_git'][0]}")
    kept = is_file & (pl.col("verdict") == "kept")
    own = (pl.col("origin") == pl.col("row_origin")) & (pl.col("path") == pl.col("row_path"))
    empty = is_file & ~kept & (pl.col("sha1_git") == EMPTY_BLOB)
    leans = is_file & ~empty
    return joined.select(
        "origin",
        "path",
        "mode",
        content_id="sha1_git",
        via=pl.when(kept & own)
        .then(pl.lit("row"))
        .when(kept)
        .then(pl.lit("identical"))
        .when(empty)
        .then(pl.lit("empty"))
        .when(leans)
        .then(pl.col("via")),
        kept=pl.when(kept).then(pl.col("sha1_git")).when(leans).then(pl.col("kept")),
        kept_origin=pl.when(kept).then(pl.col("row_origin")).when(leans).then(pl.col("kept_origin")),
        jaccard=pl.when(kept).then(pl.lit(1.0)).when(leans).then(pl.col("jaccard")),
        reason=pl.coalesce("reason", "decided"),
        path_redactions="path_redactions" if "path_redactions" in joined.columns else pl.lit(None),
    ).with_columns(reason=pl.when(pl.col("via").is_null()).then(pl.col("reason")))


def list_part(task: Task) -> Counts:
    """Worker: one part of origins → `paths` and `repositories`, as the release ships them; counts paths by via.

    The opt-out gate looks at every path again. IntegrityError when a repository of a path is unknown.
    """
    part = _number(task, "part")
    states = frame(gather(task, "repositories", part, REPOSITORIES))
    every = frame(gather(task, "paths", part, RELEASE_PATHS))
    rows = not_excluded(task, every, states)
    rows = rows.filter(pl.col("kept").is_not_null().any().over("origin")).sort(*ORDER)
    repositories = summaries(rows, states)
    if repositories.height != rows["origin"].n_unique():
        raise IntegrityError(
            f"part {part} lists paths of {rows['origin'].n_unique()} origins, {repositories.height} of them known",
            hint="remove the build folder and build again",
        )
    _write(task, "paths", rows, RELEASE_PATHS)
    _write(task, "repositories", repositories, RELEASE_REPOSITORIES)
    tally = rows.group_by(pl.col("via").fill_null("none")).len().sort("via")
    return {"paths": rows.height, "repositories": repositories.height, **dict(tally.iter_rows())}


def not_excluded(task: Task, rows: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """`rows` (RELEASE_PATHS) without those that an exclusion of this build covers."""
    exclusions = exclusions_of(task)
    if exclusions is None:
        return rows
    known = frame(task.read("aliases").cast(KNOWN_ALIASES)) if task.inputs["aliases"] else None
    named = rows.select("origin", "path", sha1_git="content_id")
    verdicts = excluded_occurrences(named, states, exclusions, known=known)
    return rows.filter(verdicts["reason"].is_null())


def summaries(rows: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """RELEASE_REPOSITORIES of the origins in `rows` (RELEASE_PATHS), by origin; `states` are REPOSITORIES."""
    counted = rows.group_by("origin").agg(
        files=pl.col("reason").fill_null("").is_in(list(NOT_FILES)).not_().sum().cast(pl.Int64),
        present=pl.col("via").is_in(list(PRESENT_VIAS)).sum().cast(pl.Int64),
        resembled=(pl.col("via") == "near_duplicate").sum().cast(pl.Int64),
    )
    named = states.select(
        "origin",
        "repo_name",
        "visit_date",
        "anchor",
        snapshot_id="snapshot",
        branch_name="branch",
        revision_id="revision",
        directory_id="root",
    )
    return counted.join(named, on="origin", how="inner").sort("origin").select(RELEASE_REPOSITORIES.names)


def _decisions(task: Task, *columns: str) -> pl.DataFrame:
    """The chosen columns of the bucket's decisions; none when the bucket has none."""
    schema = pa.schema([DECISIONS.field(name) for name in columns])
    if not task.inputs["decisions"]:
        return frame(schema.empty_table())
    return frame(task.read("decisions", columns=list(columns)).cast(schema))


def _write(task: Task, output: str, rows: pl.DataFrame, schema: pa.Schema) -> None:
    groups: Iterator[pa.Table] = (
        arrow(rows.slice(start, GROUP_ROWS), schema) for start in range(0, rows.height, GROUP_ROWS)
    )
    write_groups(task.output_path(output), groups, schema, level=RELEASE_ZSTD_LEVEL)


def _number(task: Task, name: str) -> int:
    return int(str(task.params[name]))
