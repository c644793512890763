"""Opening the store, its transactions, and its errors in our words.

SQLite: WAL, foreign keys on, 30 s busy timeout, full sync (a receipt promises durability), writes under
BEGIN IMMEDIATE. A registry file appears whole or not at all, readable by its owner only. PostgreSQL:
writes take a lock on the log that excludes other writers but no readers; reads see one snapshot. So
writers are serial everywhere and the log's sequence has no gaps.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from foundation.errors import ConfigError, ConflictError, GristmillError, IntegrityError, StorageError, UsageError
from registry import schema

BUSY_SECONDS = 30
_WRITE = "gristmill_write"
_CREATE_LOCK = 0x67726973  # advisory lock number, so that two processes do not both create the tables


class Store:
    """One registry database; use it from any number of threads, and open it anew in each process."""

    def __init__(self, location: str | Path) -> None:
        self._url = _url(str(location))
        self._path = Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None
        self._engine = _engine(self._url)
        self._ready = False

    @property
    def name(self) -> str:
        """The location for messages: path, or URL without its password."""
        return str(self._path) if self._path else self._url.render_as_string(hide_password=True)

    def exists(self) -> bool:
        """Whether there is a registry here; ConfigError if there is something else."""
        if self._ready:
            return True
        if self._path and not self._path.exists():
            return False
        with self._translated(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table("meta"):
                if self._path or sa.inspect(connection).get_table_names():
                    raise ConfigError(f"{self.name} is not a Gristmill registry", hint="give the path of a registry")
                return False
            found = {row.key: row.value for row in connection.execute(sa.select(schema.meta))}
        if found.get("format") != schema.FORMAT or found.get("schema_version") != str(schema.SCHEMA_VERSION):
            raise ConfigError(
                f"{self.name}: expected {schema.FORMAT} version {schema.SCHEMA_VERSION}, found {found.get('format')} "
                f"version {found.get('schema_version')}",
                hint="use the version of Gristmill that made it",
            )
        self._ready = True
        return True

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A read transaction on one snapshot; ConfigError if there is no registry, never an empty answer instead."""
        if not self.exists():
            raise ConfigError(
                f"there is no registry at {self.name}",
                hint="give --registry or GRISTMILL_REGISTRY; `gristmill optout submit` makes a new one",
            )
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self, *, dry_run: bool = False) -> Iterator[sa.Connection]:
        """A write transaction that excludes all other writers; rolled back on error and when `dry_run`."""
        with self._translated(), self._engine.connect() as plain:
            connection = plain.execution_options(**{_WRITE: True})
            if not self._path:  # so that what earlier writers committed is seen once the lock is ours
                connection = connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin() as transaction:
                if not self._path:
                    connection.exec_driver_sql("LOCK TABLE log IN SHARE ROW EXCLUSIVE MODE")
                yield connection
                if dry_run:
                    transaction.rollback()

    def create(self) -> None:
        """Make an empty registry unless one is there; safe when many processes do so at once."""
        if self.exists():
            return
        with self._translated():
            if self._path:
                _create_file(self._path)
            else:
                self._create_tables()
        self.exists()

    def _create_tables(self) -> None:
        with self._engine.connect() as plain:
            # So that the tables of whoever held the lock before us are seen once it is ours.
            connection = plain.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATE_LOCK)))
                if not sa.inspect(connection).has_table("meta"):
                    schema.create(connection)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise _translate(error, self.name) from error


def _url(location: str) -> sa.URL:
    if "://" not in location:
        if "\x00" in location or not location:
            raise UsageError("the registry's location is empty or holds a NUL", hint="give a path or a database URL")
        return sa.URL.create("sqlite", database=str(Path(location).absolute()))
    try:
        url = sa.make_url(location)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError("the registry's URL cannot be parsed", hint="postgresql://user@host/database") from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return sa.URL.create("sqlite", database=str(Path(url.database).absolute()))
    raise UsageError(f"a registry cannot live in {backend!r}", hint="a file path, sqlite:///FILE or postgresql://…")


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(engine, "connect", _on_sqlite_connect)
        sa.event.listen(engine, "begin", _on_sqlite_begin)
        return engine
    try:
        return sa.create_engine(url, hide_parameters=True, isolation_level="REPEATABLE READ", pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise ConfigError(
            "a registry on PostgreSQL needs the psycopg driver", hint="install psycopg, version 3"
        ) from error


def _on_sqlite_connect(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # we begin transactions ourselves
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "recursive_triggers = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]


def _on_sqlite_begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _create_file(path: Path) -> None:
    """Make the SQLite file under a temporary name and link it into place, so that nobody sees half a registry."""
    try:
        handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=".db", dir=path.parent)  # mode 0600
        os.close(handle)
        temp = Path(name)
        try:
            engine = _engine(sa.URL.create("sqlite", database=name))
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA page_size = 4096")
            with engine.begin() as connection:
                schema.create(connection)
            raw = engine.raw_connection()
            raw.execute("PRAGMA journal_mode = WAL")  # kept in the file
            raw.close()
            engine.dispose()
            with contextlib.suppress(FileExistsError):  # somebody else was first: theirs is as good
                os.link(temp, path)
        finally:
            for leftover in path.parent.glob(f"{temp.name}*"):
                leftover.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot make a registry at {path}: {error.strerror}", hint="choose a folder that exists and can be written"
        ) from error


def _translate(error: sa.exc.SQLAlchemyError, name: str) -> GristmillError:
    """`error` in our words; parameters never appear (they may be personal), nor do URLs with passwords."""
    cause = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
    if "is locked" in cause:
        return ConflictError(f"registry {name} is in use by another process", hint="try again in a moment")
    if "append-only" in cause or "must be the next one" in cause:
        return IntegrityError(f"registry {name} refused a change of its history: {cause}")
    if "not a database" in cause or "malformed" in cause:
        return ConfigError(
            f"{name} is not a Gristmill registry, or is damaged: {cause}", hint="restore it from a backup"
        )
    return StorageError(f"registry {name}: {cause}", hint="check that its place can be read and written")
