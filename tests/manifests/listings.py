"""A release with repository tables, written without the flow: what each path is, is chosen here."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from foundation.canonical import sha256_bytes
from foundation.exchange import bucket_of
from foundation.frames import arrow, frame
from foundation.layout import table_path
from foundation.schema import NOT_FILES, PRESENT_VIAS, RELEASE_PATHS, RELEASE_REPOSITORIES
from foundation.swhid import EMPTY_BLOB
from foundation.tables import write_groups
from manifests import publish

PARTS = 3
FORK = "https://host.example:8443/forks/numpy"  # nothing but pointers into other repositories
TWINS = ("https://one.example/twin/same", "https://two.example/twin/same")
REASONS = ("too_large", "path_rule", "licence_refused", "symlink", *NOT_FILES)
Row = dict[str, object]


@dataclasses.dataclass(frozen=True)
class Listed:
    """A published release, its rows, and every row of its paths table in order."""

    release: Path
    rows: pl.DataFrame
    paths: list[Row]

    def of(self, origin: str) -> list[Row]:
        return [row for row in self.paths if row["origin"] == origin]

    def text(self, content_id: object) -> str:
        return str(self.rows.filter(pl.col("content_id") == content_id)["content"].item())


def made_paths(rows: pl.DataFrame, *, seed: int = 0) -> list[Row]:
    """A path for each row, and in the same and other origins paths of every other kind."""
    rng = random.Random(seed)
    held = rows.select("origin", "content_id", "path").to_dicts()
    found = [_row(row["origin"], str(row["path"]).encode(), "row", row) for row in held]
    for number in range(len(held)):
        origin = rng.choice([FORK, *TWINS, *sorted({row["origin"] for row in held})])
        via = rng.choice(["identical", "exact_duplicate", "near_duplicate", "empty", None])
        suffix = rng.choice([b".py", b"\xff.c", b"\n\x1b[31m", "é".encode()])
        name = b"%02d/%d%s" % (rng.randint(0, 20), number, suffix)
        found.append(_row(origin, name, via, rng.choice(held), reason=rng.choice(REASONS)))
    for origin in (FORK, *TWINS):
        found.append(_row(origin, b"anchor.py", "identical", held[0]))
    return sorted(found, key=lambda row: (row["origin"], row["path"], row["content_id"], row["mode"]))


def _row(origin: str, path: bytes, via: str | None, kept: Mapping[str, object], *, reason: str = "") -> Row:
    same = via in ("row", "identical")
    own = sha256_bytes(path)[:40]
    pointed = via not in (None, "empty")
    return {
        "origin": origin,
        "path": path,
        "mode": 0o100755 if path.endswith(b"5.py") else 0o100644,
        "content_id": kept["content_id"] if same else EMPTY_BLOB if via == "empty" else own,
        "via": via,
        "kept": kept["content_id"] if pointed else None,
        "kept_origin": kept["origin"] if pointed else None,
        "jaccard": None if not pointed else 0.75 if via == "near_duplicate" else 1.0,
        "reason": reason if via is None else None,
    }


def state_of(origin: str, rows: list[Row]) -> Row:
    """The repositories row of `origin`, counted the plain way."""
    return {
        "origin": origin,
        "repo_name": origin.split("/", 3)[3],
        "snapshot_id": "1" * 40,
        "anchor": f"swh:1:rev:{'2' * 40}",
        "files": sum(row["reason"] not in NOT_FILES for row in rows),
        "present": sum(row["via"] in PRESENT_VIAS for row in rows),
        "resembled": sum(row["via"] == "near_duplicate" for row in rows),
    }


def stage_tables(folder: Path, paths: list[Row], *, parts: int = PARTS) -> dict[str, str]:
    """Write the staged tables of `paths`, several row groups a part; returns their checksums."""
    origins = sorted({str(row["origin"]) for row in paths})
    states = [state_of(origin, [row for row in paths if row["origin"] == origin]) for origin in origins]
    sums = {}
    for table, rows, schema in (("paths", paths, RELEASE_PATHS), ("repositories", states, RELEASE_REPOSITORIES)):
        whole = (
            frame(schema.empty_table()) if not rows else pl.DataFrame(rows, schema=frame(schema.empty_table()).schema)
        )
        numbers = pl.Series(bucket_of(whole["origin"].to_arrow().cast("string"), parts)) if rows else pl.Series([])
        for number in range(parts):
            part = arrow(whole.filter(numbers == number), schema)
            if part.num_rows:
                path = table_path(table, number)
                groups = [part.slice(at, 20) for at in range(0, part.num_rows, 20)]
                sums[path] = write_groups(folder / path, groups, schema).sha256
    return sums


def make(folder: Path, tools: Callable[[str], object], rows: pl.DataFrame, paths: list[Row]) -> Listed:
    """Publish `rows` with the tables of `paths` below `folder`."""
    sums = tools("stage")(folder / "staging", rows)  # type: ignore[operator]
    sums |= stage_tables(folder / "staging", paths)
    facts = tools("make_facts")(rows.height, checksums=sums, table_parts={"paths": PARTS, "repositories": PARTS})  # type: ignore[operator]
    return Listed(publish(folder / "staging", folder / "out" / "releases", facts), rows, paths)
