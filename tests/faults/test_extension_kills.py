"""Death around watermark, outbox, send and ack: at the receiver every due message, once by its id.

Two hundred deaths at seeded points of the extensions' room, each followed by a life that begins
from what was committed; then a real server that is killed with `kill -9`. On failure the seed is
shown; `FAULTS_SEED=…` repeats it.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from tests.faults.load import ROUNDS, new_seed
from tests.rooms.extensions.kills import POINTS, Mortal
from tests.rooms.extensions.room import Room
from tests.support.webhook import Receiver, run_receiver

_DEATHS = 200
_CHECKED_EVERY = 40


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    store = EventStore.open(EventStoreSettings(), tmp_path_factory.mktemp("data"))
    yield store
    store.close()


@pytest.fixture
async def receivers() -> AsyncIterator[tuple[Receiver, Receiver]]:
    async with run_receiver() as segment, run_receiver() as webhook:
        yield segment, webhook


async def kill_often(mortal: Mortal, deaths: int) -> None:
    """Let the room die so many times, and finish its work now and then."""
    died = False
    while sum(mortal.deaths.values()) < deaths:
        if not died or mortal.chance.random() < 0.1:
            await mortal.change_somebody()
        died = await mortal.work_and_die()
        if died and sum(mortal.deaths.values()) % _CHECKED_EVERY == 0:
            await mortal.finish()
    await mortal.finish()


@pytest.mark.slow
@pytest.mark.timeout(300 * ROUNDS)
async def test_two_hundred_deaths_lose_no_message_and_double_none(
    store: EventStore,
    tmp_path: Path,
    receivers: tuple[Receiver, Receiver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two extensions on one app; all points are met."""
    seed = new_seed()
    room = Room(store, tmp_path)
    mortal = Mortal(room, tmp_path, seed, monkeypatch)
    await mortal.connect(*receivers)
    try:
        await kill_often(mortal, _DEATHS * ROUNDS)
    except AssertionError as err:
        raise AssertionError(f"seed {seed}, {mortal.deaths}: {err}") from err
    finally:
        await room.close()
    assert set(mortal.deaths) == set(POINTS)
