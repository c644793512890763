"""Overrides: what people say of a notice stands in the place of what was detected, with their name to it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ConfigError, ConflictError
from foundation.frames import frame
from pipeline.recipe import Recipe
from pipeline.recipe_file import load_recipe, parse_recipe
from stages.licences import (
    DETECTIONS,
    NOTICES,
    STATED,
    Override,
    Settings,
    overrides_table,
    read_overrides,
    reviewed,
    spread,
    stated,
)
from tests.support import mill

NOTICE = "a" * 64
ENTRY = {
    "notice": NOTICE,
    "expression": "BSD-3-Clause",
    "reviewer": "Ada Mill",
    "date": "2026-11-23",
    "reason": "the holder's name stands in the third clause",
}
BASE = '[release]\nname = "r"\nversion = "1.0.0"\n'


def toml(*entries: dict[str, str], **changes: str) -> str:
    lines = []
    for entry in entries or (ENTRY,):
        lines += ["[[override]]", *(f'{key} = "{value}"' for key, value in (entry | changes).items())]
    return "\n".join(lines) + "\n"


def written(folder: Path, text: str, name: str = "overrides.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_file_is_read_in_the_order_of_its_notices(tmp_path: Path) -> None:
    second = ENTRY | {"notice": "0" * 64, "expression": "none"}
    found = read_overrides(written(tmp_path, toml(ENTRY, second)))
    assert [(entry.notice, entry.expression) for entry in found] == [("0" * 64, "NONE"), (NOTICE, "BSD-3-Clause")]
    assert found[1].date.isoformat() == "2026-11-23"
    bare = written(tmp_path, toml().replace('date = "2026-11-23"', "date = 2026-11-23"))
    assert read_overrides(bare) == found[1:]
    assert read_overrides(written(tmp_path, "")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (toml(notice="abc"), "override 1: notice"),
        (toml(expression="BSD-3-Claus"), "the nearest id is BSD-3-Clause"),
        (toml(expression="MIT OR"), "override 1: expression: not an SPDX expression"),
        (toml(reviewer=""), "override 1: reviewer"),
        (toml(reason="   "), "override 1: reason"),
        (toml(reason="a\\u001b[31mred"), "without control characters"),
        (toml(date="yesterday"), "override 1: date"),
        (toml().replace('"2026-11-23"', "2026-11-23T10:00:00"), "expected a day"),
        (toml().replace('"2026-11-23"', "20261123"), "expected a day"),
        (toml(licence="MIT"), "override 1: licence: unknown key"),
        ("[[override]]\n", "override 1: notice: Field required"),
        ("override = 3\n", "cannot read 'override'"),
        ('override = ["x"]\n', "override 1: entry"),
        (toml() + "[other]\n", "cannot read 'other'"),
        ("[[override", "not valid TOML"),
    ],
)
def test_mistakes_name_the_file_the_entry_and_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_overrides(path)
    assert said in caught.value.message and str(path) in caught.value.message and caught.value.hint


def test_a_missing_file_and_a_notice_given_twice_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the overrides"):
        read_overrides(tmp_path / "none.toml")
    with pytest.raises(pydantic.ValidationError, match="given twice"):
        Settings.model_validate({"overrides": [ENTRY, ENTRY]})


def recipe_with(folder: Path, entries: str, name: str = "overrides.toml") -> Recipe:
    written(folder, entries, name)
    return load_recipe(written(folder, BASE + f'[licences]\noverrides = "{name}"\n', "recipe.toml"))


def test_the_content_of_the_file_is_part_of_the_recipe_its_place_is_not(tmp_path: Path) -> None:
    here = recipe_with(tmp_path / "a", toml())
    there = recipe_with(tmp_path / "b", "# the same, elsewhere\n" + toml(), "reviews.toml")
    other = recipe_with(tmp_path / "c", toml(expression="MIT"))
    assert here.fingerprint() == there.fingerprint() != other.fingerprint()
    assert here.identity()["licences"]["overrides"] == [ENTRY]  # type: ignore[index,call-overload]
    assert load_recipe(written(tmp_path, BASE, "plain.toml")).licences.overrides == ()
    assert parse_recipe({**mill.RECIPE, "licences": {"overrides": [ENTRY]}}, name="inline").licences.overrides


def detections(*rows: dict[str, object]) -> pl.DataFrame:
    empty = dict.fromkeys(DETECTIONS.names)
    return pl.DataFrame([empty | row for row in rows], schema=frame(DETECTIONS.empty_table()).schema)


def test_a_review_replaces_what_was_detected() -> None:
    found = detections(
        {"notice": NOTICE, "expression": "MIT", "status": "detected", "score": 50.0, "rule": "x", "tool": "t"},
        {"notice": "b" * 64, "status": "timed_out", "tool": "t"},
        {"notice": "c" * 64, "expression": "ISC", "status": "detected", "score": 99.0, "rule": "y", "tool": "t"},
    )
    said = frame(
        overrides_table(
            [
                Override.model_validate(ENTRY | {"expression": "NONE"}),
                Override.model_validate(ENTRY | {"notice": "b" * 64}),
            ]
        )
    )
    got = reviewed(found, said)
    assert got["notice"].to_list() == found["notice"].to_list()
    assert got["expression"].to_list() == [None, "BSD-3-Clause", "ISC"]
    assert got["status"].to_list() == ["none", "detected", "detected"]
    assert got["tool"].to_list() == ["review", "review", "t"]
    assert got["score"].to_list() == [None, None, 99.0]
    assert reviewed(found).drop("reviewed").equals(found)


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.permutations("abcdef"))
def test_the_order_of_entries_and_notices_says_nothing(chosen: list[str], order: list[str]) -> None:
    rows = [{"notice": letter * 64, "expression": "MIT", "status": "detected"} for letter in order]
    entries = [Override.model_validate(ENTRY | {"notice": letter * 64}) for letter in chosen]
    got = reviewed(detections(*rows), frame(overrides_table(entries))).sort("notice")
    again = reviewed(detections(*sorted(rows, key=str)), frame(overrides_table(entries[::-1]))).sort("notice")
    assert got.equals(again)
    assert set(got.filter(pl.col("expression") == "BSD-3-Clause")["notice"]) == {letter * 64 for letter in chosen}


def spread_over(override: dict[str, str] | None) -> dict[str, object]:
    """The licence of `a.py` beside a LICENSE of a thousand words that nobody recognised, with what was said of it."""
    record = dict.fromkeys(NOTICES.names) | {"sha1_git": "0" * 40, "file_kind": "licence_file", "notice": NOTICE}
    record |= {"kind": "text", "start_line": 1, "end_line": 9, "text": "strange terms " * 100}
    notices = pl.DataFrame([record], schema=frame(NOTICES.empty_table()).schema)
    entries = [Override.model_validate(override)] if override else []
    found = reviewed(detections({"notice": NOTICE, "status": "none"}), frame(overrides_table(entries)))
    said = stated(notices, found).select([name for name, _ in STATED])
    statements = said.with_columns(origin=pl.lit("o"), path=pl.lit(b"LICENSE"))
    occurrences = pl.DataFrame({"origin": ["o"], "path": [b"a.py"]})
    repositories = pl.DataFrame({"origin": ["o"], "declared_licence": pl.Series([None], dtype=pl.String)})
    return spread(occurrences, statements, repositories).row(0, named=True)


def test_a_review_settles_a_path_and_stands_in_the_evidence() -> None:
    assert spread_over(None)["licence_class"] == "non_permissive"
    settled = spread_over(ENTRY)
    assert (settled["licence_expression"], settled["licence_class"]) == ("BSD-3-Clause", "permissive")
    evidence = json.loads(str(settled["licence_evidence"]))
    assert evidence["reviewed"] == {"by": "Ada Mill", "date": "2026-11-23", "reason": ENTRY["reason"]}
    assert (evidence["rule"], evidence["tool"], evidence["notice"]) == ("reviewed", "review", NOTICE)
    assert spread_over(ENTRY | {"expression": "NONE"})["licence_expression"] is None


TERMS = "Frobnication Terms\n\n" + " ".join(
    f"The bearer may frobnicate the widget on day {day} and shall hum while doing it." for day in range(1, 30)
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trees = {
        "strange": {"LICENSE": TERMS.encode(), "tool.py": mill.program(1).encode()},
        "plain": {
            "LICENSE": mill.MIT.format(year=2020, holder="Ada Mill").encode(),
            "free.py": mill.program(2).encode(),
            "tagged.py": mill.program(3, header="# SPDX-License-Identifier: Artistic-2.0\n").encode(),
        },
    }
    return mill.make(tmp_path_factory.mktemp("archive"), trees)


@pytest.fixture(scope="module")
def detected(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> mill.Built:
    return mill.build_in(tmp_path_factory.mktemp("out"), archive)


def with_entries(*entries: dict[str, str], **more: object) -> Recipe:
    return parse_recipe({**mill.RECIPE, "licences": {"overrides": entries, **more}}, name="reviewed")


def kept(built: mill.Built) -> set[str]:
    return set(built.rows["path"])


def notice_of(built: mill.Built, path: str) -> str:
    read = built.table("contents").filter(pl.col("path") == path.encode())
    return str(json.loads(read["licence_evidence"][0])["notice"])


def memo_of(built: mill.Built) -> Path:
    return built.out / "builds" / "mill" / "licences" / "memo"


def memo_bytes(built: mill.Built) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(memo_of(built).rglob("*.parquet"))}


def test_a_build_follows_its_reviewers(detected: mill.Built, archive: Path, tmp_path: Path) -> None:
    assert kept(detected) == {"free.py"}
    entries = [ENTRY | {"notice": notice_of(detected, "tool.py")}]
    entries += [ENTRY | {"notice": notice_of(detected, "tagged.py"), "expression": "MIT"}, ENTRY]
    built = mill.build_in(tmp_path, archive, recipe=with_entries(*entries), memo=memo_of(detected))
    assert kept(built) == {"free.py", "tool.py", "tagged.py"}
    tagged = built.rows.filter(pl.col("path") == "tagged.py").row(0, named=True)
    assert (tagged["licence_expression"], tagged["licence_source"]) == ("MIT", "header")
    assert json.loads(tagged["licence_evidence"])["reviewed"]["by"] == "Ada Mill"
    assert built.result.overrides.unmatched == (NOTICE,)
    assert built.result.to_json()["overrides"] == {
        "entries": 3,
        "matched": 2,
        "unmatched": 1,
        "unmatched_notices": [NOTICE],
    }
    assert NOTICE in built.result.overrides.warning()
    # Nothing was detected again, and the memo does not know that anybody spoke.
    assert memo_bytes(built) == memo_bytes(detected)


def test_overrides_that_must_match_stop_the_build(detected: mill.Built, archive: Path, tmp_path: Path) -> None:
    recipe = with_entries(ENTRY, overrides_must_match=True)
    with pytest.raises(ConfigError, match="1 of 1 licence overrides decide nothing"):
        mill.build_in(tmp_path, archive, recipe=recipe, memo=memo_of(detected))
    assert not list(tmp_path.glob("releases/*/*"))
    # Another review is another recipe.
    with pytest.raises(ConflictError, match="overrides"):
        mill.build_in(tmp_path, archive, recipe=with_entries(ENTRY | {"expression": "MIT"}))
