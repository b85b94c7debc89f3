"""Give tests a real configuration database in a folder of their own.

In: `tmp_path`. Out: an open, migrated SQLite database and a vault. A room's conftest imports them.
"""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate


@functools.cache
def _migrated() -> bytes:
    """Migrate once for each process: it takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        db = ConfigDb.open(ConfigDbSettings(), Path(folder))
        migrate(db)
        with db.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        db.close()
        return (Path(folder) / "config.db").read_bytes()


@pytest.fixture
def configdb(tmp_path: Path) -> Iterator[ConfigDb]:
    """An empty database at this version's shape."""
    (tmp_path / "config.db").write_bytes(_migrated())
    db = ConfigDb.open(ConfigDbSettings(), tmp_path)
    yield db
    db.close()


@pytest.fixture
def vault() -> Vault:
    """A vault with a key that is always the same."""
    return Vault(b"k" * 32)
