"""A repository in a release: every path once, the right text for it, figures that add up, damage by name."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import AnswerIsNo, ConfigError, ConflictError, IntegrityError, InternalError, UsageError
from foundation.frames import frame
from foundation.schema import NOT_FILES, PRESENT_VIAS, RELEASE_PATHS, VIAS
from manifests import RepositoryFile, load_manifest, open_release, publish, repository, verify
from manifests.repository import count_files
from tests.manifests import listings
from tests.manifests.listings import FORK, PARTS, TWINS, Listed


@pytest.fixture(scope="module")
def listed(tools, rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Listed:
    return listings.make(tmp_path_factory.mktemp("listed"), tools, rows, listings.made_paths(rows))


@pytest.fixture
def copy(listed: Listed, tmp_path: Path) -> Path:
    return Path(shutil.copytree(listed.release, tmp_path / "out" / "releases" / "demo" / "1.0.0"))


@pytest.fixture(scope="module")
def few(tools) -> pl.DataFrame:
    return tools("make_rows")(30, seed=4)


def _origins(listed: Listed) -> list[str]:
    return sorted({str(row["origin"]) for row in listed.paths})


def _flip(path: Path, bit: int) -> None:
    stamp = path.stat()
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << (bit % 8)
    with path.open("r+b") as stream:
        stream.write(data)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def _expected(listed: Listed, origin: str) -> dict[bytes, tuple[object, ...]]:
    def text(row: listings.Row) -> str | None:
        return "" if row["via"] == "empty" else None if row["kept"] is None else listed.text(row["kept"])

    names = ("mode", "content_id", "via", "kept", "kept_origin", "jaccard", "reason")
    return {bytes(row["path"]): (*(row[name] for name in names), text(row)) for row in listed.of(origin)}


def _seen(file: RepositoryFile) -> tuple[object, ...]:
    return (file.mode, file.content_id, file.via, file.kept, file.kept_origin, file.jaccard, file.reason, file.text)


def test_every_path_of_every_repository_with_its_own_text(listed: Listed) -> None:
    for origin in _origins(listed):
        view = repository(listed.release, origin)
        expected = _expected(listed, origin)
        files = list(view.files())
        assert len(files) == len(expected)
        assert {file.path_raw: _seen(file) for file in files} == expected
        assert [file.path_raw for file in view.listing()] == sorted(expected)
        assert all(file.text is None for file in view.listing())
        assert view.counts.files == view.counts.present + view.counts.resembled + sum(view.counts.missing.values())
        assert (view.snapshot_id, view.repo_name) == ("1" * 40, origin.split("/", 3)[3])
        assert json.loads(json.dumps(view.to_json()))["completeness"] == view.completeness


def test_a_repository_of_pointers_alone_can_be_rebuilt(listed: Listed) -> None:
    view = open_release(listed.release).repository(FORK)
    assert {file.via for file in view.listing()} >= {"identical", "exact_duplicate", "near_duplicate"}
    assert "row" not in {file.via for file in view.listing()}
    assert 0 < view.completeness < view.completeness_with_near < 1


ROWS = st.lists(st.tuples(st.sampled_from([*VIAS, None]), st.sampled_from(["too_large", *NOT_FILES])), max_size=60)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_figures_add_up_whatever_the_paths_are(kinds: list[tuple[str | None, str]]) -> None:
    paths = [(via, None if via else reason) for via, reason in kinds]
    schema = frame(RELEASE_PATHS.empty_table()).schema
    counts = count_files(pl.DataFrame([{"via": via, "reason": reason} for via, reason in paths], schema=schema))
    assert counts.files == counts.present + counts.resembled + sum(counts.missing.values())
    assert counts.files + sum(counts.not_files.values()) == len(paths)
    assert counts.present == sum(via in PRESENT_VIAS for via, _ in paths)
    assert counts.missing | counts.not_files == Counter(reason for _, reason in paths if reason)


def test_a_repository_is_found_under_its_other_spellings(listed: Listed) -> None:
    for asked in (FORK, f"{FORK}.git", FORK.upper().replace("HTTPS", "git"), "forks/numpy", "Forks/NumPy/"):
        assert repository(listed.release, asked).origin == FORK
    with pytest.raises(UsageError, match="names 2 repositories") as several:
        repository(listed.release, "twin/same")
    assert all(origin in several.value.hint for origin in TWINS)
    assert repository(listed.release, TWINS[1]).origin == TWINS[1]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("elsewhere/numpy", FORK),
        ("https://host.example:8443/forks/nunpy", f"did you mean '{FORK}'?"),
        ("https://nowhere.example/~zz/0x\x00'; --", ""),
    ],
)
def test_what_the_release_has_nothing_of_is_answered_no(listed: Listed, asked: str, hint: str) -> None:
    with pytest.raises(AnswerIsNo, match="holds nothing of") as caught:
        repository(listed.release, asked)
    assert hint in caught.value.hint


def test_what_cannot_be_an_origin_is_refused(listed: Listed) -> None:
    for asked in ("", "x" * 20_000, "half \udcff"):
        with pytest.raises(UsageError):
            repository(listed.release, asked)


def test_a_release_without_the_tables_says_so(published: Path) -> None:
    with pytest.raises(ConfigError, match="does not list its repositories' paths"):
        repository(published, FORK)


def test_only_what_can_hold_the_answer_is_read(copy: Path, listed: Listed) -> None:
    origin = min(row["origin"] for row in listed.paths if row["via"] == "row")
    own = [row for row in listed.of(origin) if row["kept_origin"] in (None, origin)]
    manifest = load_manifest(copy)
    shards = [shard for shard in manifest.shards if shard.min_origin > origin]
    assert own
    assert shards
    needed = {row["kept_origin"] for row in listed.of(origin)} - {None}
    for shard in manifest.shards:
        if not any(shard.min_origin <= str(each) <= shard.max_origin for each in needed):
            (copy / shard.path).unlink()
    wanted = repository(copy, origin)
    for table in manifest.tables:
        for part in table.files:
            held = pl.read_parquet(copy / part.path, columns=["origin"])["origin"]
            if origin not in held:
                (copy / part.path).unlink()
    assert {file.path_raw: _seen(file) for file in wanted.files()} == _expected(listed, origin)
    assert repository(copy, origin).counts == wanted.counts


def test_a_flipped_bit_anywhere_gives_no_wrong_file(copy: Path, listed: Listed) -> None:
    rng = random.Random(7)
    files = sorted(copy.rglob("*.parquet"))
    tables = [path for path in files if path.parent.name in ("paths", "repositories")]
    expected = _expected(listed, FORK)
    for _ in range(25):
        path = rng.choice(tables if rng.random() < 0.5 else files)
        bit = rng.randrange(path.stat().st_size * 8)
        _flip(path, bit)
        assert {problem.file for problem in verify(copy).problems} == {path.relative_to(copy).as_posix()}
        try:
            found = {file.path_raw: _seen(file) for file in repository(copy, FORK).files()}
        except IntegrityError as error:
            assert str(path) in str(error)
        else:
            assert found == expected
        _flip(path, bit)
    assert verify(copy).ok


def test_a_missing_or_added_part_is_named(copy: Path) -> None:
    gone = load_manifest(copy).tables[0].files[0].path
    (copy / gone).unlink()
    (copy / "paths" / "part-00009.parquet").write_bytes(b"x")
    assert {(item.file, item.kind) for item in verify(copy).problems} == {
        (gone, "missing"),
        ("paths/part-00009.parquet", "extra"),
    }


def test_a_pointer_to_nowhere_names_the_table(tools, few: pl.DataFrame, tmp_path: Path) -> None:
    paths = [dict(row) for row in listings.made_paths(few)]
    lost = next(row for row in paths if row["origin"] == FORK and row["via"] == "identical")
    lost["kept"] = "0" * 40
    made = listings.make(tmp_path, tools, few, paths)
    with pytest.raises(IntegrityError, match=r"paths/part-0000\d\.parquet points at 1 rows that no shard holds"):
        list(repository(made.release, FORK).files())


def test_the_root_and_the_card_cover_the_tables(listed: Listed) -> None:
    manifest = load_manifest(listed.release)
    parts = [part for table in manifest.tables for part in table.files]
    assert {part.path for part in parts} <= manifest.checksums().keys()
    assert {part.path for part in parts} < manifest.sizes().keys()
    card = (listed.release / "README.md").read_text()
    counted = Counter(str(row["via"] or "none") for row in listed.paths)
    for via, count in counted.items():
        assert f"| {via} | {count:,} |" in card
    assert 'data_files: "paths/*.parquet"' in card


def test_a_version_with_other_tables_is_another_version(tools, few: pl.DataFrame, tmp_path: Path) -> None:
    paths = listings.made_paths(few)
    listings.make(tmp_path, tools, few, paths)
    listings.make(tmp_path, tools, few, paths)
    shutil.rmtree(tmp_path / "staging")
    with pytest.raises(ConflictError, match="exists with other content"):
        listings.make(tmp_path, tools, few, [row for row in paths if row["via"] != "near_duplicate"])


def test_tables_that_disagree_are_not_published(tools, few: pl.DataFrame, tmp_path: Path) -> None:
    def attempt(paths: list[listings.Row], *, wrong: bool = False, **changes: object) -> None:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        sums = tools("stage")(folder, few)
        listings.stage_tables(folder, paths)
        chosen = {
            "table_parts": {"paths": PARTS, "repositories": PARTS},
            "checksums": sums if wrong else None,
            **changes,
        }
        publish(folder, tmp_path / "releases", tools("make_facts")(few.height, **chosen))

    paths = listings.made_paths(few)
    with pytest.raises(InternalError, match="paths point at 29 rows, but the release has 30"):
        attempt([row for row in paths if row is not next(row for row in paths if row["via"] == "row")])
    with pytest.raises(InternalError, match="holds an origin of another part"):
        attempt(paths, table_parts={"paths": PARTS + 1, "repositories": PARTS + 1})
    with pytest.raises(InternalError, match="is to have no table 'paths'"):
        attempt(paths, table_parts={})
    with pytest.raises(IntegrityError, match=r"not what was written: .*paths/part"):
        attempt(paths, wrong=True)
