"""Contents are believed only when both of their names fit; every kind of damage has its code."""

import gzip
import hashlib
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.contents import PROBLEMS, SCHEMA, fetch, inflate
from foundation.errors import InternalError, StorageError
from foundation.storage import S3Settings, open_store
from tests.support.s3 import S3Server


def names(data):
    return hashlib.sha1(data).hexdigest(), hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def put(folder, data, stored=None):
    sha1, sha1_git = names(data)
    (folder / "content").mkdir(exist_ok=True)
    (folder / "content" / sha1).write_bytes(gzip.compress(data) if stored is None else stored)
    return sha1, sha1_git


def test_every_problem_has_its_code_and_spoils_no_other_row(tmp_path):
    data = [b"content %d " % number * 50 for number in range(9)]
    packed = [gzip.compress(item) for item in data]
    flipped = bytearray(packed[2])
    flipped[len(flipped) // 2] ^= 0x10
    wanted = [
        (put(tmp_path, data[0]), None),
        (put(tmp_path, data[1], bytes(len(packed[1]))), "nul_filled"),
        (put(tmp_path, data[2], bytes(flipped)), "bad_gzip"),
        (put(tmp_path, data[3], packed[3][:-9]), "truncated"),
        (put(tmp_path, data[4], b""), "truncated"),
        (put(tmp_path, data[5], packed[0]), "hash_mismatch"),
        (names(b"never stored"), "missing"),
        (put(tmp_path, data[6], b"plain text"), "bad_gzip"),
        (put(tmp_path, b"x" * 10_001), "too_large"),
        (put(tmp_path, b"x" * 10_000), None),
        ((put(tmp_path, data[7])[0], names(data[8])[1]), "hash_mismatch"),  # right sha1, another git id
        (("../../etc/passwd", names(b"")[1]), "missing"),
        (put(tmp_path, b""), None),
        (put(tmp_path, data[0]), None),  # asked for twice
    ]
    store = open_store(str(tmp_path))
    for workers in (1, 4):
        sha1s, expected = [ids[0] for ids, _ in wanted], [ids[1] for ids, _ in wanted]
        table = fetch(store, sha1s, expected=expected, max_bytes=10_000, workers=workers)
        assert table.schema == SCHEMA
        assert table["problem"].to_pylist() == [problem for _, problem in wanted]
        assert set(filter(None, table["problem"].to_pylist())) == set(PROBLEMS)
        assert (table["sha1"].to_pylist(), table["sha1_git"].to_pylist()) == (sha1s, expected)
        rows = table.to_pylist()
        assert all((row["data"] is None) == (row["problem"] is not None) for row in rows)
        assert [row["data"] for row in rows if row["data"] is not None] == [data[0], b"x" * 10_000, b"", data[0]]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_no_flipped_bit_is_believed(data, at, bit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    stored = bytearray(gzip.compress(data, mtime=0))
    stored[at % len(stored)] ^= 1 << bit
    ids = put(folder, data, bytes(stored))
    row = fetch(open_store(str(folder)), [ids[0]], expected=[ids[1]], max_bytes=1000, workers=1).to_pylist()[0]
    assert row["data"] in (data, None)  # a flip in the header's name or time flags may be harmless
    assert (row["data"] is None) == (row["problem"] is not None)


def test_a_bomb_is_inflated_to_its_limit_only():
    bomb = zlib.compressobj(wbits=31)
    stored = b"".join([bomb.compress(bytes(1 << 20)) for _ in range(40)] + [bomb.flush()])
    import tracemalloc

    tracemalloc.start()
    assert inflate(stored, max_bytes=1 << 20) == (None, "too_large")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_lists_that_do_not_match_are_our_bug(tmp_path):
    with pytest.raises(InternalError):
        fetch(open_store(str(tmp_path)), ["a"], expected=[], max_bytes=1)


def test_a_bucket_gives_the_same_table_and_a_dead_one_an_error(tmp_path):
    choice = random.Random(5)
    (tmp_path / "bucket").mkdir()
    ids = [put(tmp_path / "bucket", choice.randbytes(choice.randrange(5000))) for _ in range(50)] + [names(b"missing")]
    arguments = {"expected": [git for _, git in ids], "max_bytes": 4000}
    local = fetch(open_store(str(tmp_path / "bucket")), [sha1 for sha1, _ in ids], **arguments)
    with S3Server(tmp_path) as server:
        remote = open_store(
            "s3://bucket", s3=S3Settings(endpoint=server.endpoint, anonymous=True, attempts=2, patience=0)
        )
        assert fetch(remote, [sha1 for sha1, _ in ids], **arguments).equals(local)
    with pytest.raises(StorageError):
        fetch(remote, [sha1 for sha1, _ in ids], **arguments)
