"""Copies that are not the same bytes: somebody puts a GPL file into an MIT repository and changes the author's address,
or the licence header, or takes it off. The text after redaction is the same, or at least its body (`bodies`) is.

A *witness* is a content that the pass over bytes refuses for the licence of its paths. It is redacted and hashed as if
it were kept, and leaves with the kept ones as TEXT_COPIES; no text of it is written. Worker `weigh`: one bucket of
copies → `refused` (REFUSED, scattered by sha1_git) and `yielding` (YIELDING).

With `earliest_origin` a content is refused when the earliest dated copy of its text is non-permissive and strictly
earlier than it; with `any_copy` when any copy is non-permissive. Where the recipe's policy lets that copy's licence
pass, nothing is refused: then the later copy may not represent the text and goes as an exact duplicate.

With whole texts a content whose header alone settles its licence takes no part, neither as witness nor as refused,
since the same header stands in every copy; with bodies its header is what it says.
Invariants: what was not read to its end (opted out, a path, language or quality rule, no licence, headers read only
`where_path_allows`) is no witness. The answer depends on the set of rows, never on their partition.
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
from stages.contents.bodies import body_keys
from stages.contents.copies import NON_PERMISSIVE, naming_copy
from stages.contents.schemas import CLASS_RANK, COPY, REFUSED, TEXT_COPIES, UNKNOWN_DATE, VERSION, YIELDING

_SAID = ("class", "expression", "evidence")


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

    Columns: `sha1_git`, `text_key`, `text_sha256`, `text_part`, `licence_class`, `policy`, `witness` (sha1_git),
    `witness_text` (its text_sha256) and COPY of the copy that decides.
    """
    rank = pl.col("copy_class").replace_strict(CLASS_RANK, return_dtype=pl.Int8)
    if policy == "earliest_origin":
        speaking = rows.filter(pl.col("copy_first_seen") < UNKNOWN_DATE)
    elif policy == "any_copy":
        speaking = rows.filter(pl.col("copy_class") == NON_PERMISSIVE)
    else:
        speaking = rows.clear()
    first = speaking.sort("text_key", "copy_first_seen", rank, "copy_path", "copy_origin", "sha1_git").unique(
        "text_key", keep="first", maintain_order=True
    )
    decides = first.filter(pl.col("copy_class") == NON_PERMISSIVE).select(
        "text_key", *(name for name, _ in COPY), witness="sha1_git", witness_text="text_sha256", policy=pl.lit(policy)
    )
    open_ = rows.filter("kept").select(
        "sha1_git", "text_key", "text_sha256", "text_part", "rank_first_seen", "licence_class"
    )
    found = open_.join(decides, on="text_key", how="inner")
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


def with_header_heard(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` where a header of the file's own is what its copy says, so that another header does not wash it off."""
    own = pl.col("own_licence")
    said = {f"copy_{name}": pl.when(own).then(f"licence_{name}").otherwise(f"copy_{name}") for name in _SAID}
    return rows.with_columns(**said).with_columns(own_licence=pl.lit(value=False))


def set_aside(rows: pl.DataFrame, texts: pa.LargeStringArray, verdicts: pl.DataFrame) -> Batch:
    """The rows that `verdicts` refuses for a non-permissive licence which a copy without it would not bear."""
    chosen = verdicts["reason"].is_not_null() & (rows["licence_class"] == NON_PERMISSIVE) & ~rows["own_licence"]
    return Batch(rows.filter(chosen), texts.filter(chosen.to_arrow()))


def text_copies(batch: Batch, *, part: int, bodies: bool) -> pa.Table:
    """TEXT_COPIES of a finished batch, the contents of part `part`; empty where nothing looks for witnesses.

    `bodies`: copies share the body of their text; else the whole of it.
    """
    if batch.witnesses is None:
        return TEXT_COPIES.empty_table()
    added = {"text_part": pl.lit(part, pl.Int32)}
    found = [frame(TEXT_COPIES.empty_table())]
    for some, kept in ((batch, True), (batch.witnesses, False)):
        if some.rows.height:
            key = pl.lit(pl.Series(body_keys(some.texts).to_pylist() if bodies else [None], dtype=pl.String))
            rows = some.rows.with_columns(**added, kept=pl.lit(kept), text_key=pl.coalesce(key, "text_sha256"))
            found.append(rows.filter(~pl.col("own_licence")).select(TEXT_COPIES.names))
    named = pl.col("copy_class") == NON_PERMISSIVE
    hidden = [
        pl.when(named).then(name).alias(name)
        for name in ("copy_origin", "copy_path", "copy_expression", "copy_evidence")
    ]
    return arrow(pl.concat(found).with_columns(hidden), TEXT_COPIES)


def _verdicts(found: pl.DataFrame) -> pl.DataFrame:
    same = pl.when(pl.col("witness_text") == pl.col("text_sha256")).then(pl.lit("text")).otherwise(pl.lit("body"))
    evidence = naming_copy(
        found.with_columns(same=same),
        prefix="copy",
        expression="copy_expression",
        evidence="copy_evidence",
        content="witness",
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
