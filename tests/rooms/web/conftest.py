"""The web on real engines."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from tests.support.web import World, browse, open_world


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """One store for a module, since opening one takes a second; each test has an app of its own."""
    opened = EventStore.open(EventStoreSettings(), tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


@pytest.fixture
async def world(tmp_path: Path, store: EventStore) -> AsyncIterator[World]:
    """A new data directory with one login and one app."""
    async with open_world(tmp_path, store) as opened:
        opened.add_login()
        yield opened


@pytest.fixture
async def browser(world: World) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A browser that nobody has logged in with."""
    async with browse(world) as client:
        yield client
