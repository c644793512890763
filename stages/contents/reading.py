"""The one pass over bytes: fetch, verify, decode, classify, measure, find headers, redact, sign.

Worker `read`: one row group of WORK → `contents` (CONTENTS, order of the work), `candidates`
(deduplication's CANDIDATES, the kept ones), `verdicts` (VERDICTS, scattered by sha1_git), `copies` (TEXT_COPIES,
scattered by text_sha256; see `witnesses`) and `notices` (see `notices`).
Cheap tests come first and a content that one of them refuses goes no further: nothing that the recipe cannot
keep is signed, and none of it is redacted but the witnesses, for the hash of their text alone.
Text never leaves the process between the steps.
Memory: one row group of raw bytes (GROUP_BYTES, or one content if that is longer) times about six.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable

import polars as pl
import pyarrow as pa

from foundation.exchange import scatter
from foundation.frames import arrow, frame
from foundation.tasks import Counts, Task
from stages import decoding, deduplication, languages, licences, quality, redaction
from stages.catalog.sources import store_of
from stages.contents.batch import Batch, binary_column, flat
from stages.contents.fetching import fetch_contents
from stages.contents.headers import with_header_licences
from stages.contents.notices import write_notices
from stages.contents.schemas import CONTENTS, TEXT_COPIES, VERDICTS, WORK
from stages.contents.witnesses import text_copies

STAGE = "contents"


def read(task: Task) -> Counts:
    """Worker: one row group of work through the whole pass (see the module)."""
    batch = begin(task)
    for _, step in STEPS:
        batch = step(task, batch)
    return finish(task, batch)


def begin(task: Task) -> Batch:
    """The task's work, nothing fetched yet."""
    rows = frame(task.read("work").cast(WORK)).with_row_index("at").cast({"at": pl.Int64})
    return Batch(rows, pa.array([""] * rows.height, pa.large_string()))


def fetched_text(task: Task, batch: Batch) -> Batch:
    """Bytes fetched, verified and decoded; what is missing, damaged or binary is refused."""
    fetched = fetch_contents(store_of(task.context), batch.rows, max_bytes=int(str(task.params["max_bytes"])))
    batch = batch.refuse(STAGE, frame(fetched.select(["problem"]).rename_columns(["reason"])))
    data = flat(fetched["data"]).take(batch.rows["at"].to_arrow())
    decoded = decoding.decode(data)
    batch = dataclasses.replace(batch, texts=flat(decoded["text"])).with_columns(
        decoded.select(["encoding", "encoding_confidence"])
    )
    binary = pl.when(pl.Series(decoded["binary"].to_pylist(), dtype=pl.Boolean)).then(pl.lit("binary"))
    return batch.refuse(STAGE, batch.rows.select(reason=binary))


def classified(task: Task, batch: Batch) -> Batch:
    """Language, vendored and generated flags."""
    settings = languages.Settings.model_validate(task.params["languages"])
    batch = batch.with_columns(
        languages.classify(binary_column(batch.rows, "path"), batch.texts, min_confidence=settings.min_confidence)
    )
    return batch.refuse(languages.NAME, languages.refuse(batch.rows, settings))


def measured(task: Task, batch: Batch) -> Batch:
    """Quality signals, and the thresholds over them."""
    settings = quality.Settings.model_validate(task.params["quality"])
    signals = quality.measure(batch.texts, flat(batch.rows["language"].to_arrow()).cast(pa.string()))
    batch = batch.with_columns(signals)
    return batch.refuse(quality.NAME, quality.refuse(batch.rows, settings))


def redacted(task: Task, batch: Batch) -> Batch:
    """Secrets and personal data replaced; the text that is left is what a release ships."""
    settings = redaction.Settings.model_validate(task.params["redaction"])
    result = redaction.redact(batch.texts, binary_column(batch.rows, "path"), settings=settings)
    texts = flat(result["text"]).cast(pa.large_string())
    hashed = [hashlib.sha256(text.as_buffer() or b"").hexdigest() for text in texts]
    named = pa.table({"redactions": result["redactions"], "text_sha256": pa.array(hashed, pa.string())})
    return dataclasses.replace(batch, texts=texts).with_columns(named)


def witnessed(task: Task, batch: Batch) -> Batch:
    """The witnesses' texts redacted and hashed as the others were, so that a copy of one is known."""
    if batch.witnesses is None or not batch.witnesses.rows.height:
        return batch
    return dataclasses.replace(batch, witnesses=redacted(task, batch.witnesses))


def finish(task: Task, batch: Batch) -> Counts:
    """Sign what is left and write the outputs; returns the counts."""
    part, buckets = int(str(task.params["part"])), int(str(task.params["buckets"]))
    kept = batch.with_columns(pa.table({"text": batch.texts}))
    rows = kept.finish(columns=["at", *CONTENTS.names]).sort("at")
    task.write("contents", arrow(rows, CONTENTS), CONTENTS)
    settings = deduplication.Settings.model_validate(task.params["deduplication"])
    signed = deduplication.sign(batch.texts, settings)
    candidates = _candidates(batch.rows.hstack(frame(signed)), part)
    table = arrow(candidates, deduplication.CANDIDATES)
    task.write("candidates", table, deduplication.CANDIDATES, plain=("signature",))
    verdicts = rows.with_columns(part=pl.lit(part), bytes=pl.col("text").str.len_bytes().fill_null(0).cast(pl.Int64))
    scatter(task, "verdicts", arrow(verdicts, VERDICTS), VERDICTS, key="sha1_git", buckets=buckets)
    compared = licences.Settings.model_validate(task.params["licences"]).compare_copies
    copies = text_copies(batch, part=part, bodies=compared == "body")
    scatter(task, "copies", copies, TEXT_COPIES, key="text_key", buckets=buckets)
    write_notices(task, batch.notices)
    return {
        "read": rows.height,
        "kept": batch.rows.height,
        "witnesses": batch.witnesses.rows.height if batch.witnesses else 0,
        "raw_bytes": int(rows["length"].sum()),
        "text_bytes": int(verdicts["bytes"].sum()),
    }


STEPS: tuple[tuple[str, Callable[[Task, Batch], Batch]], ...] = (
    ("fetch and decode", fetched_text),
    ("languages", classified),
    ("quality", measured),
    ("licence headers", with_header_licences),
    ("redaction", redacted),
    ("witnesses", witnessed),
)


def _candidates(rows: pl.DataFrame, part: int) -> pl.DataFrame:
    return rows.with_columns(rank_path="path", text_part=pl.lit(part)).select(deduplication.CANDIDATES.names)
