"""Where registries live in these tests: a SQLite file, and a PostgreSQL server where one is installed."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry import open_registry


def _server_programs():
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("pg_ctl")
    folders += [Path(found).resolve().parent] if found else []
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextlib.contextmanager
def _server():
    """A throw-away server on a Unix socket, as another user when we are root (PostgreSQL refuses root)."""
    programs = _server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    pytest.importorskip("psycopg")
    user = None
    if os.geteuid() == 0:
        names = [name for name in ("postgres", "nobody") if _exists(name)]
        if not names:
            pytest.skip("PostgreSQL does not run as root and there is no user to run it as")
        user = names[0]
    folder = Path(tempfile.mkdtemp(prefix="gristmill-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"

        def run(*command):
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([str(word) for word in command], check=True, cwd=folder, user=user, **quiet)

        run(programs / "initdb", "-D", data, "-U", "mill", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -h '' -c fsync=off -c max_connections=40"
        run(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql+psycopg://mill@/postgres?host={folder}"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exists(user):
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(user) is not None
    return False


@pytest.fixture(scope="session")
def postgresql():
    with _server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request, tmp_path):
    """A place for a registry that does not exist yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "registry.db")
        return
    server = sa.create_engine(request.getfixturevalue("postgresql"), isolation_level="AUTOCOMMIT")
    name = f"r{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield server.url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture
def desk(location):
    registry = open_registry(location)
    yield registry
    registry.close()
