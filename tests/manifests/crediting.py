"""A release with the tables of evidence, written without the flow: who is credited is chosen here."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl

from foundation.canonical import sha256_bytes
from foundation.exchange import bucket_of
from foundation.frames import arrow, frame
from foundation.layout import TABLES, table_path
from foundation.schema import RELEASE_ATTRIBUTION, RELEASE_LANGUAGES, RELEASE_LICENCES
from foundation.tables import write_groups
from manifests import publish

PARTS = {"attribution": 3, "licences": 4, "languages": 1}
SCHEMAS = {"attribution": RELEASE_ATTRIBUTION, "licences": RELEASE_LICENCES, "languages": RELEASE_LANGUAGES}
HOLDERS = ("Ada Mill", "Jörg Ω", "evil \x1b[31mred")
Row = dict[str, object]


def text_of(holder: str) -> str:
    return f"MIT License\n\nCopyright (c) 2020 {holder}\n\n\tPermission is hereby granted.\n"


def made_tables(rows: pl.DataFrame, *, seed: int = 0) -> dict[str, list[Row]]:
    """Rows of each table for the release `rows`: an entry an origin and expression, a second notice for some."""
    rng = random.Random(seed)
    entries: list[Row] = []
    groups = rows.group_by("origin", "repo_name", "licence_expression", "license_type").len()
    for origin, name, expression, kind, count in groups.sort(pl.all(), nulls_last=True).iter_rows():
        common = {"origin": origin, "repo_name": name, "licence_expression": expression, "license_type": kind}
        common |= {"files": count, "bytes": count * 7, "snapshot_id": "1" * 40, "anchor": f"swh:1:rev:{'2' * 40}"}
        said = {"licence_origin": origin, "licence_path": "LICENSE", "licence_source": "repository", "kind": "text"}
        for number in range(rng.randint(1, 2) if expression else 1):
            text = text_of(rng.choice(HOLDERS))
            held = {"text_sha256": sha256_bytes(text.encode()), "copyrights": [text.splitlines()[2]]}
            notice = {"notice": f"{number}" * 64, **said, **held} if expression else {"licence_origin": origin}
            entries.append({**common, **notice, "leading": 0 if number else count})
    found = [
        {"text_sha256": sha256_bytes(text_of(holder).encode()), "kind": "found", "text": text_of(holder)}
        for holder in HOLDERS
    ]
    canonical = [
        {"text_sha256": sha256_bytes(name.encode()), "kind": "canonical", "licence": name, "text": name}
        for name in ("Apache-2.0", "BSD-3-Clause", "GPL-2.0-only", "MIT")
    ]
    known = sorted(set(rows["language"].drop_nulls()))
    languages: list[Row] = [{"language": name, "type": "programming", "occurs": True} for name in known]
    return {"attribution": entries, "licences": [*found, *canonical], "languages": languages}


def stage_tables(folder: Path, tables: dict[str, list[Row]]) -> dict[str, str]:
    """Write the staged tables, several row groups a part; returns their checksums."""
    sums = {}
    for name, rows in tables.items():
        whole = pl.DataFrame(rows, schema=frame(SCHEMAS[name].empty_table()).schema)
        whole = whole.sort([column for column in whole.columns if whole[column].dtype == pl.String], nulls_last=True)
        numbers = pl.Series(bucket_of(whole[TABLES[name]].to_arrow().cast("string"), PARTS[name]))
        for number in range(PARTS[name]):
            part = arrow(whole.filter(numbers == number), SCHEMAS[name])
            if part.num_rows:
                path = table_path(name, number)
                groups = [part.slice(at, 2) for at in range(0, part.num_rows, 2)]
                sums[path] = write_groups(folder / path, groups, SCHEMAS[name]).sha256
    return sums


def make(folder: Path, tools: Callable[[str], object], rows: pl.DataFrame, tables: dict[str, list[Row]]) -> Path:
    """Publish `rows` with `tables` below `folder`."""
    sums = tools("stage")(folder / "staging", rows)  # type: ignore[operator]
    sums |= stage_tables(folder / "staging", tables)
    parts = {name: PARTS[name] for name in tables}
    facts = tools("make_facts")(rows.height, checksums=sums, table_parts=parts)  # type: ignore[operator]
    return publish(folder / "staging", folder / "out" / "releases", facts)
