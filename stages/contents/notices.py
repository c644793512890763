"""Notices inside a task: detected by the service, with what people said of them in their place, and kept for review.

Both waves over bytes use it. Input part `overrides` (`licences.OVERRIDES`) is there when the recipe has any; output
`notices` (`licences.NOTICES_KEPT`) holds each distinct notice of the task once, its text redacted as contents are.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from foundation.frames import arrow, frame
from foundation.tasks import Task
from stages import licences, redaction
from stages.contents.batch import flat

_PRIVATE_KEY = r"PRIVATE KEY(?: BLOCK)?\b|PuTTY-User-Key-File"


def resolved(task: Task, notices: pa.Table) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(DETECTIONS of `notices` with `reviewed` applied, NOTICES_KEPT); the service sees each notice once."""
    rows = frame(notices).unique("notice", keep="first", maintain_order=True).sort("notice")
    detections = frame(task.service("licences")(rows.to_arrow(compat_level=pl.CompatLevel.oldest())))
    overrides = frame(task.read("overrides").cast(licences.OVERRIDES)) if task.inputs.get("overrides") else None
    kept = licences.kept_notices(frame(notices), detections, overrides)
    settings = redaction.Settings.model_validate(task.params["redaction"])
    return licences.reviewed(detections, overrides), kept.with_columns(text=shown(kept["text"], settings))


def shown(texts: pl.Series, settings: redaction.Settings) -> pl.Series:
    """Notices' texts redacted; none for one with a private key, whose parts the normal form has put out of joint."""
    open_to_all = texts.set(texts.str.contains(_PRIVATE_KEY).fill_null(value=False), None)
    paths = pa.nulls(len(texts), pa.binary())
    redacted = redaction.redact(flat(open_to_all.to_arrow()).cast(pa.large_string()), paths, settings=settings)["text"]
    return pl.Series(texts.name, redacted.to_pylist(), dtype=pl.String)


def write_notices(task: Task, kept: pl.DataFrame | None) -> int:
    """Write the task's output `notices`; returns how many there are."""
    table = licences.NOTICES_KEPT.empty_table() if kept is None else arrow(kept, licences.NOTICES_KEPT)
    task.write("notices", table, licences.NOTICES_KEPT)
    return int(table.num_rows)
