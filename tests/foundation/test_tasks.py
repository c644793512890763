"""Tasks: re-use only what matches, records after data, damage noticed."""

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest

from foundation import tables
from foundation.errors import IntegrityError, InternalError, StorageError
from foundation.storage import remove_stale, write_atomic, write_atomically
from foundation.tasks import Part, Task, finished, perform

SCHEMA = pa.schema([("n", pa.int64())])


def count_up(task: Task) -> dict[str, int]:
    limit = int(str(task.params["limit"]))
    if limit < 0:
        raise ValueError("negative")
    task.write("numbers", pa.table({"n": range(limit)}, schema=SCHEMA), SCHEMA)
    return {"rows": limit}


def forget_output(_task: Task) -> dict[str, int]:
    return {}


def task_in(root: Path, **changes: object) -> Task:
    task = Task(
        worker="tests.foundation.test_tasks:count_up",
        version="1",
        root=str(root),
        folder="stage",
        partition="000",
        outputs=("numbers",),
        params={"limit": 5},
    )
    return dataclasses.replace(task, **changes)


def test_a_finished_task_is_reused_and_a_changed_one_is_not(tmp_path: Path) -> None:
    task = task_in(tmp_path)
    assert finished(task) is None
    made = perform(task)
    again = finished(task)
    assert again is not None
    assert again.reused
    assert (again.parts, again.counts) == (made.parts, made.counts)
    part = Part("a.parquet", "00", 1)
    for change in ({"params": {"limit": 6}}, {"version": "2"}, {"inputs": {"x": (part,)}}, {"worker": "m:f"}):
        assert finished(task_in(tmp_path, **change)) is None


def test_context_and_root_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    task = task_in(tmp_path)
    assert task_in(tmp_path / "elsewhere", context={"endpoint": "x"}).fingerprint() == task.fingerprint()


def test_lost_shortened_or_unrecorded_output_is_made_again(tmp_path: Path) -> None:
    task = task_in(tmp_path)
    perform(task)
    output = task.output_path("numbers")
    data = output.read_bytes()
    output.write_bytes(data[:-1])
    assert finished(task) is None
    output.unlink()
    assert finished(task) is None
    perform(task)
    task.record_path().write_text("{")
    assert finished(task) is None


def test_a_failed_worker_leaves_no_record(tmp_path: Path) -> None:
    task = task_in(tmp_path, params={"limit": -1})
    with pytest.raises(ValueError, match="negative"):
        perform(task)
    assert not task.record_path().exists()


def test_a_worker_must_write_what_it_declares(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="did not write"):
        perform(task_in(tmp_path, worker="tests.foundation.test_tasks:forget_output"))
    with pytest.raises(InternalError, match="undeclared"):
        task_in(tmp_path).output_path("other")


def test_the_record_names_checksums_of_the_data(tmp_path: Path) -> None:
    task = task_in(tmp_path)
    made = perform(task)
    record = json.loads(task.record_path().read_bytes())
    assert record["outputs"]["numbers"]["sha256"] == tables.sha256_file(task.output_path("numbers"))
    assert record["fingerprint"] == task.fingerprint()
    assert made.parts["numbers"].rows == 5


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    table = pa.table({"n": range(1000)}, schema=SCHEMA)
    first, second = (tables.write_table(tmp_path / name, table, SCHEMA) for name in ("a", "b"))
    assert first == second


def test_a_flipped_bit_is_noticed_when_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tables.write_table(path, pa.table({"n": range(1000)}, schema=SCHEMA), SCHEMA)
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 0x10
    path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match=r"t\.parquet"):
        tables.read_table(path)


def test_atomic_write_leaves_the_old_file_when_it_fails(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomic(target, b"old")
    with pytest.raises(RuntimeError), write_atomically(target) as temp:
        temp.write_bytes(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_stale_temp_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".tmp-abc").write_bytes(b"x")
    assert remove_stale(tmp_path) == 1
    assert list((tmp_path / "deep").iterdir()) == []


def test_an_unwritable_target_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot write") as caught:
        write_atomic(tmp_path / "file" / "below", b"x")
    assert caught.value.exit_code == 4
