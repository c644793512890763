"""Publishing: whole or absent, the same bytes every time, never over an existing version."""

from __future__ import annotations

import dataclasses
import fcntl
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from foundation.errors import ConfigError, ConflictError, IntegrityError, InternalError, StorageError, UsageError
from foundation.frames import arrow
from foundation.schema import RELEASE
from foundation.tables import write_table
from manifests import FunnelStage, ReleaseFacts, load_manifest, open_release, publish, verify

EVENTS = {"open", "os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.listdir"}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def staging(tools, tmp_path: Path) -> Path:
    tools("stage")(tmp_path / "staging", tools("make_rows")(12, seed=3), rows_a_shard=12)
    return tmp_path / "staging"


@pytest.fixture
def facts(tools) -> ReleaseFacts:
    return tools("make_facts")(12)


def test_sha256sum_accepts_every_file(published: Path) -> None:
    command = ["sha256sum", "-c", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=published, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert sorted(line.rpartition(": OK")[0] for line in done.stdout.splitlines()) == sorted(
        set(_bytes(published)) - {"SHA256SUMS"}
    )


def test_totals_and_tables_are_those_of_the_rows(published: Path, rows: pl.DataFrame) -> None:
    manifest = load_manifest(published)
    by_language = rows.group_by("language").agg(pl.len(), pl.col("length_bytes").sum())
    assert {(item.language, item.rows, item.bytes) for item in manifest.languages} == set(by_language.iter_rows())
    keys = ["licence_expression", "license_type"]
    by_licence = rows.group_by(keys).agg(pl.len(), pl.col("length_bytes").sum())
    assert {(item.expression, item.license_type, item.rows, item.bytes) for item in manifest.licences} == set(
        by_licence.iter_rows()
    )
    spans = rows["redactions"].explode().struct.field("kind").drop_nulls().to_list()
    assert manifest.redactions == {kind: spans.count(kind) for kind in set(spans)}
    assert manifest.totals.rows == rows.height
    assert manifest.totals.file_bytes == sum(path.stat().st_size for path in published.rglob("*.parquet"))
    for shard in manifest.shards:
        held = pl.read_parquet(published / shard.path, hive_partitioning=False, glob=False)
        assert (shard.min_origin, shard.max_origin) == (held["origin"].min(), held["origin"].max())


def test_the_card_and_stats_state_what_the_manifest_states(published: Path) -> None:
    manifest = load_manifest(published)
    card = (published / "README.md").read_text()
    assert f"{manifest.totals.rows:,} files" in card
    assert manifest.merkle_root in card
    assert f"sequence {manifest.created_from.registry.sequence}" in card
    stats = pl.read_csv(published / "stats/languages.csv")
    assert [tuple(row) for row in stats.iter_rows()] == [(i.language, i.rows, i.bytes) for i in manifest.languages]


def test_publishing_again_is_idempotent_and_leaves_staging(staging: Path, facts: ReleaseFacts, tmp_path: Path) -> None:
    before = _bytes(staging)
    target = publish(staging, tmp_path / "releases", facts)
    first, stamp = _bytes(target), target.stat().st_mtime_ns
    assert publish(staging, tmp_path / "releases", facts) == target
    assert (_bytes(target), target.stat().st_mtime_ns) == (first, stamp)
    assert _bytes(staging) == before
    assert [item.name for item in target.parent.iterdir() if item.is_dir()] == ["1.0.0"]


def test_same_shards_and_facts_give_the_same_bytes_elsewhere(
    staging: Path, facts: ReleaseFacts, tmp_path: Path
) -> None:
    shuffled = tmp_path / "other" / "staging"
    for path in sorted(staging.rglob("*.parquet"), reverse=True):
        copy = shuffled / path.relative_to(staging)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        (copy.parent / ".record-00000.json").write_text("not part of a release")
    reordered = dataclasses.replace(facts, recipe=dict(reversed(facts.recipe.items())))
    assert _bytes(publish(shuffled, tmp_path / "a", reordered)) == _bytes(publish(staging, tmp_path / "b", facts))


def test_an_existing_version_is_never_changed(staging: Path, facts: ReleaseFacts, tools, tmp_path: Path) -> None:
    target = publish(staging, tmp_path / "releases", facts)
    first = _bytes(target)
    with pytest.raises(ConflictError, match=r"created_from\.registry\.sequence: 17 → 18"):
        publish(staging, tmp_path / "releases", dataclasses.replace(facts, registry_sequence=18))
    tools("stage")(tmp_path / "more", tools("make_rows")(12, seed=4))
    with pytest.raises(ConflictError, match="immutable"):
        publish(tmp_path / "more", tmp_path / "releases", facts)
    assert _bytes(target) == first
    next_version = publish(tmp_path / "more", tmp_path / "releases", dataclasses.replace(facts, version="2.0.0"))
    assert verify(next_version).ok
    assert verify(target).ok


def test_a_damaged_existing_version_is_not_passed_off_as_published(
    staging: Path, facts: ReleaseFacts, tmp_path: Path
) -> None:
    target = publish(staging, tmp_path / "releases", facts)
    (target / "README.md").write_text("changed")
    with pytest.raises(IntegrityError, match=r"README\.md"):
        publish(staging, tmp_path / "releases", facts)


def test_where_nothing_can_be_written_the_error_names_the_release(
    staging: Path, facts: ReleaseFacts, tmp_path: Path
) -> None:
    (tmp_path / "releases").write_text("a file")
    with pytest.raises(StorageError, match=r"releases/demo/1\.0\.0"):
        publish(staging, tmp_path / "releases", facts)


def test_a_full_disk_leaves_no_release(staging: Path, facts: ReleaseFacts, tmp_path: Path) -> None:
    """Files beyond 2 kB are refused, as by a full disk; the shards are links, the manifest is larger."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, limits[1]))
    try:
        with pytest.raises(StorageError, match="cannot write"):
            publish(staging, tmp_path / "releases", facts)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert [item.name for item in (tmp_path / "releases" / "demo").iterdir()] == [".publish.lock"]
    assert verify(publish(staging, tmp_path / "releases", facts)).ok


def test_two_publishers_of_one_release_conflict(staging: Path, facts: ReleaseFacts, tmp_path: Path) -> None:
    (tmp_path / "releases" / "demo").mkdir(parents=True)
    with open(tmp_path / "releases" / "demo" / ".publish.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="being published"):
            publish(staging, tmp_path / "releases", facts)
    assert publish(staging, tmp_path / "releases", facts).is_dir()


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\n", "é"])
def test_names_that_are_no_folder_are_refused(name: str, staging: Path, facts: ReleaseFacts, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        publish(staging, tmp_path / "releases", dataclasses.replace(facts, name=name))


@pytest.mark.parametrize("version", ["1", "1.0", "01.0.0", "1.0.0-rc1", "1.0.0\n", "v1.0.0", "../1.0.0"])
def test_versions_are_strictly_three_numbers(version: str, staging: Path, facts: ReleaseFacts, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        publish(staging, tmp_path / "releases", dataclasses.replace(facts, version=version))


def test_what_must_not_be_published(staging: Path, facts: ReleaseFacts, tools, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    with pytest.raises(UsageError, match="no staged shards"):
        publish(tmp_path / "absent", releases, facts)
    short = [FunnelStage(stage="last", entered=12, kept=11, dropped={"x": 1})]
    with pytest.raises(InternalError, match="kept 11, but the release has 12 rows"):
        publish(staging, releases, dataclasses.replace(facts, funnel=short))
    with pytest.raises(IntegrityError, match="not what was written"):
        publish(staging, releases, dataclasses.replace(facts, checksums={}))
    shard = next(staging.rglob("*.parquet"))
    (shard.parent / "stray.txt").write_text("x")
    with pytest.raises(InternalError, match=r"stray\.txt"):
        publish(staging, releases, facts)
    (shard.parent / "stray.txt").unlink()
    write_table(shard, arrow(tools("make_rows")(30), RELEASE), RELEASE)
    with pytest.raises(InternalError, match="one language and one licence class"):
        publish(staging, releases, facts)
    write_table(shard, pa.table({"path": ["a"]}), pa.schema([("path", pa.string())]))
    with pytest.raises(InternalError, match="columns are not those"):
        publish(staging, releases, facts)
    assert not any(item.is_dir() for item in (releases / "demo").iterdir())


def test_a_release_without_rows_can_be_published_and_read(facts: ReleaseFacts, tmp_path: Path) -> None:
    (tmp_path / "empty" / "data").mkdir(parents=True)
    nothing = [FunnelStage(stage="catalog", entered=3, kept=0, dropped={"opted_out": 3})]
    target = publish(tmp_path / "empty", tmp_path / "releases", dataclasses.replace(facts, funnel=nothing))
    assert verify(target).ok
    assert open_release(target).read().height == 0


def test_copies_when_staging_cannot_be_linked(facts: ReleaseFacts, tools, tmp_path: Path) -> None:
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    staging = shm / f"gristmill-test-{os.getpid()}"
    try:
        tools("stage")(staging, tools("make_rows")(12, seed=3), rows_a_shard=12)
        assert verify(publish(staging, tmp_path / "releases", facts)).ok
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish_and_die(staging: Path, releases: Path, facts: ReleaseFacts, fatal: int) -> None:
    """Publish, and kill this process (-9) just before its `fatal`-th call to the file system."""
    calls = 0

    def count(event: str, args: tuple[object, ...]) -> None:
        nonlocal calls
        if event in EVENTS:
            calls += 1
            if calls == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    publish(staging, releases, facts)


def test_killed_at_any_call_to_the_file_system(tools, facts: ReleaseFacts, tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    tools("stage")(staging, tools("make_rows")(12, seed=3).with_columns(language=pl.lit("C#")))
    expected = _bytes(publish(staging, tmp_path / "expected", facts))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["manifests"])
    outcomes = {"absent": 0, "whole": 0}
    for fatal in range(1, 2000, 3):
        releases = tmp_path / f"releases-{fatal}"
        child = context.Process(target=_publish_and_die, args=(staging, releases, facts, fatal))
        child.start()
        child.join()
        target = releases / "demo" / "1.0.0"
        outcomes["whole" if target.exists() else "absent"] += 1
        if target.exists():
            assert _bytes(target) == expected
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        assert _bytes(publish(staging, releases, facts)) == expected
        assert sorted(item.name for item in target.parent.iterdir()) == [".publish.lock", "1.0.0"]
        shutil.rmtree(releases)
    assert child.exitcode == 0
    assert outcomes["absent"] >= 15
    assert outcomes["whole"] >= 1
