"""Which licence holds for each path: statements spread over a repository's occurrences.

Strength, strongest first. The first that speaks decides; what is in the file itself comes later (`effective.py`)
and is stronger than all of these:

    dot_license   what names the file: REUSE's `<file>.license`, paragraphs of REUSE.toml and DEP-5, the part of a
                  licence file below a line like `mksignames.c:`, and a bundled part that lists it (with the file's own)
    directory     texts and manifests of the nearest directory at or above it, combined by `combine.py`
    repository    the same, where that directory is the root (or the one folder that holds everything)
    directory     texts on a REUSE shelf (`LICENSES/`), which state nothing by themselves
    readme        a README at the root, else the section "License" of a web page there
    metadata      the declared licence of the repository's metadata, with `use_declared` only

So a vendored folder keeps its own licence, a README never overrides a text, and the badge of a forge is evidence
at most. Output of `spread`: the occurrences in their order, with

    licence_expression  string  SPDX, in normal form; null when nothing says anything
    licence_class       string  permissive | non_permissive | no_license
    licence_source      string  dot_license | directory | repository | readme | metadata; null with the expression
    licence_evidence    string  canonical JSON (`evidence.py`); null with the expression

Cost: one hash join a level of depth over the distinct directories, one over the occurrences; Python runs once
a directory that states something. Memory: one bucket of origins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from foundation import spdx
from foundation.errors import ConfigError
from stages.licences.bundled import APPENDED, BUNDLED, TEXT
from stages.licences.combine import NOT_READ, UNRECOGNISED, Statement, combined
from stages.licences.detection import DETECTED, NONE, TIMED_OUT
from stages.licences.evidence import evidence_of
from stages.licences.overrides import reviewed
from stages.licences.places import as_text, base_name, directory, glob_pattern, nearest, place, shelf_id, tops
from stages.licences.settings import Settings

STATED = [
    ("file_kind", pa.string()),
    ("kind", pa.string()),
    ("scope", pa.list_(pa.string())),
    ("start_line", pa.int32()),
    ("end_line", pa.int32()),
    ("notice", pa.string()),
    ("length", pa.int64()),  # characters of the notice's text
    ("expression", pa.string()),
    ("status", pa.string()),
    ("score", pa.float64()),
    ("rule", pa.string()),
    ("tool", pa.string()),
    ("reviewed", pa.string()),  # canonical JSON: who says so, when and why (`overrides.py`); null: nobody but the tool
]
"""Arrow fields of what a file states, beside its `sha1_git` or its (origin, path)."""

LICENCE = ["licence_expression", "licence_class", "licence_source", "licence_evidence"]

TERMS = 400
"""Characters from which a licence file that nobody recognises is terms of its own, not a pointer elsewhere."""

_ANSWER = {"expression": pl.String, "source": pl.String, "evidence": pl.String}


def stated(notices: pl.DataFrame, detections: pl.DataFrame) -> pl.DataFrame:
    """`sha1_git` and STATED: each notice (NOTICES) with what was detected in it (DETECTIONS), in the notices' order.

    `detections` may have the column of `overrides.reviewed`.
    """
    if "reviewed" not in detections.columns:
        detections = reviewed(detections)
    found = detections.select("notice", "expression", "status", "score", "rule", "tool", "reviewed")
    joined = notices.join(found, on="notice", how="left", maintain_order="left")
    with_length = joined.with_columns(length=pl.col("text").str.len_chars().cast(pl.Int64))
    return with_length.select("sha1_git", *(name for name, _ in STATED))


def spread(
    occurrences: pl.DataFrame, statements: pl.DataFrame, repositories: pl.DataFrame, *, settings: Settings | None = None
) -> pl.DataFrame:
    """`occurrences` (origin, path, …) with the licence of each path; columns and strength order in the module.

    `statements` has origin, path and STATED; `repositories` origin and declared_licence. Row order is kept and
    the answer does not depend on the order of any input.
    """
    rows = occurrences.select("origin", text=as_text(occurrences["path"])).with_row_index("row")
    rows = rows.with_columns(directory=directory(pl.col("text")))
    top = tops(rows)
    said = _readable(statements)
    answers = [
        _sidecars(rows, said),
        _scoped(rows, said),
        _directories(rows, said, top),
        _shelves(rows, said),
        _readmes(rows, said, top),
    ]
    if (settings or Settings()).use_declared:
        answers.append(_metadata(rows, repositories))
    ranked = pl.concat([answer.with_columns(strength=pl.lit(at)) for at, answer in enumerate(answers)])
    best = ranked.sort("row", "strength").unique("row", keep="first", maintain_order=True)
    final = rows.select("row").join(best, on="row", how="left", maintain_order="left")
    return occurrences.hstack(_licence_columns(final))


def _licence_columns(answers: pl.DataFrame) -> pl.DataFrame:
    classes = {text: spdx.licence_class(text) for text in answers["expression"].unique().drop_nulls()}
    return answers.select(
        licence_expression="expression",
        licence_class=pl.col("expression").replace_strict(classes, default=spdx.NO_LICENSE, return_dtype=pl.String),
        licence_source="source",
        licence_evidence="evidence",
    )


def _readable(statements: pl.DataFrame) -> pl.DataFrame:
    """Statements that say something, in total order: `path` as text, the expression they stand for, the place."""
    late = pl.col("status") == TIMED_OUT
    unread = pl.col("reviewed").is_null() & (pl.col("status") == NONE)
    strange = (pl.col("file_kind") == "licence_file") & unread & (pl.col("length") >= TERMS)
    meaning = (
        pl.when(late)
        .then(pl.lit(NOT_READ))
        .when(strange)
        .then(pl.lit(UNRECOGNISED))
        .when(pl.col("status") == DETECTED)
        .then(pl.col("expression"))
    )
    said = statements.with_columns(path=as_text(statements["path"]), expression=meaning)
    order = ["origin", "path", "start_line", "end_line", "notice", "kind"]
    said = said.filter(pl.col("expression").is_not_null()).sort(order, maintain_order=True)
    return said.with_columns(
        place=place(pl.col("path")), name=base_name(pl.col("path")), shelf=shelf_id(pl.col("path"))
    )


def _answer(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col("row").cast(pl.UInt32), *(pl.col(name).cast(kind) for name, kind in _ANSWER.items()))


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.UInt32, **_ANSWER})


def _records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dicts()


def _sidecars(rows: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """`<file>.license` → the file."""
    own = said.filter(pl.col("file_kind") == "dot_license").with_columns(
        text=pl.col("path").str.strip_suffix(".license")
    )
    if not own.height:
        return _nothing()
    records = []
    for (origin, text), group in own.group_by("origin", "text", maintain_order=True):
        expression = spdx.conjunction(group["expression"])
        evidence = evidence_of(_records(group))
        records.append({"origin": origin, "text": text, "expression": expression, "evidence": evidence})
    made = pl.DataFrame(records).with_columns(source=pl.lit("dot_license"))
    return _answer(rows.join(made, on=["origin", "text"], how="inner"))


def _scoped(rows: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """REUSE.toml annotations and DEP-5 paragraphs → the files that their globs match; deeper and later ones win."""
    scoped = said.filter(pl.col("scope").list.len() > 0)
    if not scoped.height:
        return _nothing()
    found = [_nothing().with_columns(depth=pl.lit(0), line=pl.lit(0))]
    owners = _owners(said.join(scoped.filter(pl.col("kind") == BUNDLED), on=["origin", "path"], how="semi"))
    for (origin,), group in scoped.group_by("origin", maintain_order=True):
        mine = rows.filter(pl.col("origin") == origin).select("row", "text")
        for statement in _records(group):
            own = owners.get((origin, statement["path"]), []) if statement["kind"] == BUNDLED else []
            found.append(_matched(mine, [statement, *own]))
    every = pl.concat(found, how="vertical_relaxed")
    last = every.sort("row", "depth", "line", "expression").unique("row", keep="last", maintain_order=True)
    return _answer(last)


def _owners(said: pl.DataFrame) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(origin, path) → what licence files say of their own work; a file that they list is under both."""
    own = said.filter((pl.col("kind") == TEXT) & pl.col("scope").is_null())
    owners: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in _records(own):
        owners.setdefault((entry["origin"], entry["path"]), []).append(entry)
    return owners


def _matched(rows: pl.DataFrame, statements: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows that the first of `statements` speaks of; all of them hold there."""
    leading = statements[0]
    base, reuse = leading["place"], leading["name"] == "REUSE.toml"
    inside = pl.col("text").str.strip_prefix(f"{base}/") if base else pl.col("text")
    patterns = [glob_pattern(glob, crosses=not reuse) for glob in leading["scope"]]
    hit = pl.any_horizontal(inside.str.contains(pattern, strict=False) for pattern in patterns)
    below = pl.col("text").str.starts_with(f"{base}/") if base else pl.lit(value=True)
    return rows.filter(below & hit).select(
        "row",
        expression=pl.lit(spdx.conjunction(entry["expression"] for entry in statements)),
        source=pl.lit("dot_license"),
        evidence=pl.lit(evidence_of(statements)),
        depth=pl.lit(base.count("/") + bool(base)),
        line=pl.lit(leading["start_line"]),
    )


def _directories(rows: pl.DataFrame, said: pl.DataFrame, top: pl.DataFrame) -> pl.DataFrame:
    """Texts and manifests → every file at or below their place that has no closer one."""
    speaking = said.filter(
        pl.col("file_kind").is_in(["licence_file", "manifest", "readme"]) & pl.col("scope").is_null()
    )
    own = speaking.filter(pl.col("kind") == TEXT)
    unsaid = speaking.filter(pl.col("kind") == BUNDLED).join(own, on=["origin", "path"], how="semi")
    speaking = speaking.join(unsaid, on=["origin", "path", "start_line", "notice"], how="anti", maintain_order="left")
    return _below(rows, list(_verdicts(speaking)), top)


def _verdicts(speaking: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for (origin, where), group in speaking.group_by("origin", "place", maintain_order=True):
        entries = _records(group)
        expression = combined(tuple(sorted(_statements(entries), key=str)))
        if expression is not None:
            leading = sorted(entries, key=lambda e: _SORTS.index(e["file_kind"]))
            backing = [entry for entry in leading if _backs(entry, expression)]
            yield {"origin": origin, "place": where, "expression": expression, "evidence": evidence_of(backing)}


_SORTS = ("licence_file", "manifest", "readme")


def _statements(entries: list[dict[str, Any]]) -> set[Statement]:
    """What each manifest and README says, and each licence file as a whole."""
    sorts = {"manifest": "manifest", "readme": "readme"}
    found = {Statement(sorts[e["file_kind"]], e["name"], e["expression"]) for e in entries if e["file_kind"] in sorts}
    texts = [entry for entry in entries if entry["file_kind"] == "licence_file"]
    for path in sorted({entry["path"] for entry in texts}):
        mine = [entry for entry in texts if entry["path"] == path]
        above = spdx.conjunction(entry["expression"] for entry in mine if entry["kind"] != APPENDED)
        whole = spdx.conjunction(entry["expression"] for entry in mine)
        if whole is not None:
            found.add(Statement("text", mine[0]["name"], whole, above if above != whole else None))
    return found


def _backs(entry: dict[str, Any], expression: str) -> bool:
    if entry["file_kind"] == "readme":
        return bool(entry["expression"] == expression)
    return entry["kind"] != APPENDED or spdx.families(entry["expression"]) <= spdx.families(expression)


def _below(rows: pl.DataFrame, records: list[dict[str, Any]], top: pl.DataFrame) -> pl.DataFrame:
    if not records:
        return _nothing()
    made = pl.DataFrame(records)
    folders = rows.select("origin", "directory").unique()
    closest = nearest(folders, made).join(made, on=["origin", "place"]).join(top, on="origin")
    whole = (pl.col("place") == "") | (pl.col("place") == pl.col("top"))
    closest = closest.with_columns(source=pl.when(whole).then(pl.lit("repository")).otherwise(pl.lit("directory")))
    return _answer(rows.join(closest, on=["origin", "directory"], how="inner"))


def _shelves(rows: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Texts in a `LICENSES/` folder, where nothing else says anything: all of them hold. The file name is the id."""
    shelf = said.filter((pl.col("file_kind") == "licenses_folder") & pl.col("shelf").is_not_null())
    records = []
    for (origin, where), group in shelf.group_by("origin", "place", maintain_order=True):
        expression = spdx.conjunction(_shelf_expression(entry) for entry in _records(group))
        evidence = evidence_of(_records(group))
        records.append({"origin": origin, "place": where, "expression": expression, "evidence": evidence})
    if not records:
        return _nothing()
    placed = _below(rows, records, tops(rows))
    return placed.with_columns(source=pl.lit("directory"))


def _shelf_expression(entry: dict[str, Any]) -> str:
    try:
        named = spdx.normalise(entry["shelf"])
    except ConfigError:
        return str(entry["expression"])
    return named if not named.startswith("LicenseRef-") else str(entry["expression"])


def _readmes(rows: pl.DataFrame, said: pl.DataFrame, top: pl.DataFrame) -> pl.DataFrame:
    """A README at the root, else a web page there, where nothing else says anything; the first by path speaks."""
    own = said.filter(pl.col("file_kind") == "readme").join(top, on="origin", how="left", maintain_order="left")
    own = own.filter((pl.col("place") == "") | (pl.col("place") == pl.col("top")))
    records = []
    for (origin,), group in own.group_by("origin", maintain_order=True):
        first = min(group["path"], key=lambda path: (not _is_readme(path), path))
        entries = [entry for entry in _records(group) if entry["path"] == first]
        expression = spdx.conjunction(entry["expression"] for entry in entries)
        records.append({"origin": origin, "expression": expression, "evidence": evidence_of(entries)})
    if not records:
        return _nothing()
    made = pl.DataFrame(records).with_columns(source=pl.lit("readme"))
    return _answer(rows.join(made, on="origin", how="inner"))


def _is_readme(path: str) -> bool:
    return path.rpartition("/")[2].lower().startswith("readme")


def _metadata(rows: pl.DataFrame, repositories: pl.DataFrame) -> pl.DataFrame:
    records = []
    declared = (
        repositories.select("origin", "declared_licence").drop_nulls().unique().sort("origin", "declared_licence")
    )
    for origin, licence in declared.unique("origin", keep="first", maintain_order=True).iter_rows():
        try:
            expression = spdx.normalise(licence)
        except ConfigError:
            continue
        entry = dict.fromkeys((name for name, _ in STATED)) | {
            "path": None,
            "kind": "metadata",
            "expression": expression,
        }
        records.append({"origin": origin, "expression": expression, "evidence": evidence_of([entry])})
    if not records:
        return _nothing()
    made = pl.DataFrame(records).with_columns(source=pl.lit("metadata"))
    return _answer(rows.join(made, on="origin", how="inner"))
