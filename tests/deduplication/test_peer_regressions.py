"""Bugs that were found in other deduplicators, each run against ours. The docstring names whose it was."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foundation.errors import GristmillError
from foundation.storage import remove_stale
from foundation.tables import read_table
from foundation.tasks import finished, perform
from stages.deduplication import Settings, exact_duplicates, near_duplicates
from tests.deduplication.inputs import corpus, expected_near, name_of, rows_of, write_inputs

DEFAULT = Settings()
BUCKET = 60_000  # bytes: several buckets even for a small corpus


def one_by_one(stage, tasks):
    return [finished(task) or perform(task) for task in tasks]


def removed_by(root, docs, *, runner=one_by_one, parts=2, seed=0, inputs=None):
    """(removed, kept, jaccard) of the exact and the near flow together."""
    root = Path(root)
    root.mkdir(exist_ok=True, parents=True)
    candidates, texts = inputs or write_inputs(root, docs, DEFAULT, parts=parts, seed=seed)
    exact = exact_duplicates(runner, root=str(root), folder="e", candidates=candidates, bucket_bytes=BUCKET)
    near = near_duplicates(
        runner,
        root=str(root),
        folder="n",
        candidates=candidates,
        texts=texts,
        settings=DEFAULT,
        excluded=exact,
        bucket_bytes=BUCKET,
    )
    copies = [(row["sha1_git"], row["kept"], 1.0) for row in rows_of(root, exact)]
    return sorted(
        copies + [(row["sha1_git"], row["kept"], row["jaccard"]) for row in rows_of(root, near) if row["kept"]]
    )


def rows_in(task, output):
    return sorted(map(repr, read_table(task.output_path(output)).to_pylist()))


def of_brute_force(docs):
    return sorted((row["sha1_git"], row["kept"], row["jaccard"]) for row in expected_near(docs, 0.7) if row["kept"])


def test_files_of_fewer_than_five_tokens_do_not_collapse_into_one(tmp_path):
    """BigCode's kernel: two different files of fewer than five tokens agree in 25 of 25 bands."""
    texts = [f"{name} = {value}" for name in ("x", "y", "z") for value in range(40)]
    docs = {name_of(text): text for text in texts}
    assert removed_by(tmp_path, docs) == []


@pytest.mark.parametrize("filler", ["", " ", "\n", "{}();", "日本語 ", "\x00", "é "])
def test_files_without_a_shingle_are_no_cluster(tmp_path, filler):
    """data-juicer gives every document shorter than its window one shared hash; dupekit makes punctuation empty."""
    docs = {name_of((filler, at)): filler * at + "+" * (at % 3) + "é" * at for at in range(1, 60)}
    kept = {}
    for name in sorted(docs):
        kept.setdefault(docs[name], name)
    copies = sorted((name, kept[text], 1.0) for name, text in docs.items() if kept[text] != name)
    assert removed_by(tmp_path, docs) == copies


def test_replaying_tasks_at_once_or_late_makes_no_duplicate_of_anything(tmp_path):
    """data-juicer's ray_bts: one map task run again gives new ids, and ten unique documents are ten duplicates."""
    docs = corpus(21, families=4)
    expected = of_brute_force(docs)
    done = {}

    def replaying(stage, tasks):
        done.setdefault(stage, []).extend(tasks)
        one_by_one(stage, tasks)
        return [perform(task) for task in tasks]

    inputs = write_inputs(tmp_path, docs, DEFAULT, parts=2)
    assert removed_by(tmp_path, docs, runner=replaying, inputs=inputs) == expected
    assert len(done) > 3
    for task in reversed([task for tasks in done.values() for task in tasks]):
        before = [rows_in(task, output) for output in task.outputs]
        perform(task)
        assert [rows_in(task, output) for output in task.outputs] == before
    assert removed_by(tmp_path, docs, inputs=inputs) == expected


def test_unique_documents_stay_when_every_task_runs_three_times(tmp_path):
    """DCLM #83: a document inserted twice into the Bloom filter finds itself there and is removed."""
    docs = {name_of(at): " ".join(f"own_{at}_{word}" for word in range(50)) for at in range(10)}

    def thrice(stage, tasks):
        return [[perform(task) for _ in range(3)][-1] for task in tasks]

    assert removed_by(tmp_path, docs, runner=thrice) == []


def test_ids_that_look_like_sentinels_are_ids(tmp_path):
    """duplodocus's sentinel is a small valid id, datatrove #249 takes its own sentinel for a document."""
    body = " ".join(f"word_{at}" for at in range(80))
    names = ["0" * 40, "0" * 39 + "1", "7" + "f" * 39, "8" + "0" * 39, "f" * 39 + "e", "f" * 40]
    similar = {name: f"{body} end_{name[:1]}_{name[-1:]}" for name in names}
    assert removed_by(tmp_path / "similar", similar) == of_brute_force(similar)
    assert len(removed_by(tmp_path / "again", similar)) == len(names) - 1
    alone = {name: " ".join(f"{name}_{word}" for word in range(40)) for name in names}
    assert removed_by(tmp_path / "alone", alone) == []


def test_a_run_that_died_on_damaged_input_leaves_nothing_that_the_next_believes(tmp_path):
    """dolma's deduper: after a failed run the shard is skipped for its stale temp file, and 600 of 1,000 unique
    documents are duplicates of what the failed run's Bloom filter remembers."""
    docs = corpus(22, families=8)
    candidates, texts = inputs = write_inputs(tmp_path, docs, DEFAULT, parts=3)
    damaged = tmp_path / texts[1].path
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GristmillError):
        removed_by(tmp_path, docs, inputs=(candidates, texts))
    for folder in {path.parent for path in tmp_path.rglob("*.parquet")}:
        (folder / ".tmp-left-by-a-killed-writer").write_bytes(whole[:100])
    damaged.write_bytes(whole)
    assert removed_by(tmp_path, docs, inputs=inputs) == of_brute_force(docs)
    assert remove_stale(tmp_path) > 0


@pytest.mark.parametrize("loss", ["output", "half of the output", "record"])
def test_a_record_without_its_data_is_not_believed(tmp_path, loss):
    """dolma, datatrove and others: a success marker that is there before, or without, the data it stands for."""
    docs = corpus(23, families=5)
    expected = of_brute_force(docs)
    done = []

    def noting(stage, tasks):
        done.extend(tasks)
        return one_by_one(stage, tasks)

    inputs = write_inputs(tmp_path, docs, DEFAULT, parts=2)
    assert removed_by(tmp_path, docs, runner=noting, inputs=inputs) == expected
    for task in done[::2]:
        output = task.output_path(task.outputs[0])
        if loss == "output":
            output.unlink()
        elif loss == "record":
            output.write_bytes(b"a killed writer's bytes")
            task.record_path().unlink()
        else:
            output.write_bytes(output.read_bytes()[: output.stat().st_size // 2])
        assert finished(task) is None
    assert removed_by(tmp_path, docs, inputs=inputs) == expected


def test_a_task_that_dies_has_no_record(tmp_path):
    """dolma, again: what is not finished must not look finished, at no point of a task."""
    docs = corpus(24, families=3)

    def dying_last(stage, tasks):
        for task in tasks:
            assert not task.record_path().exists()
            perform(task)
            record = task.record_path().stat().st_mtime_ns
            assert all(task.output_path(output).stat().st_mtime_ns <= record for output in task.outputs)
        return [finished(task) for task in tasks]

    assert removed_by(tmp_path, docs, runner=dying_last) == of_brute_force(docs)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_and_their_order_change_nothing(tmp_path, workers):
    """marin #7177 and #6798, data-juicer, text-dedup #88: the answer depended on executors and on who came first."""
    docs = corpus(25, families=10)
    dice = random.Random(workers)

    def pooled(stage, tasks):
        order = list(range(len(tasks)))
        dice.shuffle(order)
        with ThreadPoolExecutor(workers) as pool:
            outcomes = dict(zip(order, pool.map(perform, [tasks[at] for at in order]), strict=True))
        return [outcomes[at] for at in range(len(tasks))]

    found = removed_by(tmp_path, docs, runner=pooled, parts=workers, seed=workers)
    assert found == of_brute_force(docs)


def test_a_chain_of_likes_does_not_remove_what_no_kept_file_resembles(tmp_path):
    """Every peer that clusters without verifying: a chain is one cluster, and its far end goes for the near end."""
    words = [f"w{at}" for at in range(60)]
    docs = {name_of(step): " ".join(words[:-step] + [f"new_{at}" for at in range(step)]) for step in range(1, 40, 2)}
    found = removed_by(tmp_path, docs)
    assert found == of_brute_force(docs)
    assert 0 < len(found) < len(docs) - 1
