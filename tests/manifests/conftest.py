"""Small real releases, written as the build writes them: sorted RELEASE-schema Parquet shards."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from foundation.frames import arrow, frame
from foundation.layout import shard_path
from foundation.schema import RELEASE
from foundation.swhid import git_object_id, qualified_swhid
from foundation.tables import write_groups
from manifests import FunnelStage, ReleaseFacts, publish

LICENCES = {
    "MIT": "permissive",
    "Apache-2.0 OR MIT": "permissive",
    "Apache-2.0 AND BSD-3-Clause": "permissive",
    "GPL-2.0-only": "non_permissive",
    None: "no_license",
}
LANGUAGES = (None, "Python", "C#", "F*", "C++", "Common Lisp", "../../etc")
REPOSITORIES = ("numpy/numpy", "Torvalds/Linux", "a+b/[c].d", "group/sub/project", "evil/\x1b[31mred\nline|<b>")
ROWS_A_SHARD = 7


def make_rows(count: int, seed: int = 0) -> pl.DataFrame:
    """`count` distinct rows in release order."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        text = f"line {seed} {number}\n" * rng.randint(1, 20) + rng.choice(["", "é", "𝒳 <EMAIL>"])
        data = text.encode()
        expression = rng.choice(list(LICENCES))
        repository = rng.choice(REPOSITORIES)
        origin, path = f"https://host.example:8443/{repository}", f"src/f{number}:{rng.randint(0, 9)}.x"
        identifier = git_object_id("blob", data)
        span = {"detector": "gristmill", "rule": "r", "start": 0, "end": 1, "original_length": 3}
        rows.append(
            {
                "path": path,
                "path_raw": b"\xff\x00" if rng.random() < 0.2 else None,
                "content_id": identifier,
                "license_type": LICENCES[expression],
                "licence_expression": expression,
                "licence_source": "repository" if expression else None,
                "licence_evidence": '{"path":"LICENSE"}' if expression else None,
                "detected_licenses": [expression] if expression else [],
                "repo_name": repository,
                "origin": origin,
                "language": rng.choice(LANGUAGES),
                "length_bytes": len(data),
                "content": text,
                "content_sha256": hashlib.sha256(data).hexdigest(),
                "visit_date": 1_700_000_000_000_000 + number,
                "avg_line_length": float("nan") if number % 5 == 0 else 1.5,
                "redactions": [{"kind": kind, **span} for kind in rng.sample(["EMAIL", "KEY"], rng.randint(0, 2))],
                "swhid": qualified_swhid(
                    sha1_git=identifier, origin=origin, snapshot="1" * 40, anchor=f"swh:1:rev:{'2' * 40}", path=path
                ),
            }
        )
    rows.sort(key=lambda row: (shard_path(row["license_type"], row["language"], 0), row["origin"], row["path"]))
    return frame(pa.Table.from_pylist(rows, schema=RELEASE))


def stage(folder: Path, rows: pl.DataFrame, *, rows_a_shard: int = ROWS_A_SHARD) -> dict[str, str]:
    """Write `rows` as staged shards below `folder`, several row groups each; returns their checksums."""
    sums = {}
    for (kind, language), group in rows.group_by("license_type", "language", maintain_order=True):
        for number, start in enumerate(range(0, group.height, rows_a_shard)):
            part = arrow(group.slice(start, rows_a_shard), RELEASE)
            path = shard_path(str(kind), None if language is None else str(language), number)
            sums[path] = write_groups(folder / path, [part.slice(0, 3), part.slice(3)], RELEASE).sha256
    return sums


def make_facts(rows: int, **changes: object) -> ReleaseFacts:
    """Facts of a build that kept `rows` of `rows + 5` contents."""
    fields: dict[str, object] = {
        "name": "demo",
        "version": "1.0.0",
        "recipe": {"name": "demo", "limits": {"size": 10, "share": 0.25}},
        "archive": {"graph": "2024-01-01", "sha256": "0" * 64},
        "tools": {"pyarrow": "1", "scancode": "2"},
        "registry_sequence": 17,
        "registry_log_head": "f" * 64,
        "policies": {"licences": "1", "quality": "3"},
        "parameters": {"shingle": {"kind": "words", "size": 5}},
        "funnel": [
            FunnelStage(stage="catalog", unit="occurrences", entered=rows + 90, kept=rows + 50, dropped={"size": 40}),
            FunnelStage(stage="quality", entered=rows + 5, kept=rows + 2, dropped={"long_lines": 2, "alpha": 1}),
            FunnelStage(stage="duplicates", entered=rows + 2, kept=rows, dropped={"exact": 2}),
        ],
    }
    return ReleaseFacts(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def rows() -> pl.DataFrame:
    """200 rows."""
    return make_rows(200)


@pytest.fixture(scope="session")
def published(rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published release of `rows`; tests must not change it."""
    out = tmp_path_factory.mktemp("published")
    stage(out / "staging", rows)
    return publish(out / "staging", out / "releases", make_facts(rows.height))


@pytest.fixture
def copied(published: Path, tmp_path: Path) -> Path:
    """A copy of the release that a test may damage."""
    return Path(shutil.copytree(published, tmp_path / "out" / "releases" / "demo" / "1.0.0"))


@pytest.fixture(scope="session")
def tools() -> Callable[[str], object]:
    """The functions above, by name, for tests that make releases of their own."""
    return lambda name: globals()[name]
