"""Repositories rebuilt from a release of a real build: duplicates point at rows, opted-out paths are nowhere."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import stages.catalog.flow
from archive.ingest import ingest
from foundation.canonical import sha256_file
from foundation.exclusions import write_exclusions
from foundation.schema import NOT_FILES
from foundation.tasks import Part
from manifests import load_manifest, repository, verify, write_tree
from pipeline.progress import Progress
from pipeline.recipe_file import parse_recipe
from pipeline.runner import LocalRunner
from registry import open_registry, parse_selector
from stages.shards import Listing, Sources, list_repositories
from tests.support import mill
from tests.support.archives import make_git_repository

TEAM = "https://example.org/team"
ALPHA, BETA, GAMMA = (mill.program(seed).encode() for seed in (1, 2, 3))
LATER = ALPHA.replace(b"result > 3 ", b"result > 33 ") + b"\n\nLAST = 1\n"
SUBMODULE = (0o160000, b"7" * 40)


def _licence(holder: str) -> bytes:
    return mill.MIT.format(year=2020, holder=holder).encode()


def _mailed(text: bytes, address: str) -> bytes:
    return text + f'\n\nCONTACT = "{address}"\n'.encode()


REPOSITORIES: dict[str, dict[str, object]] = {
    "first": {
        "LICENSE": _licence("Ada Mill"),
        "src/alpha.py": ALPHA,
        "src/again.py": ALPHA,
        "src/mailed.py": _mailed(BETA, "kerstin.albrecht@solarwerk-nord.de"),
        "src/tool.py": (0o100755, GAMMA),
        "src/__init__.py": b"",
        "link.py": (0o120000, b"src/alpha.py"),
        "module": SUBMODULE,
    },
    "fork": {
        "LICENSE": _licence("Ada Mill"),
        "src/alpha.py": ALPHA,
        "src/near.py": LATER,
        "src/mailed.py": _mailed(BETA, "karl.brandt@solarwerk-nord.de"),
        "src/near_mailed_one.py": _mailed(LATER, "karl.brandt@solarwerk-nord.de"),
        "src/near_mailed_two.py": _mailed(LATER, "kerstin.albrecht@solarwerk-nord.de"),
        "withheld/own.py": mill.program(21).encode(),
        "withheld/alpha.py": ALPHA,
        "withheld/link.py": (0o120000, b"own.py"),
        "withheld/module": SUBMODULE,
    },
    "refused": {"COPYING": b"SPDX-License-Identifier: GPL-2.0-only\n", "own.py": mill.program(22).encode()},
    "gone": {"LICENSE": _licence("Grace Stone"), "alpha.py": ALPHA, "own.py": mill.program(23).encode()},
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    origins = {}
    for name, files in REPOSITORIES.items():
        make_git_repository(folder / "sources" / name, files)  # type: ignore[arg-type]
        origins[str(folder / "sources" / name)] = f"{TEAM}/{name}"
    ingest(list(origins), folder / "archive", visit_date=mill.VISIT, origins=origins, export_name="2026-01-02")
    return folder / "archive"


@pytest.fixture(scope="module")
def exclusions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exclusions")
    registry = open_registry(folder / "registry.db")
    for kind, name, glob in (("path", "fork", "withheld/**"), ("repository", "gone", None)):
        registry.submit(parse_selector(kind, f"{TEAM}/{name}", glob=glob), requester="someone@example.org")
    write_exclusions(folder / "exclusions.json", registry.export())
    return folder / "exclusions.json"


@pytest.fixture(scope="module")
def built(archive: Path, exclusions: Path, tmp_path_factory: pytest.TempPathFactory) -> mill.Built:
    return mill.build_in(tmp_path_factory.mktemp("out"), archive, exclusions=exclusions)


def _paths(built: mill.Built) -> pl.DataFrame:
    return pl.read_parquet(built.result.release / "paths" / "*.parquet")


def test_the_flow_of_each_kind_of_path(built: mill.Built) -> None:
    rows = {(row["origin"].removeprefix(f"{TEAM}/"), row["path"].decode()): row for row in _paths(built).to_dicts()}
    vias = {place: row["via"] or row["reason"] for place, row in rows.items()}
    assert Counter(
        vias[place] for place in vias if rows[place]["content_id"] == rows["first", "src/alpha.py"]["kept"]
    ) == {
        "row": 1,
        "identical": 2,
    }
    assert {vias["first", "src/mailed.py"], vias["fork", "src/mailed.py"]} == {"row", "exact_duplicate"}
    near = ("src/near.py", "src/near_mailed_one.py", "src/near_mailed_two.py")
    assert [vias["fork", path] for path in near] == ["near_duplicate"] * 3
    assert all(0.7 <= rows["fork", path]["jaccard"] < 1 for path in near)
    assert vias["first", "src/__init__.py"] == "empty"
    assert (vias["first", "link.py"], vias["first", "module"]) == ("symlink", "submodule")


def test_a_fork_is_rebuilt_from_the_rows_of_others(built: mill.Built, tmp_path: Path) -> None:
    view = repository(built.result.release, "team/fork")
    texts = {file.path: file.text for file in view.files()}
    assert texts["src/alpha.py"] == ALPHA.decode() == texts["src/near.py"]
    assert texts["src/mailed.py"] is not None
    assert "solarwerk" not in texts["src/mailed.py"]
    assert (view.counts.files, view.counts.present, view.counts.resembled) == (6, 2, 3)
    assert view.revision_id is not None
    written = write_tree(repository(built.result.release, f"{TEAM}/first"), tmp_path / "first")
    assert not written.not_written
    assert (tmp_path / "first" / "src" / "tool.py").read_bytes() == GAMMA
    assert (tmp_path / "first" / "src" / "tool.py").stat().st_mode & 0o100
    assert (tmp_path / "first" / "src" / "__init__.py").read_bytes() == b""
    assert not (tmp_path / "first" / "link.py").exists()


def test_opted_out_paths_and_repositories_are_nowhere(built: mill.Built) -> None:
    paths = _paths(built)
    assert not paths["path"].bin.starts_with(b"withheld").any()
    assert set(paths["origin"]) == {f"{TEAM}/first", f"{TEAM}/fork"}
    assert "opted_out" not in "".join(paths["reason"].drop_nulls())
    for file in built.result.release.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"team/gone" not in data
            assert b"withheld" not in data


def test_the_tables_agree_with_the_build_and_each_other(built: mill.Built) -> None:
    assert not verify(built.result.release).problems
    paths, states = _paths(built), pl.read_parquet(built.result.release / "repositories" / "*.parquet")
    own = paths.filter(via="row")
    assert sorted(own["content_id"]) == sorted(built.rows["content_id"])
    assert set(paths["kept"].drop_nulls()) <= set(built.rows["content_id"])
    assert paths.select("origin", "path").equals(paths.select("origin", "path").sort("origin", "path"))
    for origin in states["origin"]:
        counts = repository(built.result.release, origin).counts
        assert counts.files == counts.present + counts.resembled + sum(counts.missing.values())
        assert (
            counts.files
            == paths.filter(
                pl.col("origin") == origin, ~pl.col("reason").is_in(NOT_FILES).fill_null(value=False)
            ).height
        )


def test_other_partitions_give_the_same_tables(
    archive: Path, exclusions: Path, built: mill.Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages.catalog.flow, "ORC_BYTES_PER_BUCKET", 1000)
    memo = built.out / "builds" / "mill" / "licences" / "memo"
    again = mill.build_in(tmp_path, archive, exclusions=exclusions, memo=memo)
    assert len(list((tmp_path / "builds" / "mill" / "decisions").glob("decisions-*.parquet"))) > 3
    stated = [load_manifest(each.result.release).tables for each in (built, again)]
    assert stated[0] == stated[1]


def _listed(root: Path, *, part_rows: int) -> tuple[Listing, LocalRunner]:
    """The tables made once more from the finished build at `root`."""
    tables = json.loads((root / "tables.json").read_bytes())

    def parts(paths: list[str]) -> tuple[Part, ...]:
        return tuple(Part(path, sha256_file(root / path), pl.read_parquet(root / path).height) for path in paths)

    sources = Sources(
        buckets=1,
        placed=parts(tables["occurrences"]),
        decisions=dict(enumerate(parts(tables["decisions"]))),
        exact=parts([str(path.relative_to(root)) for path in root.glob("deduplication/exact/exact/exact-*.parquet")]),
        repositories=parts(tables["repositories"]),
        aliases=(),
        exclusions_sha256="",
    )
    runner = LocalRunner(Progress(quiet=True))
    return list_repositories(runner, sources, root=str(root), context={}, part_rows=part_rows), runner


def test_small_parts_hold_the_same_rows_and_resume(built: mill.Built, tmp_path: Path) -> None:
    root = Path(shutil.copytree(built.out / "builds" / "mill", tmp_path / "mill"))
    made, _ = _listed(root, part_rows=4)
    assert made.parts > 3
    assert made.paths.keys() == made.repositories.keys()
    read = pl.concat([pl.read_parquet(root / part.path) for part in made.paths.values()]).sort("origin", "path")
    visible = read.filter(~pl.col("path").bin.starts_with(b"withheld"))
    assert visible.equals(_paths(built))
    again, runner = _listed(root, part_rows=4)
    assert again == made
    assert all(outcome.reused for outcome in runner.ledger.stages["release: repositories"])


def test_a_recipe_may_leave_the_tables_out(archive: Path, built: mill.Built, tmp_path: Path) -> None:
    bare = parse_recipe(
        {**mill.RECIPE, "release": {**mill.RECIPE["release"], "repository_paths": False}}, name="without"
    )
    memo = built.out / "builds" / "mill" / "licences" / "memo"
    release = mill.build_in(tmp_path, archive, recipe=bare, memo=memo).result.release
    assert {table.name for table in load_manifest(release).tables} == {"attribution", "languages", "licences"}
    assert not (release / "paths").exists()
    assert not (release / "repositories").exists()
