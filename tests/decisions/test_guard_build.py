"""The guard in whole builds: stop, look, choose again, and nothing is read twice."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import tomllib
from pathlib import Path

import polars as pl
import pytest

from foundation.errors import AnswerIsNo
from manifests import explain, load_manifest, verify
from pipeline.cli.main import run
from pipeline.plan import plan_of, plan_text
from pipeline.recipe import Recipe
from pipeline.recipe_file import parse_recipe
from stages import deduplication
from tests.support import mill

FORK = "https://example.org/team/fork"
RECIPE = """
[release]
name = "mill"
version = "{version}"

[guard]
max_source_loss = 0.7
min_source_contents = 3
min_language_contents = 3
on_excess = "{on_excess}"
"""


def document(version: str, on_excess: str) -> str:
    return RECIPE.format(version=version, on_excess=on_excess)


def recipe(version: str, on_excess: str) -> Recipe:
    return parse_recipe(tomllib.loads(document(version, on_excess)), name="guarded")


def trees() -> dict[str, dict[str, bytes]]:
    """`first` with five modules, `fork` with a near copy of four of them and one of its own."""
    licence = b"SPDX-License-Identifier: MIT\n"
    modules = [mill.program(seed) for seed in range(5)]
    near = [text.replace("result > 3 ", "result > 33 ") + "\nLAST = 1\n" for text in modules[:4]]
    first = {f"a/mod{at}.py": text.encode() for at, text in enumerate(modules)}
    fork = {f"z/mod{at}.py": text.encode() for at, text in enumerate([*near, mill.program(77)])}
    return {"first": {"LICENSE": licence, **first}, "fork": {"LICENSE": licence, **fork}}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mill.make(tmp_path_factory.mktemp("archive"), trees())


@dataclasses.dataclass(frozen=True)
class Stopped:
    """A build that the guard has stopped: its error, and what it left by then."""

    out: Path
    error: AnswerIsNo
    report: dict[str, object]
    cut: list[Path]


@pytest.fixture(scope="module")
def stopped(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    out = tmp_path_factory.mktemp("out")
    with pytest.raises(AnswerIsNo) as error:
        mill.build_in(out, archive, recipe=recipe("1.0.0", "stop"))
    report = json.loads((out / "builds/mill/guard.json").read_bytes())
    cut = [path for pattern in ("builds/mill/shards", "releases/*/*") for path in out.glob(pattern)]
    return Stopped(out, error.value, report, cut)


@pytest.fixture(scope="module")
def held(archive: Path, stopped: Stopped) -> mill.Built:
    """The same build, gone on with a quarantine."""
    return mill.build_in(stopped.out, archive, recipe=recipe("1.0.0", "quarantine"), rerun_changed=True)


def copied(built: mill.Built, folder: Path) -> Path:
    """The output of a build, to go on from without touching it."""
    return shutil.copytree(built.out, folder / "out")


def test_stop_ends_the_build_before_any_shard(stopped: Stopped) -> None:
    text = stopped.error.message
    assert f"source {FORK}: 80.00% of 5 contents (0 exact and 4 near duplicates)" in text
    assert f"{FORK}:z/mod0.py like https://example.org/team/first:a/mod0.py (Jaccard 0.9" in text
    assert str(stopped.out / "builds/mill/guard.json") in text
    assert stopped.error.exit_code == 1
    assert stopped.cut == []


def test_the_report_names_the_pairs_that_would_go(stopped: Stopped) -> None:
    (group,) = stopped.report["groups"]
    assert (group["kind"], group["name"], group["removed"], group["limit"]) == ("source", FORK, 4, 0.7)
    names = {(pair["path"], pair["kept_path"], pair["same_name"]) for pair in group["samples"]}
    assert names == {(f"z/mod{at}.py", f"a/mod{at}.py", True) for at in range(4)}


def test_going_on_after_a_stop_reads_nothing_again(held: mill.Built) -> None:
    costs = {row["stage"]: row for row in held.result.stages}
    for stage in ("contents: read", "licences: licence files", "decisions"):
        assert costs[stage]["reused"] == costs[stage]["tasks"] > 0


def test_quarantine_holds_back_with_kept_file_and_similarity(held: mill.Built) -> None:
    rows = held.decisions.filter(pl.col("reason") == "quarantined")
    kept = set(held.decisions.filter(pl.col("verdict") == "kept")["sha1_git"])
    assert rows.height == 4 == held.result.guard.quarantined
    assert set(rows["origin"]) == {FORK} and set(rows["kept"]) <= kept and (rows["jaccard"] >= 0.7).all()
    assert held.decisions["sha1_git"].is_unique().all()
    assert not set(rows["sha1_git"]) & set(held.rows["content_id"])
    assert not verify(held.result.release).problems


def test_the_funnel_counts_the_quarantined_and_adds_up(held: mill.Built) -> None:
    funnel = {row["stage"]: row for row in held.result.funnel}
    assert funnel["decisions"]["dropped"] == {"quarantined": 4}
    assert "near_duplicate" not in funnel["deduplication"]["dropped"]
    for before, after in itertools.pairwise(held.result.funnel):
        assert before["kept"] == after["in"]
    assert held.result.funnel[-1]["kept"] == held.rows.height
    guard = load_manifest(held.result.release).created_from.parameters["guard"]
    assert guard["quarantined"] == 4 and guard["over"] == {"language": 0, "source": 1}


def test_explain_shows_the_kept_file_of_a_quarantined_one(held: mill.Built) -> None:
    found = explain(held.out, f"{FORK}:z/mod1.py")
    assert (found.verdict.stage, found.verdict.reason) == ("decisions", "quarantined")
    assert found.duplicate_of is not None
    assert found.duplicate_of.path == "a/mod1.py" and 0.7 <= found.duplicate_of.jaccard < 1
    assert found.verdict.evidence["was"]["reason"] == "near_duplicate"


def test_report_changes_nothing_but_says_so(archive: Path, held: mill.Built, tmp_path: Path, capsys) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(document("1.0.1", "report"))
    arguments = ["build", str(path), "--archive", str(archive), "--out", str(copied(held, tmp_path)), "--workers", "0"]
    assert run([*arguments, "--rerun-changed", "--json"]) == 0
    said = capsys.readouterr()
    assert f"source {FORK}: 80.00% of 5 contents" in said.err
    result = json.loads(said.out)
    assert result["guard"]["over"] == {"language": 0, "source": 1}
    assert [group["name"] for group in result["guard"]["worst"]] == [FORK]
    dropped = {row["stage"]: row["dropped"] for row in result["funnel"]}
    assert dropped["deduplication"]["near_duplicate"] == 4 and dropped["decisions"] == {}
    assert result["merkle_root"] == held.result.merkle_root


def test_a_higher_threshold_reads_nothing_again_either(archive: Path, held: mill.Built, tmp_path: Path) -> None:
    chosen = recipe("1.0.2", "stop").model_copy(update={"deduplication": deduplication.Settings(threshold=0.999)})
    built = mill.build_in(copied(held, tmp_path), archive, recipe=chosen, rerun_changed=True)
    costs = {row["stage"]: row for row in built.result.stages}
    assert costs["contents: read"]["reused"] == costs["contents: read"]["tasks"] > 0
    assert built.rows.height == held.rows.height + 4
    assert built.result.guard.exceeded == 0


def test_the_plan_shows_the_limits(archive: Path, tmp_path: Path) -> None:
    plan = plan_of(recipe("1.0.0", "quarantine"), out=tmp_path, archive=str(archive))
    assert plan["guard"]["max_source_loss"] == 0.7
    assert "guard:   max_language_loss 0.95  max_source_loss 0.7" in plan_text(plan)
