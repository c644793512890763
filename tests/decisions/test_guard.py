"""The guard: what each language and source lost, and what happens beyond the recipe's limits."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.canonical import canonical_json, readable_json
from foundation.errors import AnswerIsNo, InternalError
from stages.decisions import GuardSettings, guarding
from tests.decisions import losing
from tests.decisions.losing import EARLY, EXACT, KEPT, NEAR, Content

STRICT = {"max_language_loss": 0.4, "max_source_loss": 0.3, "min_language_contents": 4, "min_source_contents": 3}


def copies(count: int, *, kept: int = 1, origin: str = "https://x/fork", language: str | None = "Go") -> list[Content]:
    """`kept` contents of https://x/first and `count` near duplicates of the first of them in `origin`."""
    firsts = [Content(at, "https://x/first", language, 10, KEPT, b"lib/a.go") for at in range(kept)]
    fork = [Content(1000 + at, origin, language, 7, NEAR, b"src/a.go", like=0) for at in range(count)]
    return [*firsts, *fork]


@settings(deadline=None, max_examples=15)
@given(losing.contents(), st.integers(1, 6), st.integers(1, 4), st.integers(0, 9))
def test_losses_are_those_of_plain_counting_in_any_buckets(tmp_path_factory, rows, buckets, parts, seed) -> None:
    root = tmp_path_factory.mktemp("losses")
    chosen = GuardSettings(**STRICT, on_excess="report")
    report = losing.guarded(root, rows, chosen, buckets=buckets, parts=parts, seed=seed).report
    counts = {
        kind: {
            group.name: (group.contents, group.removed, group.near, group.bytes, group.removed_bytes)
            for group in (*report.languages, *report.groups)
            if group.kind == kind
        }
        for kind in ("language", "source")
    }
    expected = {kind: losing.lost(rows, kind) for kind in ("language", "source")}
    judged = {
        kind: {name: row for name, row in expected[kind].items() if row[0] >= chosen.model_dump()[f"min_{key}"]}
        for kind, key in (("language", "language_contents"), ("source", "source_contents"))
    }
    over = {
        kind: {name: row for name, row in judged[kind].items() if row[1] / row[0] > report.limit(kind)}
        for kind in judged
    }
    assert counts["language"] == expected["language"]
    assert counts["source"] == over["source"]
    assert report.judged == {kind: len(names) for kind, names in judged.items()}
    assert report.over == {kind: len(names) for kind, names in over.items()}
    assert {(group.kind, group.name) for group in report.groups} == {(k, name) for k in over for name in over[k]}
    assert [group.removed for group in report.groups] == sorted((g.removed for g in report.groups), reverse=True)


@settings(deadline=None, max_examples=15)
@given(losing.contents(), st.integers(1, 6), st.integers(0, 9))
def test_quarantine_relabels_what_the_groups_lost_and_nothing_else(tmp_path_factory, rows, buckets, seed) -> None:
    root = tmp_path_factory.mktemp("quarantine")
    chosen = GuardSettings(**STRICT, on_excess="quarantine")
    before, _ = losing.decided(root, rows, buckets=buckets, seed=seed)
    after = losing.guarded(root, rows, chosen, buckets=buckets, seed=seed)
    held = {
        row.sha1_git
        for row in rows
        if row.fate in (EXACT, NEAR)
        and any((g.kind, g.name) in (("language", row.language), ("source", row.origin)) for g in after.report.groups)
    }
    old, new = losing.decisions(root, before), losing.decisions(root, after.outcomes)
    changed = new.filter(pl.col("reason") == "quarantined")
    assert set(changed["sha1_git"]) == held
    assert after.report.quarantined == len(held)
    found = {(group.kind, group.name): group for group in after.report.groups}
    for row in changed.iter_rows(named=True):
        content = next(each for each in rows if each.sha1_git == row["sha1_git"])
        groups = [found.get(key) for key in (("language", content.language), ("source", content.origin))]
        assert [
            (each["name"], each["contents"], each["removed"]) for each in json.loads(row["evidence"])["groups"]
        ] == [(group.name, group.contents, group.removed) for group in groups if group]
    unmoved = ["sha1_git", "origin", "path", "verdict", "kept", "jaccard"]
    assert new.select(unmoved).equals(old.select(unmoved))
    untouched = ~pl.col("sha1_git").is_in(list(held))
    assert new.filter(untouched).equals(old.filter(untouched))
    assert sum(outcome.counts["kept_bytes"] for outcome in after.outcomes) == sum(
        row.size for row in rows if row.fate == KEPT
    )
    tally = sum(count for outcome in after.outcomes for name, count in outcome.counts.items() if "/" in name)
    assert tally == len(rows)


@pytest.mark.parametrize("runner", [losing.run, losing.run_twice_backwards])
def test_report_and_samples_are_the_same_for_any_partition(tmp_path: Path, runner) -> None:
    rows = [*copies(40, kept=3), *(Content(at, "https://x/y", None, 5, EXACT, like=1) for at in range(2000, 2030))]
    chosen = GuardSettings(**STRICT, on_excess="report", samples=4)
    reports = set()
    for number, (buckets, parts) in enumerate([(1, 1), (2, 3), (7, 2)]):
        root = tmp_path / str(number)
        losing.guarded(root, rows, chosen, buckets=buckets, parts=parts, seed=number, runner=runner)
        reports.add((root / "guard.json").read_bytes())
    (report,) = reports
    document = json.loads(report)
    assert readable_json(document) == report
    assert [(group["kind"], group["name"], len(group["samples"])) for group in document["groups"]] == [
        ("language", "Go", 4),
        ("source", "https://x/fork", 4),
        ("language", None, 4),
        ("source", "https://x/y", 4),
    ]
    fork = sorted(row.sha1_git for row in rows if row.origin == "https://x/fork")
    assert [sample["sha1_git"] for sample in document["groups"][0]["samples"]] == fork[:4]


def test_stop_names_the_groups_worst_first_with_pairs_and_ways_out(tmp_path: Path) -> None:
    with pytest.raises(AnswerIsNo) as stopped:
        losing.guarded(tmp_path, copies(20), GuardSettings(min_language_contents=20, max_source_loss=0.9, samples=2))
    text = stopped.value.message
    assert "1 language lost more" in text
    assert "language Go: 95.24% of 21 contents (0 exact and 20 near duplicates)" in text
    assert text.count("https://x/fork:src/a.go like https://x/first:lib/a.go (Jaccard 0.750, same file name)") == 2
    assert "the recipe allows 95.00%" in text
    for way in ("max_language_loss", "quarantine", "threshold", "--rerun-changed"):
        assert way in stopped.value.hint
    document = json.loads((tmp_path / "guard.json").read_bytes())
    assert document["over"] == {"language": 1, "source": 0}
    assert str(tmp_path / "guard.json") in text


def test_more_groups_than_are_shown_are_counted(tmp_path: Path) -> None:
    forks = [(at, f"https://x/{at:02d}") for at in range(14) for _ in range(3 + at)]
    rows = [Content(0, "https://x/first", "Go", 10, KEPT)]
    rows += [Content(number, origin, "Go", 1, EXACT, like=0) for number, (_, origin) in enumerate(forks, start=1)]
    with pytest.raises(AnswerIsNo) as stopped:
        losing.guarded(tmp_path, rows, GuardSettings(max_source_loss=0.5, min_source_contents=2, samples=0))
    lines = stopped.value.message.splitlines()
    assert lines[1].startswith("  source https://x/13: 100.00% of 16 contents")
    assert sum("  source " in line for line in lines) == 10
    assert "  and 4 more" in lines


def test_small_groups_are_not_judged(tmp_path: Path) -> None:
    rows = copies(30, kept=0, language="Tiny")
    rows = [Content(0, "https://x/first", "Go", 1, KEPT), *rows]
    limits = {"max_language_loss": 0.5, "max_source_loss": 0.5}
    least = GuardSettings(**limits, min_language_contents=31, min_source_contents=31)
    assert losing.guarded(tmp_path / "a", rows, least).report.exceeded == 0
    with pytest.raises(AnswerIsNo):
        losing.guarded(tmp_path / "b", rows, GuardSettings(**limits, min_language_contents=30, min_source_contents=30))


def test_a_loss_at_the_limit_is_allowed(tmp_path: Path) -> None:
    allowed = GuardSettings(max_language_loss=0.95, min_language_contents=1)
    assert losing.guarded(tmp_path / "a", copies(19, kept=1), allowed).report.exceeded == 0
    with pytest.raises(AnswerIsNo):
        losing.guarded(tmp_path / "b", copies(20, kept=1), allowed)


def test_early_drops_and_an_empty_build_lose_nothing(tmp_path: Path) -> None:
    strict = GuardSettings(max_language_loss=0, max_source_loss=0, min_language_contents=1, min_source_contents=1)
    early = [Content(at, "https://x/y", "Go", 0, EARLY) for at in range(5)]
    assert losing.guarded(tmp_path / "a", early, strict).report.judged == {"language": 0, "source": 0}
    assert losing.guarded(tmp_path / "b", [], strict).report.exceeded == 0


def test_quarantined_evidence_says_what_it_was_and_which_groups(tmp_path: Path) -> None:
    chosen = GuardSettings(**STRICT, on_excess="quarantine")
    after = losing.guarded(tmp_path, copies(9), chosen)
    row = losing.decisions(tmp_path, after.outcomes).filter(pl.col("verdict") == "dropped").row(0, named=True)
    assert (row["stage"], row["reason"], row["value"], row["threshold"]) == (
        "decisions",
        "quarantined",
        "0.9",
        "<= 0.4",
    )
    assert (row["kept"], row["jaccard"]) == (losing.sha1_git(0), 0.75)
    assert canonical_json(json.loads(row["evidence"])).decode() == row["evidence"]
    assert json.loads(row["evidence"]) == {
        "groups": [
            {"kind": "language", "name": "Go", "contents": 10, "removed": 9, "loss": 0.9, "limit": 0.4},
            {"kind": "source", "name": "https://x/fork", "contents": 9, "removed": 9, "loss": 1.0, "limit": 0.3},
        ],
        "was": {"stage": "deduplication", "reason": "near_duplicate"},
    }


def test_another_limit_counts_nothing_again(tmp_path: Path) -> None:
    outcomes: list[tuple[str, bool]] = []

    def run(stage, tasks):
        done = losing.run(stage, tasks)
        outcomes.extend((outcome.task.folder, outcome.reused) for outcome in done)
        return done

    losing.guarded(tmp_path, copies(9), GuardSettings(**STRICT, on_excess="report"), runner=run)
    outcomes.clear()
    looser = GuardSettings(**{**STRICT, "max_language_loss": 1.0, "max_source_loss": 0.99}, on_excess="quarantine")
    losing.guarded(tmp_path, copies(9), looser, runner=run)
    assert {folder for folder, reused in outcomes if not reused} >= {"guard/sources", "guard/decisions"}
    assert all(reused for folder, reused in outcomes if folder in ("guard/tallies",))


def test_strangers_names_cannot_drive_a_terminal(tmp_path: Path) -> None:
    rows = copies(20, origin="https://x/\x1b[2J\u202e")
    rows = [
        row if row.fate == KEPT else Content(row.number, row.origin, "Go", 1, NEAR, b"\xff\n/a.go", 0) for row in rows
    ]
    with pytest.raises(AnswerIsNo) as stopped:
        losing.guarded(tmp_path, rows, GuardSettings(min_language_contents=1))
    assert all(line.isprintable() for line in stopped.value.message.splitlines())
    assert "\\x1b[2J\\u202e:\\xff\\n/a.go like" in stopped.value.message


def test_sources_beyond_the_listed_ones_are_counted_and_quarantined_too(tmp_path: Path) -> None:
    many = range(1, 2 * (guarding.LISTED + 5) + 1)
    fork = [Content(at, f"https://x/{at // 2}", "Go", 1, EXACT, like=0) for at in many]
    rows = [Content(0, "https://x/first", "Go", 1, KEPT), *fork]
    limits = {"max_language_loss": 1.0, "max_source_loss": 0.5, "min_source_contents": 1}
    chosen = GuardSettings(**limits, samples=1, on_excess="quarantine")
    report = losing.guarded(tmp_path, rows, chosen, buckets=2).report
    assert len(report.groups) == guarding.LISTED < report.over["source"]
    assert all(len(group.samples) == 1 for group in report.groups)
    assert report.quarantined == len(fork)


def test_a_pair_says_whether_the_names_agree(tmp_path: Path) -> None:
    rows = [Content(0, "https://x/a", "C", 1, KEPT, b"x/util.c")]
    rows += [Content(at, "https://x/b", "C", 1, NEAR, path, like=0) for at, path in enumerate([b"util.c", b"no.c"], 1)]
    chosen = GuardSettings(max_source_loss=0.5, min_source_contents=1, on_excess="report")
    (group,) = losing.guarded(tmp_path, rows, chosen).report.groups
    assert {sample.path: sample.same_name for sample in group.samples} == {b"util.c": True, b"no.c": False}


def test_a_decision_without_its_verdict_is_a_bug_not_a_silent_loss(tmp_path: Path) -> None:
    outcomes, _ = losing.decided(tmp_path, copies(3))
    with pytest.raises(InternalError, match="without a verdict"):
        guarding.guard(
            losing.run, root=str(tmp_path), settings=GuardSettings(), decided=outcomes, verdicts=(), buckets=3
        )
