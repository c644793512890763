"""Which rows the recipe's language policy refuses: reason, measured value and threshold, as polars expressions."""

from __future__ import annotations

import polars as pl

from stages.languages.settings import Settings


def refuse(classes: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """`reason`, `value`, `threshold` (strings; null where kept) for each row of `classes` (CLASSES columns).

    The first that holds decides, in this order: language_unknown, language_not_included,
    language_excluded, vendored, generated, documentation. A null language is refused by an `include` list as unknown.
    """
    language = pl.col("language")
    known = language.is_not_null()
    include, exclude = list(settings.include), list(settings.exclude)
    least = pl.format("confidence >= {}", pl.lit(settings.min_confidence))
    yes, no = pl.lit("true"), pl.lit("false")
    rules = [
        ("language_unknown", ~known & pl.lit(settings.drop_unknown or bool(include)), pl.lit(None, pl.String), least),
        ("language_not_included", known & ~language.is_in(include) & pl.lit(bool(include)), language, _listed(include)),
        ("language_excluded", known & language.is_in(exclude), language, _listed(exclude)),
        ("vendored", pl.col("vendored") & pl.lit(settings.drop_vendored), yes, no),
        ("generated", pl.col("generated") & pl.lit(settings.drop_generated), yes, no),
        ("documentation", pl.col("documentation") & pl.lit(settings.drop_documentation), yes, no),
    ]
    empty = pl.lit(None, pl.String)
    reason, value, threshold = empty, empty, empty
    for code, holds, measured, limit in reversed(rules):
        reason = pl.when(holds).then(pl.lit(code)).otherwise(reason)
        value = pl.when(holds).then(measured).otherwise(value)
        threshold = pl.when(holds).then(limit).otherwise(threshold)
    return classes.select(reason=reason, value=value, threshold=threshold)


def _listed(names: list[str]) -> pl.Expr:
    text = ", ".join(sorted(names))
    return pl.lit(text if len(text) <= 200 else f"{text[:199]}…")
