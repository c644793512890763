"""A registry that is not there, not ours, in use or out of reach is said so, and never read as an empty one."""

import os
import sqlite3
import stat

import pytest

from foundation.errors import ConfigError, ConflictError, StorageError, UsageError
from registry import open_registry, parse_selector, store

OWNER = parse_selector("owner", "landley")


def test_a_missing_registry_is_never_an_empty_one(location):
    registry = open_registry(location)
    reads = [registry.export, registry.list, registry.verify_log, lambda: registry.check(origin="a/b")]
    writes = [lambda: registry.decide(1, "effective", reason="verified", actor="a"), lambda: registry.withdraw("x")]
    for act in (*reads, *writes):
        with pytest.raises(ConfigError, match="no registry"):
            act()
    registry.close()


def test_nothing_is_made_by_looking(tmp_path):
    with pytest.raises(ConfigError):
        open_registry(tmp_path / "r.db").list()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_registry_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "r.db"
    path.write_bytes(content)
    for act in (lambda r: r.list(), lambda r: r.submit(OWNER)):
        with pytest.raises(ConfigError, match=r"r\.db"):
            act(open_registry(path))
    assert path.read_bytes() == content


def test_another_database_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE log (x)")
    connection.close()
    with pytest.raises(ConfigError, match="not a Gristmill registry"):
        open_registry(path).submit(OWNER)


def test_a_registry_of_another_version_is_refused(desk, location):
    desk.submit(OWNER)
    with desk._store.writing() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    other = open_registry(location)
    with pytest.raises(ConfigError, match="version 2"):
        other.list()
    other.close()


def test_the_file_is_for_its_owner_only_and_nothing_is_left_beside_it(tmp_path):
    registry = open_registry(tmp_path / "r.db")
    registry.submit(OWNER)
    assert stat.S_IMODE(os.stat(tmp_path / "r.db").st_mode) == 0o600
    registry.close()
    assert [path.name for path in tmp_path.iterdir()] == ["r.db"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="nowhere"):
        open_registry(tmp_path / "nowhere" / "r.db").submit(OWNER)


def test_a_registry_held_by_somebody_else_is_a_conflict(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    registry = open_registry(tmp_path / "r.db")
    registry.submit(OWNER)
    holder = sqlite3.connect(tmp_path / "r.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConflictError, match="in use"):
        registry.submit(parse_selector("owner", "other"))
    assert len(registry.list()) == 1  # readers are not kept waiting
    holder.execute("ROLLBACK")
    holder.close()
    assert registry.submit(parse_selector("owner", "other")).request == 2
    registry.close()


@pytest.mark.parametrize("url", ["", "mysql://h/db", "postgresql://h:port/db", "sqlite://", "\x00"])
def test_a_place_where_no_registry_can_live_is_refused(url):
    with pytest.raises(UsageError, match="registry"):
        open_registry(url)


def test_a_password_is_in_no_message():
    pytest.importorskip("psycopg")
    registry = open_registry("postgresql://u:hunter2@127.0.0.1:1/db")
    with pytest.raises(StorageError) as caught:
        registry.list()
    assert "hunter2" not in str(caught.value)
