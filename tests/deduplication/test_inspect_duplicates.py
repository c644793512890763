"""`inspect`: one row an input row, exact and near together, on any bytes."""

import pyarrow as pa
import pytest

from foundation.errors import UsageError
from stages.deduplication import Settings, inspect, inspect_pairs
from tests.deduplication.inputs import jaccard

BODY = " ".join(f"w{at}" for at in range(60))
NEAR = BODY.replace("w30", "changed")


def table(rows):
    ids, paths, contents = zip(*rows, strict=True)
    return pa.table({"id": ids, "path": paths, "content": pa.array(contents, pa.binary())})


def test_rows_come_back_in_order_with_cluster_representative_and_jaccard():
    rows = [
        ("z", "b.py", NEAR.encode()),
        ("k", "a.py", BODY.encode()),
        ("alone", "c.py", b"nothing like it at all here"),
        ("copy", "d.py", NEAR.encode()),
        ("short", "e.py", b"x"),
        ("short2", "f.py", b"y"),
        ("short3", "g.py", b"y"),
    ]
    value = jaccard(BODY, NEAR)
    assert [tuple(row.values()) for row in inspect(table(rows), Settings()).to_pylist()] == [
        ("z", "copy", "k", value),
        ("k", "copy", "k", None),
        ("alone", None, "alone", None),
        ("copy", "copy", "k", value),
        ("short", None, "short", None),
        ("short2", "short2", "short2", None),
        ("short3", "short2", "short2", 1.0),
    ]


def test_pairs_are_exact_and_ordered():
    rows = [("b", "1", BODY.encode()), ("a", "2", NEAR.encode()), ("c", "3", NEAR.replace("w31", "x").encode())]
    pairs = inspect_pairs(table(rows), Settings())[1].to_pylist()
    third = NEAR.replace("w31", "x")
    assert pairs == [
        {"a": "a", "b": "b", "jaccard": jaccard(BODY, NEAR)},
        {"a": "a", "b": "c", "jaccard": jaccard(NEAR, third)},
        {"a": "b", "b": "c", "jaccard": jaccard(BODY, third)},
    ]


def test_bytes_that_are_not_text_are_compared_by_their_bytes():
    rows = [("a", "x", b"\xff\xfe"), ("b", "y", b"\xfe\xff"), ("c", "z", b"\xff\xfe")]
    assert [row["representative"] for row in inspect(table(rows), Settings()).to_pylist()] == ["a", "b", "a"]


def test_no_rows_give_no_rows():
    empty = pa.table(
        {"id": pa.array([], pa.string()), "path": pa.array([], pa.string()), "content": pa.array([], pa.binary())}
    )
    assert inspect(empty, Settings()).num_rows == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (pa.table({"id": ["a"]}), "lacks columns"),
        (table([("a", "x", b"1"), ("a", "y", b"2")]), "more than once"),
        (table([(None, "x", b"1")]), "null"),
    ],
)
def test_wrong_input_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        inspect(wrong, Settings())
