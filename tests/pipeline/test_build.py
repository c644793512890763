"""The whole mill on small archives: what is in, what is out and why, and the same bytes however it ran."""

import itertools
import json
import random
from pathlib import Path

import polars as pl
import pytest

from foundation.errors import ConflictError, IntegrityError
from manifests import verify
from pipeline.policies import STAGES
from pipeline.recipe_file import parse_recipe
from tests.support import mill

ORIGIN = "https://example.org/team"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mill.make(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def built(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> mill.Built:
    return mill.build_in(tmp_path_factory.mktemp("out"), archive)


def decision(built: mill.Built, origin: str, path: str) -> dict[str, object]:
    occurrence = built.occurrences.filter(
        (pl.col("origin") == f"{ORIGIN}/{origin}") & (pl.col("path") == path.encode())
    ).row(0, named=True)
    return built.decisions.filter(pl.col("sha1_git") == occurrence["sha1_git"]).row(0, named=True)


def test_every_content_has_one_decision_and_the_funnel_adds_up(built: mill.Built) -> None:
    contents = built.occurrences.filter(~pl.col("reason").fill_null("").is_in(["submodule", "missing_directory"]))
    assert sorted(built.decisions["sha1_git"]) == sorted(contents["sha1_git"].unique())
    funnel = built.result.funnel
    assert funnel[0]["in"] == built.decisions.height
    for before, after in itertools.pairwise(funnel):
        assert before["kept"] == after["in"]
    assert funnel[-1]["kept"] == built.rows.height == built.result.rows
    assert (built.decisions["verdict"] == "kept").sum() == built.rows.height


@pytest.mark.parametrize(
    ("origin", "path", "stage", "reason"),
    [
        ("permissive", "src/alpha.py", "release", None),
        ("permissive", "src/gpl_header.py", "licences", "licence_refused"),
        ("copyleft", "tool.py", "licences", "licence_refused"),
        ("copyleft", "mit_header.py", "release", None),
        ("nothing", "loose.py", "licences", "no_licence"),
        ("permissive", "empty.py", "catalog", "empty"),
        ("permissive", "big.py", "catalog", "too_large"),
        ("permissive", "picture.png", "catalog", "path_rule"),
        ("permissive", "noise.dat2", "contents", "binary"),
        ("permissive", "src/generated.py", "quality", None),
    ],
)
def test_each_file_is_in_or_out_for_its_own_reason(
    built: mill.Built, origin: str, path: str, stage: str, reason: str | None
) -> None:
    found = decision(built, origin, path)
    assert found["stage"] == stage
    if reason or stage == "release":
        assert found["reason"] == reason
    else:
        assert found["reason"]


def test_every_reason_is_one_that_its_stage_documents(built: mill.Built) -> None:
    documented = {(stage.NAME, code) for stage in STAGES for code in stage.REASONS}
    given = built.decisions.filter(pl.col("reason").is_not_null()).select("stage", "reason").unique()
    assert set(given.iter_rows()) <= documented


def test_hostile_names_are_data(tmp_path: Path) -> None:
    names = [
        "a\nb.py",
        "tab\there.py",
        "quote\"'.py",
        "$(touch x).py",
        "%2e%2e.py",
        "<b>.py",
        "x" * 200 + ".py",
        "naïve.py",
    ]
    tree: dict[str, bytes] = {"LICENSE": mill.MIT.format(year=2020, holder="Ada Mill").encode()}
    tree |= {f"src/{name}": mill.program(100 + at).encode() for at, name in enumerate(names)}
    built = mill.build_in(tmp_path / "out", mill.make(tmp_path, {"hostile": tree}))
    assert {path.removeprefix("src/") for path in built.rows["path"]} == set(names)
    assert not verify(built.result.release).problems


def test_duplicates_name_a_kept_content(built: mill.Built) -> None:
    kept = set(built.decisions.filter(pl.col("verdict") == "kept")["sha1_git"])
    dropped = built.decisions.filter(pl.col("stage") == "deduplication")
    assert set(dropped["reason"]) == {"exact_duplicate", "near_duplicate"}
    assert set(dropped["kept"]) <= kept
    assert (dropped["jaccard"] >= 0.7).all()


def test_secrets_do_not_reach_the_release(built: mill.Built) -> None:
    text = "\n".join(built.rows["content"])
    for secret in mill.SECRETS:
        assert secret not in text
        for path in built.result.release.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes()
    assert built.rows["redactions"].list.len().sum() >= len(mill.SECRETS)


def test_the_release_verifies_and_is_sorted(built: mill.Built) -> None:
    assert not verify(built.result.release).problems
    for path in sorted((built.result.release / "data").rglob("*.parquet")):
        rows = pl.read_parquet(path)
        assert rows.select("origin", "path").equals(rows.select("origin", "path").sort("origin", "path"))


def test_building_again_reuses_everything(archive: Path, built: mill.Built) -> None:
    again = mill.build_in(built.out, archive)
    assert again.result.merkle_root == built.result.merkle_root
    assert all(row["reused"] == row["tasks"] for row in again.result.stages)


def test_shuffled_archive_and_other_folder_give_the_same_root(archive: Path, built: mill.Built, tmp_path: Path) -> None:
    shuffled = mill.shuffle(archive, tmp_path / "shuffled", seed=7)
    assert mill.build_in(tmp_path / "out", shuffled).result.merkle_root == built.result.merkle_root


def test_a_changed_recipe_is_refused_with_the_fields(archive: Path, tmp_path: Path) -> None:
    first = mill.build_in(tmp_path, archive)
    changed = parse_recipe({**mill.RECIPE, "deduplication": {"threshold": 0.9}}, name="changed")
    with pytest.raises(ConflictError, match=r"deduplication\.threshold: 0\.7 → 0\.9"):
        mill.build_in(tmp_path, archive, recipe=changed)
    bumped = parse_recipe(
        {**mill.RECIPE, "release": {"name": "mill", "version": "1.0.1"}, "deduplication": {"threshold": 0.9}}, name="b"
    )
    rerun = mill.build_in(tmp_path, archive, recipe=bumped, rerun_changed=True)
    assert rerun.result.release != first.result.release
    catalog = [row for row in rerun.result.stages if str(row["stage"]).startswith("catalog")]
    assert all(row["reused"] == row["tasks"] for row in catalog)


def test_an_existing_version_is_never_overwritten(archive: Path, tmp_path: Path) -> None:
    first = mill.build_in(tmp_path, archive)
    manifest = (first.result.release / "manifest.json").read_bytes()
    (tmp_path / "builds" / "mill").rename(tmp_path / "kept")
    changed = parse_recipe({**mill.RECIPE, "languages": {"exclude": ["Python"]}}, name="changed")
    with pytest.raises(ConflictError, match="exists"):
        mill.build_in(tmp_path, archive, recipe=changed)
    assert (first.result.release / "manifest.json").read_bytes() == manifest


def test_more_damage_than_allowed_stops_the_build_and_publishes_nothing(archive: Path, tmp_path: Path) -> None:
    damaged = mill.damage(archive, tmp_path / "damaged", share=0.5)
    with pytest.raises(IntegrityError, match="missing or damaged"):
        mill.build_in(tmp_path / "out", damaged)
    assert not list((tmp_path / "out").glob("releases/*/*"))


def test_a_little_damage_is_a_counted_decision(archive: Path, tmp_path: Path) -> None:
    damaged = mill.damage(archive, tmp_path / "damaged", path="src/alpha.py")
    recipe = parse_recipe({**mill.RECIPE, "catalog": {**mill.RECIPE["catalog"], "max_problem_fraction": 0.5}}, name="r")
    built = mill.build_in(tmp_path / "out", damaged, recipe=recipe)
    assert decision(built, "permissive", "src/alpha.py")["reason"] == "bad_gzip"


def test_killed_builds_resume_to_the_same_root(archive: Path, built: mill.Built, tmp_path: Path) -> None:
    memo = built.out / "builds" / "mill" / "licences" / "memo"
    total, points = mill.count_records(built.out), random.Random(11)
    for at in sorted(points.sample(range(total), 6)):
        assert mill.killed_build(tmp_path, archive, memo=memo, records=at) == -9
        for release in tmp_path.glob("releases/*/[!.]*"):
            assert not verify(release).problems
    assert mill.build_in(tmp_path, archive).result.merkle_root == built.result.merkle_root


def test_ray_workers_give_the_same_root(archive: Path, built: mill.Built, tmp_path: Path) -> None:
    assert mill.build_in(tmp_path, archive, workers=2).result.merkle_root == built.result.merkle_root


def test_two_builds_in_one_folder_are_refused(archive: Path, tmp_path: Path) -> None:
    from pipeline.build import build_folder

    with build_folder(tmp_path / "builds" / "mill"), pytest.raises(ConflictError, match="another build"):
        mill.build_in(tmp_path, archive)


def test_tables_json_names_existing_files(built: mill.Built) -> None:
    root = built.out / "builds" / "mill"
    document = json.loads((root / "tables.json").read_bytes())
    for name in ("repositories", "occurrences", "contents", "decisions"):
        assert document[name]
        assert all((root / path).is_file() for path in document[name])
    assert (root / document["release"]).resolve() == built.result.release
