"""Opt-outs in a build: from the moment a request is held, its code is neither fetched nor released."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from foundation.canonical import readable_json
from foundation.errors import ConfigError
from foundation.exclusions import read_exclusions, write_exclusions
from foundation.swhid import content_swhid, git_object_id
from manifests import load_manifest
from pipeline.recipe_file import parse_recipe
from registry import open_registry, parse_selector
from tests.support import mill

ALPHA = mill.repositories()["permissive"]["src/alpha.py"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mill.make(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def free(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> mill.Built:
    return mill.build_in(tmp_path_factory.mktemp("free"), archive)


def exclusions(folder: Path, *selectors: tuple[str, str, str | None]) -> Path:
    registry = open_registry(folder / "registry.db")
    for kind, text, glob in selectors:
        registry.submit(parse_selector(kind, text, glob=glob), requester="someone@example.org")
    write_exclusions(folder / "exclusions.json", registry.export())
    return folder / "exclusions.json"


@pytest.mark.parametrize(
    ("kind", "text", "glob", "reason", "gone"),
    [
        ("repository", "https://example.org/team/permissive", None, "opted_out_repository", "permissive"),
        ("owner", "https://example.org/team", None, "opted_out_owner", "permissive"),
        ("path", "https://example.org/team/permissive", "src/**", "opted_out_path", "permissive"),
        ("content", content_swhid(git_object_id("blob", ALPHA)), None, "opted_out_content", ""),
    ],
)
def test_opted_out_code_is_neither_read_nor_released(
    archive: Path, free: mill.Built, tmp_path: Path, kind: str, text: str, glob: str | None, reason: str, gone: str
) -> None:
    memo = free.out / "builds" / "mill" / "licences" / "memo"
    chosen = exclusions(tmp_path, (kind, text, glob))
    built = mill.build_in(tmp_path / "out", archive, exclusions=chosen, memo=memo)
    everything = pl.concat([built.table("occurrences")["reason"], built.table("repositories")["reason"]])
    assert reason in set(everything)
    covered = built.rows.filter((pl.col("origin").str.ends_with(f"/{gone}")) & pl.lit(kind != "content"))
    if kind == "path":
        covered = covered.filter(pl.col("path").str.starts_with("src/"))
    assert covered.is_empty()
    if kind in ("content", "path", "owner"):
        digest = hashlib.sha256(ALPHA).hexdigest()
        kept_elsewhere = kind == "path"
        assert (digest in set(built.rows["sha256"])) == kept_elsewhere
    read = set(built.table("contents")["sha1_git"])
    if kind == "content":
        assert git_object_id("blob", ALPHA) not in read
    if kind == "owner":
        assert built.rows.is_empty()
    honoured = load_manifest(built.result.release).created_from.registry
    assert (honoured.sequence, honoured.log_head) == (
        read_exclusions(chosen).sequence,
        read_exclusions(chosen).log_head,
    )


def test_a_registry_older_than_the_recipe_demands_is_refused(archive: Path, tmp_path: Path) -> None:
    recipe = parse_recipe({**mill.RECIPE, "optout": {"minimum_sequence": 99}}, name="r")
    chosen = exclusions(tmp_path, ("owner", "https://example.org/other", None))
    with pytest.raises(ConfigError, match="demands at least 99"):
        mill.build_in(tmp_path / "out", archive, recipe=recipe, exclusions=chosen)


def test_a_damaged_exclusions_file_is_refused(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "exclusions.json"
    path.write_bytes(readable_json({"sequence": 1}))
    with pytest.raises(ConfigError, match=r"exclusions\.json"):
        mill.build_in(tmp_path / "out", archive, exclusions=path)
