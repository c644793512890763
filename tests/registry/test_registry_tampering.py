"""Whoever changes the history by other means is found out, at the entry that was changed."""

import json

import pytest
import sqlalchemy as sa

from foundation.canonical import canonical_json
from foundation.errors import IntegrityError
from registry import Head, open_registry, parse_selector
from registry.log import chain

SECRETS = ["rob@example.org", "my private reason", "landley", "toybox", "private-glob", "alex the clerk"]


@pytest.fixture
def filled(desk):
    first = desk.submit(parse_selector("owner", "landley"), requester=SECRETS[0], note=SECRETS[1])
    desk.submit(parse_selector("path", "landley/toybox", glob="private-glob/**"), requester=SECRETS[0])
    desk.submit(parse_selector("content", "swh:1:cnt:" + "1" * 40))
    desk.decide(1, "effective", reason="verified", actor=SECRETS[5])
    desk.decide(3, "refused", reason="shared_content", actor=SECRETS[5])
    desk.withdraw(first.receipt)
    desk.close()
    return desk


def _force(location, *statements):
    """Run statements with triggers and foreign keys out of the way, as somebody with the database's password would."""
    engine = sa.create_engine(location if "://" in location else f"sqlite:///{location}")
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
            for name in found:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
    engine.dispose()


CHANGES = [
    ("UPDATE log SET event = replace(event, 'T', 'U') WHERE sequence = 4", 4),
    ("UPDATE log SET event = '{}' WHERE sequence = 1", 1),
    ("UPDATE log SET event = 'junk' WHERE sequence = 9", 9),
    ("UPDATE log SET event = event || ' ' WHERE sequence = 3", 3),
    ("UPDATE log SET hash = 'a' WHERE sequence = 2", 2),
    ("UPDATE log SET previous = hash WHERE sequence = 5", 5),
    ("UPDATE log SET sequence = 99 WHERE sequence = 6", 6),
    ("DELETE FROM log WHERE sequence = 1", 1),
    ("DELETE FROM log WHERE sequence = 7", 7),
    ("DELETE FROM log WHERE sequence = 9", 9),
    ("DELETE FROM transitions WHERE sequence = 9", 9),
    ("DELETE FROM log", 1),
    ("UPDATE transitions SET after = 'held' WHERE sequence = 8", 8),
    ("UPDATE transitions SET after = 'nonsense' WHERE sequence = 8", 8),
    ("UPDATE transitions SET reason = 'abuse' WHERE sequence = 8", 8),
    ("UPDATE transitions SET actor = 'mallory' WHERE sequence = 7", 7),
    ("UPDATE transitions SET at = '2001-01-01T00:00:00Z' WHERE sequence = 2", 2),
    ("UPDATE transitions SET request_id = 2 WHERE sequence = 9", 9),
    ("UPDATE transitions SET sequence = 0 WHERE sequence = 9", 9),
    ("UPDATE selectors SET names = '[\"torvalds\"]' WHERE request_id = 1", 1),
    ("UPDATE selectors SET names = 'junk' WHERE request_id = 1", 1),
    ("UPDATE selectors SET glob = '**' WHERE request_id = 2", 3),
    ("UPDATE selectors SET purposes = '[]' WHERE request_id = 2", 3),
    ("UPDATE selectors SET swhid = NULL WHERE request_id = 3", 5),
    ("UPDATE selectors SET kind = 'host' WHERE request_id = 3", 5),
    ("DELETE FROM selectors WHERE request_id = 2", 3),
    ("DELETE FROM requests WHERE id = 3", 5),
    ("UPDATE requests SET salt = '00' WHERE id = 2", 3),
    ("INSERT INTO requests (id, receipt, salt, fingerprint) VALUES (4, 'r', '00', 'f')", 10),
    (
        "INSERT INTO transitions SELECT 10, 1, 'withdrawn', 'held', 'on_receipt', 'x', at"
        " FROM transitions WHERE sequence = 9",
        10,
    ),
]


def test_every_change_is_found_at_its_entry(location, filled):
    """Each change in turn on a copy (SQLite), or undone again (PostgreSQL)."""
    for change, sequence in CHANGES:
        with _Changed(location, change) as there:
            damaged = open_registry(there)
            for act in (damaged.verify_log, damaged.export, lambda desk=damaged: desk.check(origin="landley/toybox")):
                with pytest.raises(IntegrityError, match=rf"^log entry {sequence}: "):
                    act()
            damaged.close()
    assert filled.verify_log().sequence == 9


class _Changed:
    """The registry at `location` with one change made to it."""

    tables = ("requests", "selectors", "log", "transitions")

    def __init__(self, location, change):
        self.location, self.change = location, change

    def __enter__(self):
        if "://" in self.location:
            saves = [f"DROP TABLE IF EXISTS {t}_kept; CREATE TABLE {t}_kept AS TABLE {t}" for t in self.tables]
            _force(self.location, *saves, self.change)
            return self.location
        self.copy = f"{self.location}.copy"
        with open(self.location, "rb") as source, open(self.copy, "wb") as target:
            target.write(source.read())
        _force(self.copy, self.change)
        return self.copy

    def __exit__(self, *_):
        if "://" in self.location:
            _force(self.location, *(f"DELETE FROM {t}; INSERT INTO {t} SELECT * FROM {t}_kept" for t in self.tables))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log SET hash = hash",
        "DELETE FROM log",
        "DELETE FROM transitions WHERE sequence = 9",
        "UPDATE transitions SET actor = 'x'",
        "INSERT INTO log VALUES (11, 'a', '{}', 'b')",
        "INSERT INTO log VALUES (0, 'a', '{}', 'b')",
    ],
)
def test_the_database_itself_refuses_to_change_history(location, filled, statement):
    engine = sa.create_engine(location if "://" in location else f"sqlite:///{location}")
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"append-only|next one"):
        connection.exec_driver_sql(statement)
    engine.dispose()
    assert filled.verify_log().sequence == 9


def test_a_rewritten_history_is_sound_in_itself_but_is_told_from_the_one_noted(location, filled):
    noted = filled.export(8)
    filled.close()
    engine = sa.create_engine(location if "://" in location else f"sqlite:///{location}")
    with engine.connect() as connection:
        event, previous = connection.exec_driver_sql("SELECT event, previous FROM log WHERE sequence = 8").one()
    engine.dispose()
    forged = json.loads(event) | {"reason": "abuse"}
    eighth = chain(8, previous, forged)
    with open_registry(location)._store.reading() as connection:
        last = json.loads(connection.exec_driver_sql("SELECT event FROM log WHERE sequence = 9").scalar_one())
    _force(
        location,
        f"UPDATE log SET event = '{canonical_json(forged).decode()}', hash = '{eighth}' WHERE sequence = 8",
        f"UPDATE log SET previous = '{eighth}', hash = '{chain(9, eighth, last)}' WHERE sequence = 9",
        "UPDATE transitions SET reason = 'abuse' WHERE sequence = 8",
    )
    assert filled.verify_log().sequence == 9
    with pytest.raises(IntegrityError, match=r"log entry 8: .*noted earlier"):
        filled.verify_log(expected=Head(noted.sequence, noted.log_head))


def test_a_shortened_history_is_told_from_the_one_noted(location, filled):
    noted = filled.verify_log()
    filled.close()
    _force(location, "DELETE FROM transitions WHERE sequence = 9", "DELETE FROM log WHERE sequence = 9")
    assert filled.verify_log().sequence == 8
    with pytest.raises(IntegrityError, match="log entry 9: entry is missing"):
        filled.verify_log(expected=noted)


def test_the_log_and_the_export_hold_nothing_private(location, filled):
    with filled._store.reading() as connection:
        log = "\n".join(connection.exec_driver_sql("SELECT event FROM log ORDER BY sequence").scalars())
        salts = connection.exec_driver_sql("SELECT salt FROM requests").scalars().all()
    for secret in [*SECRETS, *salts]:
        assert secret not in log
    assert len(set(salts)) == 3
    exported = filled.export(7).to_bytes().decode()
    assert "landley" in exported
    for secret in (SECRETS[0], SECRETS[1], SECRETS[5], *salts):
        assert secret not in exported
