"""The benchmark runs, checks who it compares, and leaves out what is not installed."""

import random
import runpy
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]


def test_the_benchmark_checks_and_compares_what_is_installed(tmp_path, monkeypatch, capsys):
    dice = random.Random(1)
    texts = [" ".join(f"w{dice.randrange(500)}" for _ in range(300)) for _ in range(80)]
    pq.write_table(pa.table({"text": [*texts, "too short", None]}), tmp_path / "documents.parquet")
    arguments = ["minhash.py", str(tmp_path / "documents.parquet"), "--column", "text", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("RAYON_NUM_THREADS", "1")
    runpy.run_path(str(ROOT / "benchmarks" / "minhash.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "80 documents" in said
    assert "equal to datasketch bit for bit: 50 documents checked" in said
    rows = [line.split(" | ") for line in said.splitlines() if line.startswith("| ")][1:]
    names = [row[0].removeprefix("| ") for row in rows]
    assert names[:2] == ["gristmill", "datasketch"]
    assert names[-1] == "BigCode / text-dedup kernel"
    assert all(float(row[3]) > 0 for row in rows)
    for package in ("rensa", "datatrove"):
        assert any(name.startswith(package) for name in names) or f"{package}: left out" in said
