"""Fixtures of this room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from tests.rooms.privacy.house import House
from tests.support.configuration import configdb, vault
from tests.support.webhook import Receiver, run_receiver

__all__ = ["configdb", "house", "receiver", "vault"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A vendor on the loopback."""
    async with run_receiver() as running:
        yield running


@pytest.fixture
async def house(configdb: ConfigDb, vault: Vault, tmp_path: Path) -> AsyncIterator[House]:
    """A source, and whoever carries out regulations."""
    made = House(configdb, vault, tmp_path)
    yield made
    await made.egress.close()
