"""Copies of the same bytes: each policy, unknown dates, ties, and evidence that names the copy that decided."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.canonical import canonical_json
from stages.contents.choosing import representatives
from stages.contents.copies import with_copies
from tests.contents.inputs import best, name_of, occurrence, overrules, placed, texts

FILE = name_of("file")
EARLY_GPL = occurrence(FILE, "https://example.org/gpl", "src/a.py", licence="GPL-2.0-only", day=10)
LATE_MIT = occurrence(FILE, "https://example.org/mit", "lib/a.py", day=20, stars=500)


def chosen(*rows, policy):
    contents = placed(*rows)
    work = representatives(contents).filter(pl.col("reason").is_null())
    return with_copies(work, contents, policy).row(0, named=True)


@pytest.mark.parametrize(
    ("policy", "expression", "source", "origin"),
    [
        ("earliest_origin", "GPL-2.0-only", "earliest_origin", "https://example.org/gpl"),
        ("any_copy", "GPL-2.0-only", "any_copy", "https://example.org/gpl"),
        ("best_copy", "MIT", "repository", "https://example.org/mit"),
    ],
)
def test_each_policy_names_the_copy_that_decided(policy, expression, source, origin):
    row = chosen(EARLY_GPL, LATE_MIT, policy=policy)
    assert (row["licence_expression"], row["licence_source"]) == (expression, source)
    evidence = json.loads(row["licence_evidence"])
    deciding = EARLY_GPL if expression != "MIT" else LATE_MIT
    assert evidence.pop("copy") == {
        "expression": expression,
        "first_seen": "1970-01-11T00:00:00Z" if deciding is EARLY_GPL else "1970-01-21T00:00:00Z",
        "origin": origin,
        "path": deciding["path"].decode(),
        "policy": policy,
        "swhid": f"swh:1:cnt:{FILE}",
    }
    assert evidence == json.loads(deciding["licence_evidence"])
    assert row["licence_evidence"].encode() == canonical_json(json.loads(row["licence_evidence"]))


def test_the_representative_stays_the_best_occurrence_whoever_decides():
    row = chosen(EARLY_GPL, LATE_MIT, policy="earliest_origin")
    assert (row["origin"], row["path"], row["occurrences"]) == (LATE_MIT["origin"], b"lib/a.py", 2)


@pytest.mark.parametrize(("policy", "expression"), [("earliest_origin", "MIT"), ("any_copy", "GPL-2.0-only")])
def test_an_unknown_date_is_never_the_earliest_but_any_copy_hears_it(policy, expression):
    undated = occurrence(FILE, "https://example.org/gpl", licence="GPL-2.0-only")
    row = chosen(undated, LATE_MIT, policy=policy)
    assert row["licence_expression"] == expression
    assert json.loads(row["licence_evidence"])["copy"]["first_seen"] == (
        None if policy == "any_copy" else "1970-01-21T00:00:00Z"
    )


def test_a_permissive_origin_that_is_earlier_or_as_early_stands():
    for day in (5, 10):
        assert (
            chosen(EARLY_GPL, {**LATE_MIT, "rank_first_seen": day * 86_400_000_000}, policy="earliest_origin")[
                "licence_expression"
            ]
            == "MIT"
        )


def test_a_file_that_lies_in_one_place_has_nobody_to_name():
    row = chosen(EARLY_GPL, policy="earliest_origin")
    assert row["licence_evidence"] == EARLY_GPL["licence_evidence"]


def test_an_opted_out_copy_is_heard_but_not_named():
    row = chosen({**EARLY_GPL, "reason": "opted_out_repository"}, LATE_MIT, policy="earliest_origin")
    assert row["licence_class"] == "non_permissive"
    named = json.loads(row["licence_evidence"])["copy"]
    assert (named["origin"], named["path"], named["expression"]) == (None, None, "GPL-2.0-only")


def test_names_from_strangers_stay_json():
    hostile = {**EARLY_GPL, "origin": 'https://example.org/"},{"x":1', "path": b'a"\n\\\xff\x01.py'}
    named = json.loads(chosen(hostile, LATE_MIT, policy="earliest_origin")["licence_evidence"])["copy"]
    assert named["origin"] == hostile["origin"]
    assert named["path"] == 'a"\n\\\\xff\x01.py'


@settings(max_examples=60, deadline=None)
@given(texts(), st.sampled_from(["earliest_origin", "any_copy", "best_copy"]))
def test_against_the_rule_said_plainly(made, policy):
    rows = [row for _, group in made.values() for row in group]
    contents = placed(*rows)
    for row in with_copies(representatives(contents), contents, policy).to_dicts():
        group = made[row["sha1_git"]][1]
        speaking = overrules(group, policy, of=best(group)) or [best(group)]
        assert row["licence_expression"] == speaking[0]["licence_expression"]
        if len(group) > 1 and row["licence_evidence"]:
            named = json.loads(row["licence_evidence"])["copy"]
            assert named["origin"] in {each["origin"] for each in speaking}
