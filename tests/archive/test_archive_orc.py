"""Typed reading of ORC: types, absent columns, wild dates, several stripes, damage."""

import dataclasses
import datetime as dt
import random
import uuid

import pyarrow as pa
import pyarrow.orc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.orc import read_batches, read_stripe, read_table, stripes
from archive.tables import SPECS
from archive.write import write_orc
from foundation.errors import ArchiveError, StorageError, UsageError
from foundation.storage import S3Settings, open_store
from tests.support.s3 import Proxy, S3Server

BATCH = uuid.UUID(int=7)
VISITS = ["origin", "visit", "date", "type"]


def written(folder, table, rows, name="x.orc"):
    write_orc(folder / name, table, rows, BATCH)
    return open_store(str(folder))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=5),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.integers(-(2**40), 2**40),
            st.sampled_from([0, 1000, 500_000_000, 999_999_000]),
        ),
        max_size=20,
    )
)
def test_rows_come_back_whatever_their_dates(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("orc")
    # ORC's C++ writer cannot hold (-1 s, part of a second): it turns it into (0 s, part)
    rows = [(name, number, seconds, 0 if seconds == -1 else nanos) for name, number, seconds, nanos in rows]
    made = [(name, number, None if s is None else (s, nanos), "git") for name, number, s, nanos in rows]
    store = written(folder, "origin_visit", made)
    table = read_table(store, list(store.list()), table="origin_visit", columns=["date", "visit", "origin"])
    assert table.schema.field("date").type == pa.timestamp("us", tz="UTC")
    expected = [None if s is None else s * 10**6 + nanos // 1000 for _, _, s, nanos in rows]
    assert table["date"].cast(pa.int64()).to_pylist() == expected
    assert table["visit"].to_pylist() == [number for _, number, _, _ in rows]
    assert table["origin"].to_pylist() == [name for name, _, _, _ in rows]


@pytest.mark.parametrize("year", [1, 1676, 1969, 2263, 9999, 250_000])
def test_a_wild_date_spoils_no_other_row(tmp_path, year):
    seconds = int((year - 1970) * 365.2425 * 86400)
    store = written(
        tmp_path, "origin_visit", [("a", 1, (0, 0), "git"), ("b", 2, (seconds, 1000), "git"), ("c", 3, None, "git")]
    )
    table = read_stripe(store, "x.orc", 0, table="origin_visit", columns=VISITS)
    assert table["date"].cast(pa.int64()).to_pylist() == [0, seconds * 10**6 + 1, None]
    assert table["origin"].to_pylist() == ["a", "b", "c"]


def test_a_date_beyond_microseconds_is_null(tmp_path):
    store = written(tmp_path, "origin_visit", [("a", 1, (2**62, 0), "git"), ("b", 2, (5, 0), "git")])
    table = read_stripe(store, "x.orc", 0, table="origin_visit", columns=["date"])
    assert table["date"].to_pylist() == [None, dt.datetime(1970, 1, 1, 0, 0, 5, tzinfo=dt.UTC)]


def test_columns_that_an_old_export_lacks_are_null_and_unknown_ones_refused(tmp_path):
    pyarrow.orc.write_table(pa.table({"id": ["ab"], "more": [1]}), tmp_path / "x.orc")
    store = open_store(str(tmp_path))
    table = read_stripe(store, "x.orc", 0, table="directory", columns=["raw_manifest", "id"])
    assert table.schema == pa.schema([("raw_manifest", pa.binary()), ("id", pa.string())])
    assert table.to_pylist() == [{"raw_manifest": None, "id": "ab"}]
    with pytest.raises(UsageError, match="no column"):
        read_stripe(store, "x.orc", 0, table="directory", columns=["id", "nonsense"])


def test_another_type_is_cast_or_named(tmp_path):
    pyarrow.orc.write_table(pa.table({"directory_id": ["ab"], "perms": pa.array([5], pa.int64())}), tmp_path / "x.orc")
    store = open_store(str(tmp_path))
    assert read_stripe(store, "x.orc", 0, table="directory_entry", columns=["perms"])["perms"].type == pa.int32()
    pyarrow.orc.write_table(pa.table({"perms": ["rwx"]}), tmp_path / "x.orc")
    with pytest.raises(ArchiveError, match=r"x\.orc: column perms is string, expected int32"):
        read_stripe(store, "x.orc", 0, table="directory_entry", columns=["perms"])


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of several stripes, below a bucket."""
    root = tmp_path_factory.mktemp("s3")
    choice = random.Random(3)
    rows = pa.table(
        {
            "directory_id": [choice.randbytes(20).hex() for _ in range(30_000)],
            "name": pa.array([choice.randbytes(8) for _ in range(30_000)], pa.binary()),
            "perms": pa.array([33188] * 30_000, pa.int32()),
        }
    )
    (root / "bucket").mkdir()
    pyarrow.orc.write_table(rows, root / "bucket" / "x.orc", stripe_size=64 << 10, compression="zstd", batch_size=1024)
    return root, rows


def test_stripes_make_up_the_file_locally_and_from_s3(many):
    root, rows = many
    local = open_store(str(root / "bucket"))
    found = stripes(local, "x.orc")
    assert len(found) > 3 and sum(stripe.rows for stripe in found) == 30_000
    assert [stripe.index for stripe in found] == list(range(len(found)))
    whole = read_table(local, list(local.list()), table="directory_entry", columns=rows.column_names)
    assert whole.equals(rows.cast(whole.schema))
    with S3Server(root) as server, Proxy(server.port) as proxy:
        settings_ = S3Settings(endpoint=proxy.endpoint, anonymous=True, read_timeout=1.0, patience=0.0)
        remote = open_store("s3://bucket", s3=settings_)
        assert stripes(remote, "x.orc") == found
        proxy.cut_after(20_000, times=2)
        batches = read_batches(remote, list(remote.list()), table="directory_entry", columns=rows.column_names)
        assert pa.concat_tables(batches).equals(whole)
        assert proxy.faults == 2
        with pytest.raises(FileNotFoundError):
            stripes(remote, "y.orc")
    dead = dataclasses.replace(remote, settings=dataclasses.replace(settings_, attempts=1))
    with pytest.raises(StorageError):  # and not ArchiveError: the file may be whole
        stripes(dead, "x.orc")


def test_wild_dates_from_s3(tmp_path):
    (tmp_path / "bucket").mkdir()
    written(tmp_path / "bucket", "origin_visit", [("a", 1, (10**12, 0), "git")])
    with S3Server(tmp_path) as server:
        remote = open_store("s3://bucket", s3=S3Settings(endpoint=server.endpoint, anonymous=True))
        table = read_stripe(remote, "x.orc", 0, table="origin_visit", columns=["date", "origin"])
    assert table["date"].cast(pa.int64()).to_pylist() == [10**18]


def test_every_truncation_is_an_archive_error_that_names_the_file(many):
    root, _ = many
    data = (root / "bucket" / "x.orc").read_bytes()
    folder = root / "cut"
    folder.mkdir()
    store = open_store(str(folder))
    for size in [0, 1, 3, 100, len(data) // 2, len(data) - 500, len(data) - 20, len(data) - 1]:
        (folder / "x.orc").write_bytes(data[:size])
        with pytest.raises(ArchiveError, match=r"x\.orc") as error:
            for stripe in stripes(store, "x.orc"):
                read_stripe(store, "x.orc", stripe, table="directory_entry", columns=["directory_id", "name"])
        assert "fetch it again" in error.value.hint


def test_zeroed_blocks_never_crash_and_raise_only_archive_error(tmp_path):
    rows = [(f"https://example.org/{number}", number, (number, 0), "git") for number in range(500)]
    store = written(tmp_path, "origin_visit", rows)
    data, choice = (tmp_path / "x.orc").read_bytes(), random.Random(4)
    damaged = 0
    for _ in range(60):
        at = choice.randrange(len(data))
        (tmp_path / "x.orc").write_bytes(data[:at] + bytes(min(32, len(data) - at)) + data[at + 32 :])
        try:
            for stripe in stripes(store, "x.orc"):
                read_stripe(store, "x.orc", stripe, table="origin_visit", columns=VISITS)
        except ArchiveError as error:
            assert "x.orc" in error.message
            damaged += 1
    assert damaged > 5  # the rest fell into Bloom filters and indexes


def test_every_table_is_written_with_the_exporter_s_columns(tmp_path):
    for table, spec in SPECS.items():
        write_orc(tmp_path / "x.orc", table, [], BATCH)
        file = pyarrow.orc.ORCFile(tmp_path / "x.orc")
        assert file.schema.names == spec.schema.names
        assert file.compression == "ZSTD" and file.file_version == "0.12" and file.row_index_stride == 10_000
