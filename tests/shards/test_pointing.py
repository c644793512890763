"""What stands for a path: exactly what a plain reading of occurrences and decisions says."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InternalError
from foundation.frames import arrow, frame
from foundation.schema import DECISIONS, NOT_FILES, OCCURRENCES, PRESENT_VIAS, RELEASE_PATHS, VIAS
from foundation.swhid import EMPTY_BLOB
from stages.contents.choosing import NOT_CONTENTS
from stages.shards.pointing import POINTERS, pointed, summaries

CONTENTS = [letter * 40 for letter in "abcdef"]
EARLY = [None, "symlink", "path_rule", "opted_out_path", "opted_out_content", *NOT_FILES]
Drawn = tuple[list[tuple[int, str, str | None]], dict[str, tuple[str, int]]]


def table(rows: list[dict[str, object]], schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frame(schema.empty_table()).schema)


@st.composite
def builds(draw: st.DrawFn) -> Drawn:
    """(occurrences as (origin number, content, reason), what became of each content: (kind, number it leans on))."""
    contents = [*CONTENTS, EMPTY_BLOB]
    fates = {
        content: draw(
            st.tuples(st.sampled_from(["kept", "exact_duplicate", "near_duplicate", "dropped"]), st.integers(0, 5))
        )
        for content in contents
    }
    places = st.tuples(st.integers(0, 3), st.sampled_from(contents), st.sampled_from(EARLY))
    return draw(st.lists(places, max_size=25)), fates


def frames(drawn: Drawn) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    places, fates = drawn
    kept = [content for content, (kind, _) in fates.items() if kind == "kept"] or [CONTENTS[0]]
    occurrences = [
        {"origin": f"o{origin}", "path": b"%d" % number, "mode": 0o100644, "sha1_git": content, "reason": reason}
        for number, (origin, content, reason) in enumerate(places)
    ]
    decisions, pointers = [], []
    for content, (kind, number) in fates.items():
        own = [row for row in occurrences if row["sha1_git"] == content and row["reason"] is None]
        first = own[0] if own else {"origin": "elsewhere", "path": b"x"}
        leans = kind in ("exact_duplicate", "near_duplicate")
        decisions.append(
            {"sha1_git": content, "origin": first["origin"], "path": first["path"]}
            | {"verdict": "kept" if kind == "kept" else "dropped", "reason": None if kind == "kept" else kind}
        )
        if leans:
            pointers.append(
                {"sha1_git": content, "via": kind, "kept": kept[number % len(kept)], "kept_origin": "there"}
                | {"jaccard": 1.0 if kind == "exact_duplicate" else 0.8}
            )
    return table(occurrences, OCCURRENCES), table(decisions, DECISIONS), table(pointers, POINTERS)


@settings(max_examples=100, deadline=None)
@given(builds())
def test_each_path_is_told_as_a_plain_reading_tells_it(drawn: Drawn) -> None:
    occurrences, decisions, pointers = frames(drawn)
    rows = frame(arrow(pointed(occurrences, decisions, pointers), RELEASE_PATHS))
    decided = {row["sha1_git"]: row for row in decisions.to_dicts()}
    leaning = {row["sha1_git"]: row for row in pointers.to_dicts()}
    listed = [row for row in occurrences.to_dicts() if not str(row["reason"]).startswith("opted_out")]
    assert [row["path"] for row in rows.to_dicts()] == [row["path"] for row in listed]
    for row, place in zip(rows.to_dicts(), listed, strict=True):
        decision, pointer = decided[place["sha1_git"]], leaning.get(place["sha1_git"])
        if place["reason"] in (*NOT_FILES, "symlink"):
            expected = (None, None, None, place["reason"])
        elif decision["verdict"] == "kept":
            own = (place["origin"], place["path"]) == (decision["origin"], decision["path"])
            expected = ("row" if own else "identical", place["sha1_git"], decision["origin"], None)
        elif place["sha1_git"] == EMPTY_BLOB:
            expected = ("empty", None, None, None)
        elif pointer is not None:
            expected = (pointer["via"], pointer["kept"], pointer["kept_origin"], None)
        else:
            expected = (None, None, None, place["reason"] or decision["reason"])
        assert (row["via"], row["kept"], row["kept_origin"], row["reason"]) == expected
        assert (row["jaccard"] is None) == (row["kept"] is None)


@settings(max_examples=50, deadline=None)
@given(builds())
def test_repositories_count_what_their_paths_say(drawn: Drawn) -> None:
    rows = frame(arrow(pointed(*frames(drawn)), RELEASE_PATHS))
    states = pl.DataFrame({"origin": [f"o{number}" for number in range(4)]}).with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in ("repo_name", "anchor", "snapshot", "branch", "revision")),
        pl.lit(None, pl.String).alias("root"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("visit_date"),
    )
    counted = {row["origin"]: row for row in summaries(rows, states).to_dicts()}
    assert set(counted) == set(rows["origin"])
    for origin, row in counted.items():
        own = [each for each in rows.to_dicts() if each["origin"] == origin]
        assert row["files"] == sum(each["reason"] not in NOT_FILES for each in own)
        assert row["present"] == sum(each["via"] in PRESENT_VIAS for each in own)
        assert row["resembled"] == sum(each["via"] == "near_duplicate" for each in own)


def test_an_occurrence_without_a_decision_is_a_bug() -> None:
    occurrences, decisions, pointers = frames(([(0, CONTENTS[0], None)], {}))
    with pytest.raises(InternalError, match="1 occurrences have no decision"):
        pointed(occurrences, decisions, pointers)


def test_both_rooms_mean_the_same_entries() -> None:
    assert set(NOT_FILES) == set(NOT_CONTENTS)
    assert set(PRESENT_VIAS) < set(VIAS)
