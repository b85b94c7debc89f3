"""The web on real engines."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.base.settings import EventStoreSettings
from headwater.configdb import Position, write_position
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from tests.support.web import World, browse, open_world


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """One store for a module, since opening one takes a second; each test has an app of its own."""
    opened = EventStore.open(EventStoreSettings(), tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def used() -> list[int]:
    """The offsets that the module's store has seen: a repeated one would pass for a repetition."""
    return [0]


@pytest.fixture
async def world(tmp_path: Path, store: EventStore, used: list[int]) -> AsyncIterator[World]:
    """A new data directory with one login and one app, and a log that goes on behind the last."""
    log = MemoryLog()
    for _ in range(used[0]):
        await log.append(Stream.CALLS, b"")
    async with open_world(tmp_path, store, log=log) as opened:
        opened.add_login()
        services, place = opened.services, Position(used[0] + 1)
        await services.configdb.run(write_position, services.clock, "ingest", Stream.CALLS, place)
        yield opened
    used[0] = (await log.state(Stream.CALLS)).last_offset


@pytest.fixture
async def browser(world: World) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A browser that nobody has logged in with."""
    async with browse(world) as client:
        yield client
