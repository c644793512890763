"""Finding what an archive holds, and its identity, wherever it lies."""

import datetime as dt
import shutil

import pytest

from archive import ingest, open_archive
from archive.orc import read_table
from foundation.errors import ArchiveError, CredentialsError, UsageError
from foundation.storage import S3Settings
from tests.support.archives import VISIT_DATE, make_archive, make_git_repository
from tests.support.s3 import S3Server

SOURCES = {"https://example.org/a": {"f": b"1", "g/h": b"2"}, "https://example.org/b": {"f": b"3"}}


@pytest.fixture
def path(tmp_path):
    return make_archive(tmp_path, SOURCES)


def test_identity_is_of_the_bytes_not_of_the_place(path, tmp_path):
    identity = open_archive(str(path)).identity()
    shutil.copytree(path, tmp_path / "elsewhere")
    for file in sorted((tmp_path / "elsewhere" / "graph").rglob("*.orc")):
        file.rename(file.with_name("0" + file.name[::-1][4:] + ".orc"))
    assert open_archive(str(tmp_path / "elsewhere")).identity() == identity
    (tmp_path / "root" / "bucket").mkdir(parents=True)
    shutil.copytree(path, tmp_path / "root" / "bucket" / "some")
    with S3Server(tmp_path / "root") as server:
        remote = open_archive("s3://bucket/some", s3=S3Settings(endpoint=server.endpoint, anonymous=True))
        assert remote.identity() == identity
        assert [info.size for info in remote.files("content")] == [
            info.size for info in open_archive(str(path)).files("content")
        ]
        with pytest.raises(CredentialsError, match="no bucket 'other'"):
            open_archive("s3://other/some", s3=S3Settings(endpoint=server.endpoint, anonymous=True))
        with pytest.raises(ArchiveError, match="s3://bucket is not an archive"):
            open_archive("s3://bucket", s3=S3Settings(endpoint=server.endpoint, anonymous=True))


def test_identity_changes_with_the_rows(path, tmp_path):
    before = open_archive(str(path)).identity()
    make_archive(tmp_path, {"https://example.org/c": {"f": b"4"}}, visit_date=VISIT_DATE + dt.timedelta(days=1))
    after = open_archive(str(path)).identity()
    assert before != after and before["tables"]["directory"] != after["tables"]["directory"]


@pytest.mark.parametrize(
    "table", ["origin_visit_status", "snapshot", "snapshot_branch", "directory", "directory_entry", "content"]
)
def test_a_missing_table_is_named(path, table):
    shutil.rmtree(path / "graph" / "2025-06-01" / "orc" / table)
    with pytest.raises(ArchiveError, match=rf"lacks the tables {table}\n") as error:
        open_archive(str(path))
    assert "orc/<table>/" in error.value.hint


def test_tables_that_may_be_empty_are(path):
    shutil.rmtree(path / "graph" / "2025-06-01" / "orc" / "revision")
    archive = open_archive(str(path))
    assert archive.files("revision") == archive.files("release") == ()
    assert read_table(archive.store, archive.files("revision"), table="revision", columns=["id"]).num_rows == 0
    with pytest.raises(UsageError, match="no table 'nonsense'"):
        archive.files("nonsense")


def test_what_is_no_archive_is_said(path, tmp_path):
    with pytest.raises(ArchiveError, match="not an archive"):
        open_archive(str(tmp_path))
    with pytest.raises(UsageError, match="no folder"):
        open_archive(str(tmp_path / "missing"))
    shutil.rmtree(path / "content")
    with pytest.raises(ArchiveError, match="no folder content/"):
        open_archive(str(path))


def test_the_newest_export_unless_told(path, tmp_path):
    make_git_repository(tmp_path / "r", {"x": b"y"})
    ingest([tmp_path / "r"], path, visit_date=VISIT_DATE, export_name="2026-01-01-late")
    assert open_archive(str(path)).export == "2026-01-01-late"
    assert open_archive(str(path), export="2025-06-01").export == "2025-06-01"
    with pytest.raises(UsageError, match="no export '2024'") as error:
        open_archive(str(path), export="2024")
    assert "2025-06-01, 2026-01-01-late" in error.value.hint
    # and further visits go to the newest one
    assert ingest([tmp_path / "r"], path, visit_date=VISIT_DATE + dt.timedelta(1)).export == "2026-01-01-late"


def test_an_archive_of_an_empty_folder_opens(tmp_path):
    (tmp_path / "empty").mkdir()
    ingest([tmp_path / "empty"], tmp_path / "out", visit_date=VISIT_DATE)
    archive = open_archive(str(tmp_path / "out"))
    assert read_table(archive.store, archive.files("directory"), table="directory", columns=["id"]).to_pylist() == [
        {"id": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"}  # git's empty tree
    ]
