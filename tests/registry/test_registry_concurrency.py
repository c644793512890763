"""Many writers at once, and writers killed at any moment: no gap in the sequence, nothing half recorded."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry import open_registry, parse_selector

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from registry import open_registry, parse_selector
location, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
registry = open_registry(location)
for n in range(count):
    done = registry.submit(parse_selector("repository", f"{name}/r{n}"), requester=name)
    print(done.receipt, done.request, done.sequence, flush=True)
"""


def _writer(location, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, location, name, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answers(text):
    return [line.split() for line in text.splitlines() if len(line.split()) == 3]


def test_processes_that_start_together_on_a_new_registry_share_it_without_gaps(location):
    writers = [_writer(location, f"w{n}", 8) for n in range(3)]
    outputs = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], outputs
    answers = [answer for out, _ in outputs for answer in _answers(out)]
    registry = open_registry(location)
    try:
        assert registry.verify_log().sequence == 2 * 24
        assert sorted(int(request) for _, request, _ in answers) == list(range(1, 25))
        assert sorted(int(sequence) for _, _, sequence in answers) == list(range(2, 49, 2))
        assert len({receipt for receipt, _, _ in answers}) == 24
        assert len(registry.export().entries) == 24
    finally:
        registry.close()


def test_threads_share_one_registry_without_gaps(desk):
    def work(thread):
        for n in range(5):
            done = desk.submit(parse_selector("owner", f"o{thread}-{n}"))
            desk.decide(done.request, "effective", reason="honoured", actor="t")
            if n % 2:
                desk.withdraw(done.receipt)
            desk.export()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert desk.verify_log().sequence == 8 * (5 * 3 + 2)
    assert len(desk.export().entries) == 8 * 3


def test_the_same_request_from_many_threads_is_recorded_once(desk):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: desk.submit(parse_selector("owner", "landley"), requester="r"), range(16)))
    assert len({one.receipt for one in done}) == 1
    assert [one.created for one in done].count(True) == 1
    assert desk.verify_log().sequence == 2


def test_a_writer_killed_at_any_moment_leaves_a_sound_registry(location):
    chance, promised, requests = random.Random(7), [], 0
    # Each writer is killed while it submits without pause, some milliseconds after an answer.
    for turn in range(4 if location.endswith(".db") else 2):
        writer = _writer(location, f"k{turn}", 10_000)
        lines = [writer.stdout.readline() for _ in range(chance.randrange(1, 12))]
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate(timeout=60)
        promised += [answer[0] for answer in _answers("".join(lines) + rest) if len(answer[0]) == 48]
        registry = open_registry(location)
        head, exported = registry.verify_log(), registry.export()
        registry.close()
        assert head.sequence == 2 * len(exported.entries)  # each request is received and held, or not there at all
        assert len(exported.entries) > requests
        requests = len(exported.entries)
    registry = open_registry(location)
    try:
        assert promised
        for receipt in promised[:: -(-len(promised) // 6)]:
            assert registry.status(receipt).state == "held"
        assert len(promised) <= requests <= len(promised) + 4
    finally:
        registry.close()


@pytest.mark.parametrize("kill_after", [0.0, 0.004, 0.01])
def test_a_registry_is_made_whole_or_not_at_all(tmp_path, kill_after):
    code = (
        "import sys, os, signal, threading\n"
        "from registry.store import Store\n"
        "threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        "Store(sys.argv[1]).create()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "r.db"
    subprocess.run([sys.executable, "-c", code, str(path), str(kill_after)], cwd=ROOT, check=False)
    registry = open_registry(path)
    try:
        assert registry.submit(parse_selector("owner", "landley")).sequence == 2
        assert registry.verify_log().sequence == 2
    finally:
        registry.close()
