"""Quarantine: what the groups over their limit lost stays out of the release, but for a person to look at.

Worker `relabel`: one bucket of decisions → `decisions` (DECISIONS, same rows, same order). A marked row keeps
verdict, kept content and Jaccard; its stage and reason become `decisions` and `quarantined`, its value the group's
loss, its threshold the limit, its evidence `{"groups": [{kind, name, contents, removed, loss, limit}], "was": …}`
with the decision it had. A content of a language and a source over their limits names both, and shows the
language's loss. Invariant: every content keeps one decision; kept ones are untouched.
Memory: one bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from foundation.canonical import Json, canonical_json
from foundation.exchange import gather
from foundation.frames import arrow, frame
from foundation.schema import DECISIONS
from foundation.tasks import Counts, Task
from stages.decisions.deciding import counted
from stages.decisions.losses import COUNTS, reached, verdicts_of
from stages.decisions.policy import NAME
from stages.decisions.samples import LANGUAGE, MARKS, SOURCE

REASON = "quarantined"
_WAS = ("stage", "reason", "value", "threshold", "evidence")
_NUMBERS = [name for name, _ in COUNTS[:2]]  # contents, removed


def relabel(task: Task) -> Counts:
    """Worker: see the module; counts the new decisions by `stage/reason`, and `kept_bytes` like `decide`."""
    rows = frame(task.read("decisions").cast(DECISIONS))
    reaching = reached(rows, verdicts_of(task))
    marks = frame(gather(task, "marks", int(str(task.params["bucket"])), MARKS))
    labels = labelled(reaching.filter("removed"), _languages(task), marks, limits=_limits(task))
    written = quarantined(rows, labels)
    task.write("decisions", arrow(written, DECISIONS), DECISIONS)
    kept_bytes = reaching.filter(~pl.col("removed"))["bytes"].sum()
    return counted(written) | {"kept_bytes": int(kept_bytes)}


def labelled(
    removed: pl.DataFrame, languages: pl.DataFrame, marks: pl.DataFrame, *, limits: Mapping[str, float]
) -> pl.DataFrame:
    """`sha1_git`, `new_value`, `new_threshold`, `new_evidence` of the `removed` rows of a group over its limit.

    JSON is made once a language, once a source and once a former decision, and joined as text: the keys of the
    whole, `groups` and `was`, are in canonical order.
    """
    hit = (
        removed.drop("removed")
        .join(marks, on="sha1_git", how="left")
        .filter(
            pl.col("contents").is_not_null()
            | pl.col("language").is_in(languages["language"].implode(), nulls_equal=True)
        )
    )
    sources = hit.drop_nulls("contents").select("origin", *_NUMBERS).unique().sort("origin")
    by_language = _pieces(languages, LANGUAGE, name="language", limit=limits[LANGUAGE])
    by_source = _pieces(sources, SOURCE, name="origin", limit=limits[SOURCE])
    was = hit.select(_WAS).unique().sort(_WAS)
    was = was.with_columns(was=pl.Series([_was(row) for row in was.iter_rows(named=True)], dtype=pl.String))
    joined = (
        hit.join(by_language, on="language", how="left", nulls_equal=True)
        .join(by_source, on="origin", how="left", nulls_equal=True)
        .join(was, on=list(_WAS), how="left", nulls_equal=True)
    )
    groups = pl.concat_str("language_piece", "source_piece", separator=",", ignore_nulls=True)
    by_limit = pl.when(pl.col("language_piece").is_not_null())
    return joined.select(
        "sha1_git",
        new_value=pl.coalesce("language_loss", "source_loss"),
        new_threshold=by_limit.then(pl.lit(f"<= {limits[LANGUAGE]}")).otherwise(pl.lit(f"<= {limits[SOURCE]}")),
        new_evidence=pl.concat_str(pl.lit('{"groups":['), groups, pl.lit('],"was":'), "was", pl.lit("}")),
    )


def quarantined(rows: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """`rows` (DECISIONS) with the labelled ones quarantined, in the order given."""
    held = pl.col("new_evidence").is_not_null()
    changed = [
        pl.when(held).then(pl.lit(NAME)).otherwise("stage").alias("stage"),
        pl.when(held).then(pl.lit(REASON)).otherwise("reason").alias("reason"),
        *(pl.coalesce(f"new_{name}", name).alias(name) for name in ("value", "threshold", "evidence")),
    ]
    return rows.join(labels, on="sha1_git", how="left", maintain_order="left").with_columns(changed)


def _pieces(groups: pl.DataFrame, kind: str, *, name: str, limit: float) -> pl.DataFrame:
    """`name`, `<kind>_piece` (one element of `groups`, as canonical JSON) and `<kind>_loss` (text)."""
    losses = [round(removed / contents, 6) for contents, removed in groups.select(_NUMBERS).iter_rows()]
    pieces: list[dict[str, Json]] = [
        {"kind": kind, "name": row[name], **{key: row[key] for key in _NUMBERS}, "loss": loss, "limit": limit}
        for row, loss in zip(groups.iter_rows(named=True), losses, strict=True)
    ]
    return groups.select(name).with_columns(
        pl.Series(f"{kind}_piece", [canonical_json(piece).decode() for piece in pieces], dtype=pl.String),
        pl.Series(f"{kind}_loss", [str(loss) for loss in losses], dtype=pl.String),
    )


def _was(row: Mapping[str, Json]) -> str:
    return canonical_json({name: value for name, value in row.items() if value is not None}).decode()


def _languages(task: Task) -> pl.DataFrame:
    rows: Any = task.params["languages"]
    schema = {"language": pl.String, **dict.fromkeys(_NUMBERS, pl.Int64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _limits(task: Task) -> dict[str, float]:
    return {kind: float(str(task.params[f"max_{kind}_loss"])) for kind in (LANGUAGE, SOURCE)}
