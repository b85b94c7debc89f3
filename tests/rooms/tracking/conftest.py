"""Fixtures of this room."""

from collections.abc import AsyncIterator

import pytest

from headwater.configdb import ConfigDb
from tests.support.configuration import configdb, vault
from tests.support.tracking_door import Door

__all__ = ["configdb", "door", "vault"]


@pytest.fixture
async def door(configdb: ConfigDb) -> AsyncIterator[Door]:
    """A Tracking API with real parts."""
    made = Door(configdb)
    yield made
    await made.close()
