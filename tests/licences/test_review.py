"""`gristmill review licences`: the notices in doubt, the heaviest first, shown without harm."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ConfigError
from foundation.frames import frame
from pipeline.cli.main import run
from pipeline.recipe import ReleaseSection
from pipeline.recipe_file import parse_recipe
from pipeline.review import review_licences
from stages.licences import DETECTIONS, DOUBTS, NOTICES, NOTICES_KEPT, doubts, kept_notices
from stages.licences.detection import TOOL
from stages.licences.doubts import MAX_TEXT
from tests.support import mill

NEXT = ReleaseSection(name="mill", version="1.0.1")
STRANGE = "Frobnication Terms \x1b[31m\u202e\n\n" + " ".join(
    f"The bearer may frobnicate the widget on day {day} and shall hum while doing it." for day in range(1, 40)
)


def row(**changes: object) -> dict[str, object]:
    base = {"kind": "text", "length": 1000, "expression": "MIT", "status": "detected", "score": 100.0, "tool": TOOL}
    return base | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"score": 95.0}, []),
        ({"score": 94.9}, ["approximate"]),
        ({"score": 79.0}, ["low_score"]),
        ({"expression": "Artistic-2.0"}, ["disputed"]),
        ({"expression": "MIT OR Ruby", "score": 10.0}, ["disputed", "low_score"]),
        ({"expression": "MIT AND LicenseRef-scancode-unknown-license-reference"}, ["unknown"]),
        ({"expression": "LicenseRef-somebody-s-own", "tool": "license-expression"}, ["unknown"]),
        ({"expression": "LicenseRef-scancode-public-domain"}, []),
        ({"expression": "GPL-2.0-only WITH Classpath-exception-2.0"}, []),
        ({"expression": None, "status": "timed_out", "score": None}, ["timed_out"]),
        ({"expression": None, "status": "none", "score": None}, ["unknown"]),
        ({"expression": None, "status": "none", "score": None, "kind": "header"}, []),
        ({"expression": None, "status": "none", "score": None, "length": 20}, []),
    ],
)
def test_a_doubt_has_a_name(changes: dict[str, object], expected: list[str]) -> None:
    found = doubts(pl.DataFrame([row(**changes)], schema_overrides={"expression": pl.String, "score": pl.Float64}))
    assert found.to_list() == [expected]
    assert set(expected) <= set(DOUBTS)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 100), st.integers(0, 2 * MAX_TEXT)), max_size=6))
def test_each_notice_is_kept_once_with_a_bounded_text(told: list[tuple[str, float, int]]) -> None:
    first = {letter: (score, length) for letter, score, length in reversed(told)}
    texts = {letter: "é" * (length + 1) for letter, (_, length) in first.items()}
    rows = [dict.fromkeys(NOTICES.names) | {"notice": a * 64, "kind": "text", "text": texts[a]} for a, *_ in told]
    found = [
        dict.fromkeys(DETECTIONS.names)
        | {"notice": a * 64, "expression": "MIT", "status": "detected", "score": s, "tool": TOOL}
        for a, (s, _) in first.items()
    ]
    notices = pl.DataFrame(rows, schema=frame(NOTICES.empty_table()).schema)
    detections = pl.DataFrame(found, schema=frame(DETECTIONS.empty_table()).schema)
    kept = kept_notices(notices, detections)
    assert kept.columns == NOTICES_KEPT.names
    assert kept["notice"].to_list() == sorted(letter * 64 for letter in first)
    for each in kept.to_dicts():
        score, length = first[each["notice"][0]]
        assert each["length"] == length + 1
        assert each["text"] == (None if score >= 95 else "é" * min(length + 1, MAX_TEXT))
    assert kept.equals(kept_notices(notices.reverse(), detections.reverse()))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trees = {
        "strange": {
            "LICENSE": STRANGE.encode(),
            **{f"tool_{number}.py": mill.program(number).encode() for number in range(3)},
        },
        "plain": {
            "LICENSE": mill.MIT.format(year=2020, holder="Ada Mill").encode(),
            "free.py": mill.program(7).encode(),
            "tagged.py": mill.program(8, header="# SPDX-License-Identifier: Artistic-2.0\n").encode(),
        },
    }
    return mill.make(tmp_path_factory.mktemp("archive"), trees)


@pytest.fixture(scope="module")
def built(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> mill.Built:
    return mill.build_in(tmp_path_factory.mktemp("out"), archive)


def again(built: mill.Built, archive: Path, out: Path, **settings: object) -> mill.Built:
    """The archive of `built` under other licence settings, nothing detected twice."""
    recipe = parse_recipe({**mill.RECIPE, "licences": settings}, name="again")
    return mill.build_in(out, archive, recipe=recipe, memo=built.out / "builds" / "mill" / "licences" / "memo")


def test_doubtful_notices_come_by_the_bytes_that_rest_on_them(built: mill.Built) -> None:
    found = review_licences(built.out)
    assert (found.total, found.doubtful, found.reviewed) == (3, 2, 0)
    strange, tagged = found.notices
    contents = built.table("contents").filter(pl.col("origin").str.ends_with("/strange"))
    assert (strange.doubts, strange.contents, strange.kept) == (("unknown",), 4, 0)
    assert strange.bytes == contents["length"].sum() > tagged.bytes
    assert strange.place == "https://example.org/team/strange:LICENSE"
    assert strange.text.lower().startswith("frobnication terms")
    assert (tagged.doubts, tagged.expression, tagged.contents) == (("disputed",), "Artistic-2.0", 1)
    assert review_licences(built.out / "builds" / "mill", limit=1).notices == (strange,)


def test_contents_that_were_never_read_count_too(built: mill.Built, archive: Path, tmp_path: Path) -> None:
    cheap = again(built, archive, tmp_path, read_headers="where_path_allows")
    assert review_licences(cheap.out).notices[0] == review_licences(built.out).notices[0]
    refused = cheap.decisions.filter(pl.col("reason") == "licence_refused")
    assert set(refused["threshold"]) == {"permissive"}


def test_the_command_escapes_cuts_and_counts(built: mill.Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", "licences", "--build", str(built.out), "--limit", "1"]) == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out and "\u202e" not in shown.out
    assert "unknown" in shown.out and "more characters" in shown.out and "4 contents" in shown.out
    assert "3 notices: 2 in doubt, 1 not shown, 0 reviewed" in shown.err
    assert run(["review", "licences", "--build", str(built.out), "--json", "--limit", "0"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [notice["doubts"] for notice in document["notices"]] == [["unknown"], ["disputed"]]
    assert document["notices"][0]["length"] == len(document["notices"][0]["text"]) > 1200


def test_what_was_reviewed_is_not_asked_again(built: mill.Built, archive: Path, tmp_path: Path) -> None:
    strange = review_licences(built.out).notices[0].notice
    entry = {"notice": strange, "expression": "NONE", "reviewer": "Ada", "date": "2026-11-23", "reason": "no licence"}
    later = again(built, archive, tmp_path, overrides=[entry])
    found = review_licences(later.out)
    assert (found.doubtful, found.reviewed) == (1, 1)
    assert strange not in {notice.notice for notice in found.notices}
    decided = later.decisions.filter(pl.col("origin").str.ends_with("/strange"), pl.col("stage") == "licences")
    assert set(decided["reason"]) == {"no_licence"}


def test_a_policy_decides_over_rows(built: mill.Built, archive: Path, tmp_path: Path) -> None:
    settings = {"keep": ["permissive", "non_permissive"], "allow": ["Artistic-2.0", "ISC"]}
    for number, extra in enumerate(({}, {"read_headers": "where_path_allows"})):
        found = again(built, archive, tmp_path / str(number), **settings, **extra)
        free = found.decisions.filter(pl.col("path") == b"free.py").row(0, named=True)
        assert (free["reason"], free["value"]) == ("licence_refused", "MIT")
        assert free["threshold"] == "allow: Artistic-2.0, ISC"
        # By its path alone tagged.py is MIT: it is read, and heard, only where headers are read everywhere.
        assert set(found.rows["path"]) == (set() if extra else {"tagged.py"})


def test_another_policy_reads_no_licence_file_again(built: mill.Built, archive: Path, tmp_path: Path) -> None:
    again(built, archive, tmp_path)
    recipe = parse_recipe({**mill.RECIPE, "licences": {"allow": ["ISC"]}}, name="stricter")
    found = mill.build_in(tmp_path, archive, recipe=recipe.model_copy(update={"release": NEXT}), rerun_changed=True)
    stages = {str(stage["stage"]): stage for stage in found.result.stages}
    assert stages["licences: licence files"]["reused"] == stages["licences: licence files"]["tasks"] > 0
    assert found.rows.height == 0


def test_a_build_without_notices_says_how_to_get_them(built: mill.Built, tmp_path: Path) -> None:
    listing = json.loads((built.out / "builds" / "mill" / "tables.json").read_bytes())
    del listing["notices"], listing["release"]
    (tmp_path / "tables.json").write_text(json.dumps(listing))
    with pytest.raises(ConfigError, match="holds no licence notices"):
        review_licences(tmp_path)
    with pytest.raises(ConfigError):
        review_licences(tmp_path / "nowhere")
