"""Exchange: every row arrives once, in the bucket of its key, whatever the partitions were."""

from pathlib import Path

import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.exchange import bucket_count, bucket_of, buckets_present, gather, scatter
from foundation.frames import frame
from foundation.tasks import Part, Task, perform

SCHEMA = pa.schema([("key", pa.string()), ("value", pa.int64())])
ROWS = st.lists(st.tuples(st.text(max_size=5), st.integers(0, 9)), max_size=40)


def scatter_worker(task: Task) -> dict[str, int]:
    rows = pa.table({"key": task.params["keys"], "value": task.params["values"]}, schema=SCHEMA)
    scatter(task, "rows", rows, SCHEMA, key="key", buckets=int(str(task.params["buckets"])))
    return {"rows": rows.num_rows}


def scattered(root: Path, partitions: list[list[tuple[str, int]]], buckets: int) -> tuple[Part, ...]:
    parts = []
    for number, rows in enumerate(partitions):
        task = Task(
            worker="tests.foundation.test_exchange:scatter_worker",
            version="1",
            root=str(root),
            folder="x",
            partition=f"{number:03d}",
            outputs=("rows",),
            params={"keys": [row[0] for row in rows], "values": [row[1] for row in rows], "buckets": buckets},
        )
        parts.append(perform(task).parts["rows"])
    return tuple(parts)


def gathered(root: Path, parts: tuple[Part, ...], bucket: int) -> pl.DataFrame:
    reader = Task("", "", str(root), "", "", (), inputs={"rows": parts})
    return frame(gather(reader, "rows", bucket, SCHEMA))


@settings(deadline=None, max_examples=40)
@given(partitions=st.lists(ROWS, min_size=1, max_size=4), buckets=st.integers(1, 7))
def test_every_row_arrives_once_in_its_keys_bucket(tmp_path_factory, partitions, buckets) -> None:
    root = tmp_path_factory.mktemp("exchange")
    parts = scattered(root, partitions, buckets)
    seen: list[tuple[str, int]] = []
    for bucket in buckets_present(root, parts):
        rows = gathered(root, parts, bucket)
        assert (bucket_of(rows["key"].to_arrow(), buckets) == bucket).all()
        seen += rows.rows()
    assert sorted(seen) == sorted(row for rows in partitions for row in rows)


def test_absent_bucket_is_an_empty_table_of_the_schema(tmp_path: Path) -> None:
    parts = scattered(tmp_path, [[("a", 1)]], 50)
    empty = next(bucket for bucket in range(50) if bucket not in buckets_present(tmp_path, parts))
    assert gathered(tmp_path, parts, empty).shape == (0, 2)


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=30), st.integers(1, 1000))
def test_bucket_depends_on_the_key_alone(keys: list[bytes], buckets: int) -> None:
    whole = bucket_of(pa.array(keys, pa.binary()), buckets).tolist()
    alone = [int(bucket_of(pa.array([key], pa.binary()), buckets)[0]) for key in keys]
    sliced = bucket_of(pa.array([b"pad", *keys], pa.binary()).slice(1), buckets).tolist()
    assert whole == alone == sliced
    assert all(0 <= bucket < buckets for bucket in whole)


def test_buckets_are_even() -> None:
    keys = pa.array([f"https://example.org/{number}" for number in range(20_000)])
    sizes = pl.Series(bucket_of(keys, 16)).value_counts()["count"]
    assert sizes.min() > 1_100
    assert sizes.max() < 1_400


def test_bucket_count_covers_the_bytes() -> None:
    assert [bucket_count(size, bytes_each=10) for size in (0, 1, 10, 11, 95)] == [1, 1, 1, 2, 10]
