"""Near duplicates: equal to brute force, verified, and the same however the work is cut."""

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation import tables
from foundation.errors import InternalError
from foundation.tasks import finished, perform
from stages.deduplication import TEXTS, Settings, exact_duplicates, near_duplicates
from stages.deduplication.steps import ranges_of
from tests.deduplication.inputs import (
    corpus,
    expected_near,
    family,
    jaccard,
    name_of,
    rows_of,
    run,
    run_twice_backwards,
    shingles,
    write_inputs,
    write_part,
)

DEFAULT = Settings()


def solve(root, docs, chosen=DEFAULT, *, parts=1, seed=0, runner=run, stars=None, excluded=(), **options):
    root = Path(root)
    root.mkdir(exist_ok=True)
    candidates, texts = write_inputs(root, docs, chosen, parts=parts, seed=seed, stars=stars)
    found = near_duplicates(
        runner,
        root=str(root),
        folder="d",
        candidates=candidates,
        texts=texts,
        settings=chosen,
        excluded=excluded,
        **options,
    )
    return rows_of(root, found)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), threshold=st.sampled_from([0.5, 0.7, 0.9]))
def test_every_removal_names_a_kept_content_at_or_above_the_threshold(tmp_path_factory, seed, threshold):
    docs = corpus(seed)
    rows = solve(tmp_path_factory.mktemp("near"), docs, Settings(threshold=threshold))
    removed = {row["sha1_git"] for row in rows if row["kept"]}
    for row in rows:
        if row["kept"]:
            assert row["kept"] not in removed
            assert row["jaccard"] == jaccard(docs[row["sha1_git"]], docs[row["kept"]]) >= threshold
    sizes = [sum(other["cluster"] == row["cluster"] for other in rows) for row in rows]
    assert all(size > 1 for size in sizes)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_rows_are_those_of_brute_force(tmp_path, seed):
    docs = corpus(seed, families=20)
    dice = random.Random(seed)
    stars = {name: dice.randrange(4) for name in docs}
    assert solve(tmp_path, docs, stars=stars) == expected_near(docs, 0.7, stars)


def test_partition_order_buckets_and_repeated_tasks_change_nothing(tmp_path):
    docs = corpus(3, families=15)
    whole = solve(tmp_path / "whole", docs)
    assert whole
    assert solve(tmp_path / "three", docs, parts=3, seed=7, runner=run_twice_backwards) == whole
    assert solve(tmp_path / "buckets", docs, parts=4, seed=8, bucket_bytes=40_000) == whole
    assert solve(tmp_path / "many", docs, parts=11, seed=9, bucket_bytes=25_000) == whole


@given(st.integers(1, 10_000), st.integers(1, 5_000))
def test_ranges_of_text_parts_cover_them_with_no_more_buckets_than_asked_for(parts, buckets):
    found = ranges_of(parts, buckets)
    assert 1 <= found["part_buckets"] <= buckets
    assert (parts - 1) // found["span"] == found["part_buckets"] - 1


def test_a_candidate_that_was_written_twice_counts_once(tmp_path):
    docs = corpus(4, families=6)
    expected = solve(tmp_path / "once", docs)
    candidates, texts = write_inputs(tmp_path, docs, DEFAULT)
    exact = exact_duplicates(run, root=str(tmp_path), folder="e", candidates=candidates * 2)
    found = near_duplicates(
        run, root=str(tmp_path), folder="n", candidates=candidates * 2, texts=texts, settings=DEFAULT, excluded=exact
    )
    assert exact == ()
    assert rows_of(tmp_path, found) == expected


def test_exact_duplicates_are_left_out_inside_the_workers(tmp_path):
    docs = corpus(5, families=6)
    copies = {name_of(("copy", name)): text for name, text in list(docs.items())[:10]}
    everything = docs | copies
    candidates, texts = write_inputs(tmp_path, everything, DEFAULT, parts=3)
    exact = exact_duplicates(run, root=str(tmp_path), folder="e", candidates=candidates, bucket_bytes=4_000)
    rows = rows_of(tmp_path, exact)
    assert len(rows) == 10
    assert all(everything[row["sha1_git"]] == everything[row["kept"]] and row["kept"] < row["sha1_git"] for row in rows)
    found = near_duplicates(
        run, root=str(tmp_path), folder="n", candidates=candidates, texts=texts, settings=DEFAULT, excluded=exact
    )
    left = {name: text for name, text in everything.items() if name not in {row["sha1_git"] for row in rows}}
    assert rows_of(tmp_path, found) == expected_near(left, 0.7)


def test_a_component_larger_than_a_task_loses_the_same_contents_piece_by_piece(tmp_path):
    dice = random.Random(6)
    texts = [text for number in range(3) for text in family(dice, words=80, copies=12, edits=2, prefix=f"g{number}")]
    docs = {name_of(at): text for at, text in enumerate(texts)}
    whole = solve(tmp_path / "whole", docs)
    pieces = solve(tmp_path / "pieces", docs, Settings(max_component=5), parts=2)
    removed = [(row["sha1_git"], row["kept"], row["jaccard"]) for row in whole if row["kept"]]
    assert [(row["sha1_git"], row["kept"], row["jaccard"]) for row in pieces if row["kept"]] == removed
    clusters = {row["sha1_git"]: row["cluster"] for row in pieces}
    assert all(clusters[name] == clusters[kept] for name, kept, _ in removed)


def test_a_bucket_beyond_its_limit_is_counted_and_never_removes_wrongly(tmp_path):
    head = " ".join(f"licence_{at}" for at in range(60))
    docs = {name_of(at): f"{head} " + " ".join(f"own_{at}_{word}" for word in range(40)) for at in range(120)}
    outcomes = []

    def watching(stage, tasks):
        outcomes.extend(done := run(stage, tasks))
        return done

    rows = solve(tmp_path, docs, Settings(max_bucket=3), runner=watching)
    assert rows == []
    assert sum(outcome.counts.get("not_compared", 0) for outcome in outcomes) > 0
    assert max(outcome.counts.get("largest_bucket", 0) for outcome in outcomes) > 3


def test_many_copies_of_one_boilerplate_leave_one(tmp_path):
    body = " ".join(f"word_{at}" for at in range(200))
    docs = {name_of(at): f"{body} copy_{at}" for at in range(400)}
    rows = solve(tmp_path, docs)
    assert [row["sha1_git"] for row in rows if row["kept"] is None] == [min(docs)]
    assert {row["cluster"] for row in rows} == {min(docs)}


def test_short_and_empty_files_never_collapse_into_one(tmp_path):
    """Regression: all-max signatures (BigCode) and one shared empty shingle (data-juicer, dupekit)."""
    docs = {name_of(text): text for text in ["", "a", "b", "x = 1", "x = 2", "((()))", "+++", "return a b c", "\n\n"]}
    assert solve(tmp_path, docs) == []


def test_texts_that_differ_in_operators_only_are_similar_by_the_definition_stated(tmp_path):
    left = "def f(a, b):\n    if a < b:\n        return a + b\n    return a - b\n"
    docs = {name_of(1): left, name_of(2): left.replace("<", ">").replace("+", "*")}
    (row,) = (row for row in solve(tmp_path, docs) if row["kept"])
    assert shingles(docs[name_of(1)]) == shingles(docs[name_of(2)])
    assert row["jaccard"] == 1.0


def test_a_chain_of_versions_keeps_what_no_kept_version_resembles(tmp_path):
    """A removed one does not stand for others: ends of a long chain both stay."""
    versions = family(random.Random(2), words=100, copies=10, edits=3, prefix="v")
    docs = {name_of(at): text for at, text in enumerate(versions)}
    rows = solve(tmp_path, docs)
    assert rows == expected_near(docs, 0.7)
    assert len({row["cluster"] for row in rows}) == 1
    assert sum(row["kept"] is None for row in rows) > 1


def test_row_groups_of_one_file_can_be_the_text_parts(tmp_path):
    docs = corpus(8, families=5)
    candidates, texts = write_inputs(tmp_path, docs, DEFAULT)
    table = tables.read_table(tmp_path / texts[0].path)
    written = tables.write_groups(tmp_path / "grouped.parquet", [table], table.schema)
    part = dataclasses.replace(texts[0], path="grouped.parquet", sha256=written.sha256, bytes=written.bytes, group=0)
    options = {"root": str(tmp_path), "candidates": candidates, "settings": DEFAULT}
    by_group = near_duplicates(run, folder="g", texts=(part,), **options)
    assert rows_of(tmp_path, by_group) == rows_of(tmp_path, near_duplicates(run, folder="f", texts=texts, **options))


def test_a_text_that_is_not_where_it_should_be_stops_the_build(tmp_path):
    docs = corpus(9, families=5)
    candidates, _ = write_inputs(tmp_path, docs, DEFAULT)
    lost = (write_part(tmp_path, "texts-lost", TEXTS.empty_table(), TEXTS),)
    with pytest.raises(InternalError, match="candidate texts"):
        near_duplicates(run, root=str(tmp_path), folder="d", candidates=candidates, texts=lost, settings=DEFAULT)


def test_a_build_killed_anywhere_resumes_to_the_same_rows(tmp_path):
    docs = corpus(10, families=8)
    expected = solve(tmp_path / "plain", docs)
    dice = random.Random(3)

    def dying(stage, tasks):
        outcomes = []
        for task in tasks:
            outcome = finished(task)
            if outcome is None:
                if dice.random() < 0.15:
                    perform(task)
                    task.record_path().unlink()
                    raise KeyboardInterrupt
                outcome = perform(task)
            outcomes.append(outcome)
        return outcomes

    deaths = 0
    while True:
        try:
            assert solve(tmp_path / "dying", docs, parts=3, runner=dying, bucket_bytes=60_000) == expected
            break
        except KeyboardInterrupt:
            deaths += 1
    assert deaths > 0


def test_switched_off_it_runs_nothing(tmp_path):
    def never(stage, tasks):
        raise AssertionError(stage)

    assert solve(tmp_path, corpus(1, families=2), Settings(near=False), runner=never) == []
