"""Fixtures of this room."""

from collections.abc import AsyncIterator

import pytest

from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from tests.support.configuration import configdb, vault
from tests.support.federation import Federation
from tests.support.webhook import Receiver, run_receiver

__all__ = ["configdb", "federation", "receiver", "vault"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook receiver on the loopback."""
    async with run_receiver() as running:
        yield running


@pytest.fixture
async def federation(configdb: ConfigDb, vault: Vault) -> AsyncIterator[Federation]:
    """Federation with real parts, not yet at work."""
    made = Federation(configdb, vault)
    yield made
    await made.close()
