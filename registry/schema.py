"""The registry's tables, for SQLite and PostgreSQL.

requests      number of the request, receipt, salt of its commitments, requester and note (erasable), fingerprint
selectors     what was asked, as parsed; one row a selector (today one a request, `position` 1)
transitions   each change of state with its actor, time and reason; numbered by the log's sequence
log           the hash chain: sequence, previous hash, event (canonical JSON), hash
meta          format name and schema version

`log` and `transitions` are append-only: triggers refuse UPDATE, DELETE and TRUNCATE, and on the log any
sequence but the next. No state is stored twice: a request's state is its last transition.
Personal data (requester, note, actor, selector) is in the other tables alone, the log has commitments.
"""

from __future__ import annotations

import sqlalchemy as sa

FORMAT = "gristmill-registry"
SCHEMA_VERSION = 1

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("receipt", sa.String(64), nullable=False, unique=True),
    sa.Column("salt", sa.String(64), nullable=False),  # hex; without it the log's commitments say nothing
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),  # of selector + requester; finds repeats
    sa.Column("requester", sa.Text, nullable=True),
    sa.Column("note", sa.Text, nullable=True),
)

selectors = sa.Table(
    "selectors",
    metadata,
    sa.Column("request_id", sa.ForeignKey("requests.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False, index=True),
    sa.Column("host", sa.Text, nullable=True),
    sa.Column("owner_id", sa.BigInteger, nullable=True),
    sa.Column("repository_id", sa.BigInteger, nullable=True),
    sa.Column("glob", sa.Text, nullable=True),
    sa.Column("swhid", sa.String(50), nullable=True),
    sa.Column("names", sa.Text, nullable=False),  # JSON list: current full name, then former ones
    sa.Column("purposes", sa.Text, nullable=False),  # JSON list
    sa.Column("include_forks", sa.Boolean, nullable=False),
    sa.Column("include_future", sa.Boolean, nullable=False),
)

log = sa.Table(
    "log",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
)

transitions = sa.Table(
    "transitions",
    metadata,
    sa.Column("sequence", sa.ForeignKey("log.sequence"), primary_key=True, autoincrement=False),
    sa.Column("request_id", sa.ForeignKey("requests.id"), nullable=False),
    sa.Column("before", sa.String(20), nullable=True),
    sa.Column("after", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", sa.String(20), nullable=False),  # ISO-8601 UTC, seconds
    sa.Index("transitions_of_request", "request_id", "sequence"),
)

_APPEND_ONLY = ("log", "transitions")

_SQLITE_TRIGGERS = [
    f"""CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
    for table in _APPEND_ONLY
    for verb in ("UPDATE", "DELETE")
] + [
    # INSERT OR REPLACE deletes without firing the trigger above; an insert of a sequence that exists stops here.
    """CREATE TRIGGER transitions_next BEFORE INSERT ON transitions
        WHEN EXISTS (SELECT 1 FROM transitions WHERE sequence = NEW.sequence)
        BEGIN SELECT RAISE(ABORT, 'transitions is append-only'); END""",
    """CREATE TRIGGER log_next BEFORE INSERT ON log
        WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM log)
        BEGIN SELECT RAISE(ABORT, 'log sequence must be the next one'); END""",
]

_POSTGRESQL_TRIGGERS = [
    """CREATE FUNCTION gristmill_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            RAISE EXCEPTION USING
                MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'integrity_constraint_violation';
        END $$""",
    """CREATE FUNCTION gristmill_log_next() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM log) THEN
                RAISE EXCEPTION 'log sequence must be the next one' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""",
    "CREATE TRIGGER log_next BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION gristmill_log_next()",
] + [
    f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION gristmill_append_only()"""
    for table in _APPEND_ONLY
]


def create(connection: sa.Connection) -> None:
    """Make all tables and triggers in an empty database, inside the caller's transaction."""
    metadata.create_all(connection)
    triggers = _SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else _POSTGRESQL_TRIGGERS
    for statement in triggers:
        connection.exec_driver_sql(statement)
    rows = [{"key": "format", "value": FORMAT}, {"key": "schema_version", "value": str(SCHEMA_VERSION)}]
    connection.execute(meta.insert(), rows)
