import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from archive import add_metadata, open_archive
from archive.metadata import METADATA_SCHEMA, read_metadata
from foundation.errors import ConfigError
from tests.support.archives import make_archive

WHEN = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)


def write(path, **columns):
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_columns_in_any_width_become_the_declared_ones(tmp_path):
    path = write(
        tmp_path / "m.parquet",
        url=pa.array(["https://example.org/a", None]).dictionary_encode(),
        stars=pa.array([5, None], pa.int32()),
        former_names=pa.array([["x/y"], []], pa.large_list(pa.large_string())),
        created_at=pa.array([WHEN, None], pa.timestamp("ms", tz="UTC")),
        gha_license_spdx=["MIT", None],
        fork_of=pa.nulls(2),
        unheard_of=[1, 2],
    )
    table = read_metadata(path)
    assert table.schema == METADATA_SCHEMA
    first = table.to_pylist()[0]
    assert first == {
        "url": "https://example.org/a", "github_id": None, "full_name": None, "former_names": ["x/y"],
        "default_branch": None, "stars": 5, "forks": None, "fork_of": None, "created_at": WHEN,
        "declared_licence": "MIT",
    }  # fmt: skip


def test_declared_licence_wins_over_its_older_name(tmp_path):
    path = write(tmp_path / "m.parquet", full_name=["a/b"], gha_license_spdx=["MIT"], declared_licence=["ISC"])
    assert read_metadata(path)["declared_licence"].to_pylist() == ["ISC"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"url": ["x"], "stars": ["many"]}, r"m\.parquet: column stars is string, expected int64"),
        ({"url": ["x"], "github_id": [1.5]}, "column github_id is double"),
        ({"url": [1]}, "column url is int64"),
        ({"url": ["x"], "former_names": ["y"]}, "column former_names is string"),
        ({"url": ["x"], "stars": pa.array([2**63], pa.uint64())}, "column stars does not fit int64"),
        ({"stars": [1]}, "neither column url nor full_name"),
    ],
)
def test_wrong_types_name_file_and_column(tmp_path, columns, message):
    with pytest.raises(ConfigError, match=message):
        read_metadata(write(tmp_path / "m.parquet", **columns))


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(ConfigError, match="no metadata file"):
        read_metadata(str(tmp_path / "none.parquet"))
    (tmp_path / "m.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ConfigError, match="not a readable Parquet file"):
        read_metadata(str(tmp_path / "m.parquet"))


def test_an_archive_finds_its_metadata_and_counts_it_in_its_identity(tmp_path):
    path = make_archive(tmp_path, {"https://example.org/a": {"f": b"1"}})
    plain = open_archive(str(path))
    assert plain.metadata is None
    add_metadata(path, write(tmp_path / "m.parquet", url=["https://example.org/a"]))
    archive = open_archive(str(path))
    assert archive.metadata == str(path / "repositories.parquet")
    assert read_metadata(archive.metadata)["url"].to_pylist() == ["https://example.org/a"]
    assert archive.identity() != plain.identity()
    other = write(tmp_path / "other.parquet", full_name=["a/b"])
    assert open_archive(str(path), metadata=other).metadata == other
    with pytest.raises(ConfigError):
        add_metadata(path, write(tmp_path / "bad.parquet", stars=[1]))
    assert open_archive(str(path)).identity() == archive.identity()
