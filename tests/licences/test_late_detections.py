"""A detection that ran out of time stands for its build, is tried once more by a later one, and then stays."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from foundation.tables import write_table
from stages.licences import DETECTIONS, MemoResolver, Settings, memo_key
from stages.licences.memo import AGAIN

LATE = {"expression": None, "status": "timed_out", "tool": "test", "rule": None, "score": None}
TEXT = "License: MIT"


def wrote(folder: Path, name: str, *notices: str) -> None:
    rows = [LATE | {"notice": notice, "matched_start": None, "matched_end": None} for notice in notices]
    write_table(folder / memo_key(Settings()) / name, pa.Table.from_pylist(rows, schema=DETECTIONS), DETECTIONS)


def status(resolver: MemoResolver) -> str:
    (row,) = resolver(pa.table({"notice": ["n"], "text": [TEXT]})).to_pylist()
    return str(row["status"])


def test_within_one_build_a_late_detection_is_not_repeated(tmp_path: Path) -> None:
    resolver = MemoResolver(tmp_path)
    wrote(tmp_path, "by-another-worker.parquet", "n")
    assert status(resolver) == "timed_out"


def test_a_later_build_tries_once_more_and_keeps_the_answer(tmp_path: Path) -> None:
    wrote(tmp_path, "first.parquet", "n")
    assert status(MemoResolver(tmp_path)) == "detected"
    (again,) = tmp_path.rglob(f"*{AGAIN}.parquet")
    before = again.stat().st_mtime_ns
    assert status(MemoResolver(tmp_path)) == "detected"
    assert again.stat().st_mtime_ns == before


def test_what_ran_out_of_time_twice_stays_so(tmp_path: Path) -> None:
    wrote(tmp_path, "first.parquet", "n")
    wrote(tmp_path, f"second{AGAIN}.parquet", "n")
    assert status(MemoResolver(tmp_path)) == "timed_out"
