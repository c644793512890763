"""Copies that are the same text only after redaction: somebody changes the author's address in a GPL file and puts it
into an MIT repository. The bytes differ, the text that a release would ship does not.

A *witness* is a content that the pass over bytes refuses for the licence of its paths. It is redacted and hashed as if
it were kept, and leaves with the kept ones as TEXT_COPIES; no text of it is written. Worker `weigh`: one bucket of
texts → `refused` (REFUSED, scattered by sha1_git) and `yielding` (YIELDING).

With `earliest_origin` a content is refused when the earliest dated copy of its text is non-permissive and strictly
earlier than it; with `any_copy` when any copy is non-permissive. Where the recipe's policy lets that copy's licence
pass, nothing is refused: then the later copy may not represent the text and goes as an exact duplicate.

Invariants: a content whose header alone settles its licence takes no part, neither as witness nor as refused, since the
same header stands in every copy. What was not read to its end (opted out, a path, language or quality rule, no licence,
headers read only `where_path_allows`) is no witness. The answer depends on the set of rows, never on their partition.
Cost: one row a content that is kept or a witness, written and read once. Memory: one bucket.
"""

from __future__ import annotations

import dataclasses

import polars as pl
import pyarrow as pa

from foundation.exchange import buckets_present, gather, scatter
from foundation.frames import arrow, frame
from foundation.tasks import Counts, Part, Runner, Task, parts_of
from stages import licences
from stages.contents.batch import Batch
from stages.contents.copies import NON_PERMISSIVE, naming_copy
from stages.contents.schemas import CLASS_RANK, COPY, REFUSED, TEXT_COPIES, UNKNOWN_DATE, VERSION, YIELDING


@dataclasses.dataclass(frozen=True)
class Weighed:
    """REFUSED parts, of contents that a witness refuses, and YIELDING parts, of those that may not stand for a text."""

    refused: tuple[Part, ...] = ()
    yielding: tuple[Part, ...] = ()


def weigh_copies(
    run: Runner, *, root: str, copies: tuple[Part, ...], settings: licences.Settings, buckets: int
) -> Weighed:
    """What copies of the same redacted text do to each other; `copies` are TEXT_COPIES parts of `buckets` buckets."""
    tasks = [
        Task(
            worker="stages.contents.witnesses:weigh",
            version=VERSION,
            root=root,
            folder="licences/copies",
            partition=f"{bucket:05d}",
            outputs=("refused", "yielding"),
            inputs={"copies": copies},
            params={"bucket": bucket, "buckets": buckets, "licences": settings.params()},
        )
        for bucket in buckets_present(root, copies)
    ]
    outcomes = run("licences: copies", tasks)
    return Weighed(parts_of(outcomes, "refused"), parts_of(outcomes, "yielding"))


def weigh(task: Task) -> Counts:
    """Worker: see the module."""
    bucket, buckets = int(str(task.params["bucket"])), int(str(task.params["buckets"]))
    settings = licences.Settings.model_validate(task.params["licences"])
    rows = frame(gather(task, "copies", bucket, TEXT_COPIES))
    found = overruled(rows, settings.copies)
    failing = licences.failing_tests(found, settings, expression="copy_expression", of_class="copy_class")
    freer = pl.col("licence_class") != NON_PERMISSIVE
    found = found.with_columns(failing=failing).filter(freer | pl.col("failing").is_not_null())
    refused = found.filter(pl.col("failing").is_not_null())
    yielding = found.filter(pl.col("failing").is_null())
    verdicts = _verdicts(refused)
    scatter(task, "refused", arrow(verdicts, REFUSED), REFUSED, key="sha1_git", buckets=buckets)
    task.write("yielding", arrow(yielding.select(YIELDING.names), YIELDING), YIELDING)
    return {
        "copies": rows.height,
        "witnesses": rows.height - int(rows["kept"].sum()),
        "refused": refused.height,
        "yielding": yielding.height,
    }


def overruled(rows: pl.DataFrame, policy: licences.CopyPolicy) -> pl.DataFrame:
    """Kept contents of TEXT_COPIES of which a non-permissive copy has the same text and speaks first, by sha1_git.

    Columns: `sha1_git`, `text_sha256`, `text_part`, `licence_class`, `policy`, `witness` (sha1_git) and COPY of
    the copy that decides.
    """
    rank = pl.col("copy_class").replace_strict(CLASS_RANK, return_dtype=pl.Int8)
    if policy == "earliest_origin":
        speaking = rows.filter(pl.col("copy_first_seen") < UNKNOWN_DATE)
    elif policy == "any_copy":
        speaking = rows.filter(pl.col("copy_class") == NON_PERMISSIVE)
    else:
        speaking = rows.clear()
    first = speaking.sort("text_sha256", "copy_first_seen", rank, "copy_path", "copy_origin", "sha1_git").unique(
        "text_sha256", keep="first", maintain_order=True
    )
    decides = first.filter(pl.col("copy_class") == NON_PERMISSIVE).select(
        "text_sha256", *(name for name, _ in COPY), witness="sha1_git", policy=pl.lit(policy)
    )
    open_ = rows.filter("kept").select("sha1_git", "text_sha256", "text_part", "rank_first_seen", "licence_class")
    found = open_.join(decides, on="text_sha256", how="inner")
    if policy == "earliest_origin":
        found = found.filter(pl.col("copy_first_seen") < pl.col("rank_first_seen"))
    return found.sort("sha1_git")


def with_copy_heard(rows: pl.DataFrame) -> pl.DataFrame:
    """WORK rows with COPY filled in: where no other occurrence speaks, the representative does.

    To be called while the licence columns still say what the path says.
    """
    alone = pl.col("copy_class").is_null()
    own = ("origin", "path", "rank_first_seen", "licence_class", "licence_expression", "licence_evidence")
    filled = [pl.when(alone).then(mine).otherwise(name).alias(name) for (name, _), mine in zip(COPY, own, strict=True)]
    return rows.with_columns(filled)


def set_aside(rows: pl.DataFrame, texts: pa.LargeStringArray, verdicts: pl.DataFrame) -> Batch:
    """The rows that `verdicts` refuses for a non-permissive licence which does not rest on the file alone."""
    chosen = verdicts["reason"].is_not_null() & (rows["licence_class"] == NON_PERMISSIVE) & ~rows["own_licence"]
    return Batch(rows.filter(chosen), texts.filter(chosen.to_arrow()))


def text_copies(batch: Batch, *, part: int) -> pa.Table:
    """TEXT_COPIES of a finished batch, the contents of part `part`; empty where nothing looks for witnesses."""
    if batch.witnesses is None:
        return TEXT_COPIES.empty_table()
    kept = batch.rows.filter(~pl.col("own_licence")).with_columns(kept=pl.lit(value=True))
    both = [kept, batch.witnesses.rows.with_columns(kept=pl.lit(value=False))]
    named_in = pl.lit(part, pl.Int32)
    found = [rows.with_columns(text_part=named_in).select(TEXT_COPIES.names) for rows in both if rows.height]
    rows = pl.concat(found or [frame(TEXT_COPIES.empty_table())])
    named = pl.col("copy_class") == NON_PERMISSIVE
    hidden = [
        pl.when(named).then(name).alias(name)
        for name in ("copy_origin", "copy_path", "copy_expression", "copy_evidence")
    ]
    return arrow(rows.with_columns(hidden), TEXT_COPIES)


def _verdicts(found: pl.DataFrame) -> pl.DataFrame:
    evidence = naming_copy(
        found, prefix="copy", expression="copy_expression", evidence="copy_evidence", content="witness"
    )
    return found.select(
        "sha1_git",
        "text_sha256",
        "text_part",
        stage=pl.lit(licences.NAME),
        reason=pl.lit("licence_refused"),
        value="copy_expression",
        threshold="failing",
        evidence=pl.lit(evidence),
    )
