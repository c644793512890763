"""Licence headers inside the pass: found, resolved once a build, and weighed against what the path says."""

from __future__ import annotations

import dataclasses

import polars as pl
import pyarrow as pa

from foundation.frames import frame
from foundation.tasks import Task
from stages import licences
from stages.contents.batch import Batch, binary_column
from stages.contents.choosing import LICENCE_COLUMNS
from stages.contents.notices import resolved
from stages.contents.schemas import CLASS_RANK
from stages.contents.witnesses import set_aside, with_copy_heard, with_header_heard


def with_header_licences(task: Task, batch: Batch) -> Batch:
    """`batch` with the licence that holds for each content; those that its policy does not let pass are refused."""
    settings = licences.Settings.model_validate(task.params["licences"])
    batch = dataclasses.replace(batch, rows=with_copy_heard(batch.rows))
    found = licences.notices_of_headers(
        pa.table(
            {
                "sha1_git": batch.rows["sha1_git"].to_arrow(),
                "path": binary_column(batch.rows, "path"),
                "text": batch.texts,
                "language": batch.rows["language"].to_arrow(),
            }
        ),
        settings=settings,
    )
    path_licences = batch.rows.select("sha1_git", "path", *LICENCE_COLUMNS, own_licence=pl.lit(value=False))
    if found.num_rows:
        detections, kept = resolved(task, found)
        batch = dataclasses.replace(batch, notices=kept)
        path_licences = licences.with_headers(path_licences, frame(found), detections)
    final = batch.rows.select("sha1_git").join(path_licences, on="sha1_git", how="left", maintain_order="left")
    rank = pl.col("licence_class").replace_strict(CLASS_RANK, default=2, return_dtype=pl.Int8)
    rows = (
        batch.rows.drop(LICENCE_COLUMNS)
        .hstack(final.select(*LICENCE_COLUMNS, "own_licence"))
        .with_columns(rank_licence=rank)
    )
    if settings.compare_copies == "body":
        rows = with_header_heard(rows)
    judged = licences.judged(rows, settings)
    witnesses = set_aside(rows, batch.texts, judged) if settings.seeks_witnesses else None
    return dataclasses.replace(batch, rows=rows, witnesses=witnesses).refuse(licences.NAME, judged)
