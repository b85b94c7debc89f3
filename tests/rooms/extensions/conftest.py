"""A room of its own for each test, beside a receiver, on one store for the module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from tests.rooms.extensions.room import Room
from tests.support.webhook import Receiver, run_receiver


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    store = EventStore.open(EventStoreSettings(), tmp_path_factory.mktemp("data"))
    yield store
    store.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as receiver:
        yield receiver


@pytest.fixture
async def unconnected(store: EventStore, tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(store, tmp_path)
    yield room
    await room.close()


@pytest.fixture
def room(unconnected: Room, receiver: Receiver) -> Room:
    unconnected.connect(receiver.url)
    return unconnected
