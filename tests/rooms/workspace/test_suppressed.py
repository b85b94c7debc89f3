"""A suppressed user is recognised and not remembered by name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from headwater.base.clock import SystemClock
from headwater.base.errors import InvalidInputError
from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.workspace import (
    allow_user,
    create_app,
    list_suppressed,
    suppress_user,
    suppressed_among,
)

VAULT, CLOCK = Vault(b"k" * 32), SystemClock()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    db = ConfigDb.open(ConfigDbSettings(), tmp_path)
    migrate(db)
    with db.transaction() as opened:
        yield opened
    db.close()


def test_suppressed_users_are_found_among_others(connection: sa.Connection) -> None:
    """In their own app only, until they are allowed again; twice is once."""
    one = create_app(connection, VAULT, CLOCK, "one")[0].id
    other = create_app(connection, VAULT, CLOCK, "other")[0].id
    everybody = [f"user-{n}" for n in range(1_200)]
    assert suppressed_among(connection, VAULT, one, everybody) == set()
    for reason in ("asked", "erased"):
        suppress_user(connection, VAULT, CLOCK, one, "user-1150", reason)
    assert suppressed_among(connection, VAULT, one, everybody) == {"user-1150"}
    assert suppressed_among(connection, VAULT, other, everybody) == set()
    (known,) = list_suppressed(connection, one)
    assert (known.reason, "user-1150" in str(known)) == ("erased", False)
    assert allow_user(connection, VAULT, one, "user-1150")
    assert not allow_user(connection, VAULT, one, "user-1150")
    assert suppressed_among(connection, VAULT, one, everybody) == set()


def test_somebody_must_be_meant(connection: sa.Connection) -> None:
    """An empty id is a mistake."""
    with pytest.raises(InvalidInputError):
        suppress_user(connection, VAULT, CLOCK, create_app(connection, VAULT, CLOCK, "a")[0].id, "")
