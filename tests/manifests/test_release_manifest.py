"""The manifest: whatever is wrong with it is refused, by key; the layout is safe for every name."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from foundation.canonical import readable_json
from foundation.errors import ConfigError, IntegrityError
from foundation.layout import SHARD_PATH, language_slug, shard_path
from manifests import FunnelStage, load_manifest, parse_manifest


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return [path]
    return [leaf for key, item in items for leaf in _leaves(item, (*path, key))]


def _changed(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    return "x" if value is None else value + 1


def test_every_single_changed_value_is_noticed(published: Path) -> None:
    original = (published / "manifest.json").read_bytes()
    leaves = _leaves(json.loads(original))
    for leaf in leaves[:: max(1, len(leaves) // 150)]:
        document = json.loads(original)
        holder = document
        for key in leaf[:-1]:
            holder = holder[key]
        holder[leaf[-1]] = _changed(holder[leaf[-1]])
        with pytest.raises(IntegrityError, match=r"manifest\.json: "):
            parse_manifest(readable_json(document), where="manifest.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        (
            {"totals": {"shards": "3", "rows": 1, "bytes": 1, "file_bytes": 1}},
            r"totals\.shards: Input should be a valid i",
        ),
        ({"format_version": 1}, "format_version: Input should be 3"),
        ({"merkle_root": "0" * 64}, "merkle_root is not the root over the shards"),
        (
            {"funnel": [{"stage": "s", "unit": "u", "in": 3, "kept": 1, "dropped": {"r": 1}}]},
            r"funnel\.0: .* 3 ≠ kept 1",
        ),
        ({"languages": []}, "languages do not agree with shards"),
        ({"self_sha256": "0" * 64}, "self_sha256"),
    ],
)
def test_errors_name_the_file_and_the_key(published: Path, tmp_path: Path, change: Any, message: str) -> None:
    document = {**json.loads((published / "manifest.json").read_bytes()), **change}
    (tmp_path / "manifest.json").write_bytes(readable_json(document))
    with pytest.raises(IntegrityError, match=message) as caught:
        load_manifest(tmp_path)
    assert str(tmp_path / "manifest.json") in str(caught.value)


@pytest.mark.parametrize(
    "mangle", [lambda d: d + b"\n", lambda d: d.replace(b"  ", b" ", 1), lambda d: d[:-2], lambda d: b""]
)
def test_only_the_canonical_spelling_is_accepted(published: Path, mangle: Any) -> None:
    with pytest.raises(IntegrityError):
        parse_manifest(mangle((published / "manifest.json").read_bytes()), where="m")


def test_duplicate_keys_are_refused(published: Path) -> None:
    data = (published / "manifest.json").read_bytes()
    with pytest.raises(IntegrityError, match="canonical"):
        parse_manifest(data.replace(b'  "name": "demo"', b'  "name": "other",\n  "name": "demo"', 1), where="m")


def test_a_folder_without_a_manifest_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a release"):
        load_manifest(tmp_path)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(min_size=1), st.integers(1, 10**9), max_size=5), st.integers(0, 10**9), st.integers(-3, 3)
)
def test_a_funnel_stage_adds_up_or_is_refused(dropped: dict[str, int], kept: int, error: int) -> None:
    entered = kept + sum(dropped.values()) + error
    if error or entered < 0:
        with pytest.raises(ValidationError):
            FunnelStage(stage="s", entered=entered, kept=kept, dropped=dropped)
    else:
        assert FunnelStage(stage="s", entered=entered, kept=kept, dropped=dropped).kept == kept


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(), st.from_regex(r"[._~%A-Za-z0-9/-]{0,200}", fullmatch=True)), max_size=30)
)
def test_slugs_are_one_safe_component_and_tell_names_apart(names: list[str | None]) -> None:
    slugs = {name: language_slug(name) for name in names}
    assert len(set(slugs.values())) == len(slugs)
    for name, slug in slugs.items():
        path = PurePosixPath(shard_path("permissive", name, 7))
        assert path.parts == ("data", "permissive", slug, "part-00007.parquet")
        assert SHARD_PATH.fullmatch(str(path))
        assert slug.isascii()
        assert len(slug) <= 255
        assert not slug.startswith(".")
        assert slug.startswith("_") == (name is None)
