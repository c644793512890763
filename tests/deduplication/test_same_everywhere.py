"""The same contents are removed whatever the number of workers, the partitions, and the deaths on the way."""

import dataclasses
from pathlib import Path

import pytest

from foundation.tasks import perform
from pipeline.progress import Progress
from pipeline.ray_runner import ray_runner
from stages.deduplication import Settings, exact_duplicates, near_duplicates
from tests.deduplication.inputs import corpus, name_of, rows_of, run, write_inputs
from tests.support.dying import doomed

SETTINGS = Settings(max_component=3)  # some components are giants
SMALL = 60_000  # bytes a bucket: every exchange has several


def documents():
    docs = corpus(31, families=14)
    return docs | {name_of(("copy", name)): text for name, text in list(docs.items())[:8]}


def removed(root, runner, *, parts, seed=0):
    root.mkdir()
    candidates, texts = write_inputs(root, documents(), SETTINGS, parts=parts, seed=seed)
    exact = exact_duplicates(runner, root=str(root), folder="e", candidates=candidates, bucket_bytes=SMALL)
    near = near_duplicates(
        runner,
        root=str(root),
        folder="n",
        candidates=candidates,
        texts=texts,
        settings=SETTINGS,
        excluded=exact,
        bucket_bytes=SMALL,
    )
    return [(row["sha1_git"], row["kept"], row.get("jaccard")) for row in rows_of(root, exact + near) if row["kept"]]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    found = removed(tmp_path_factory.mktemp("plain") / "x", run, parts=2)
    assert len(found) > 20
    return found


def test_ray_workers_partitions_and_deaths_change_nothing(tmp_path, expected):
    progress = Progress(quiet=True)
    with ray_runner(
        progress=progress, workers=4, address=None, detectors=0, memo=Path(tmp_path), licence_settings={}
    ) as four:
        for workers in (1, 2, 4):
            runner = dataclasses.replace(four, workers=workers)
            assert removed(tmp_path / f"of-{workers}", runner, parts=workers + 1, seed=workers) == expected
        deaths = []

        def fatal(stage, tasks):
            if not stage.endswith((".bands", ".texts")):
                return four(stage, tasks)
            deaths.append(stage)
            return four(stage, [doomed(tasks[0]), *tasks[1:]])

        assert removed(tmp_path / "fatal", fatal, parts=3, seed=9) == expected
    assert len(deaths) == 2


def test_every_phase_repeated_gives_the_same_bytes(tmp_path, expected):
    phases = set()

    def twice(stage, tasks):
        phases.add(stage)
        first = [perform(task) for task in tasks]
        for outcome in first:
            outcome.task.record_path().unlink()
        again = [perform(task) for task in reversed(tasks)][::-1]
        assert [outcome.parts for outcome in again] == [outcome.parts for outcome in first], stage
        return again

    assert removed(tmp_path / "twice", twice, parts=2) == expected
    assert len(phases) >= 12
