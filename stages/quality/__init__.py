"""Quality: the file rules of The Stack v2 as signals (`measure`) and thresholds over them (`refuse`).

Columns and their meaning: `stages/quality/signals.py`; thresholds by language: `thresholds.toml`; reason
codes in the order in which they are tried: REASONS.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from foundation.frames import frame
from stages.decoding import decode
from stages.languages import classify
from stages.quality.limits import LIMITS
from stages.quality.rules import refuse
from stages.quality.settings import NAME, REASONS, VERSION, Settings
from stages.quality.signals import SIGNALS, measure

__all__ = ["INSPECTED", "LIMITS", "NAME", "REASONS", "SIGNALS", "VERSION", "Settings", "inspect", "measure", "refuse"]

INSPECTED = pa.schema([("id", pa.string()), ("language", pa.string()), *SIGNALS, ("reason", pa.string())])


def inspect(files: pa.Table, settings: Settings | None = None) -> pa.Table:
    """INSPECTED for `files` with columns id (string), path (string or binary) and content (binary), row by row.

    A binary content has null signals and the reason `binary`, which is decoding's, not a quality rule.
    """
    decoded = decode(pc.cast(files["content"], pa.large_binary()).combine_chunks())
    texts = decoded["text"].combine_chunks()
    paths = pc.cast(files["path"], pa.binary()).combine_chunks()
    classes = classify(paths, texts)
    signals = measure(texts, classes["language"])
    rows = pl.concat(
        [frame(signals), frame(classes).with_columns(path=pl.Series(paths.to_pylist(), dtype=pl.Binary))],
        how="horizontal",
    )
    reasons = pl.when(frame(decoded)["binary"]).then(pl.lit("binary")).otherwise(refuse(rows, settings)["reason"])
    return pa.table(
        [
            pc.cast(files["id"], pa.string()),
            classes["language"],
            *signals.columns,
            pl.select(reasons).to_series().to_arrow().cast(pa.string()),
        ],
        schema=INSPECTED,
    )
