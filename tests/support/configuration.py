"""Give tests a real configuration database in a folder of their own.

In: `tmp_path`. Out: an open, migrated SQLite database and a vault. A room's conftest imports them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate


@pytest.fixture
def configdb(tmp_path: Path) -> Iterator[ConfigDb]:
    """An empty database at this version's shape."""
    db = ConfigDb.open(ConfigDbSettings(), tmp_path)
    migrate(db)
    yield db
    db.close()


@pytest.fixture
def vault() -> Vault:
    """A vault with a key that is always the same."""
    return Vault(b"k" * 32)
