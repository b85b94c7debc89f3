"""Death while delivering: no message is lost, and none comes twice that was written down.

A hundred deaths at seeded points of the room, each followed by a life that begins from what was
committed; then a real process with a real log that is killed with `kill -9` while its requests are
on the wire. On failure the seed is shown; `FAULTS_SEED=…` repeats it.
"""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import list_destinations
from headwater.federation import delivery_status
from tests.faults.load import ROUNDS, new_seed
from tests.rooms.federation.kills import HASTY, POINTS, Mortal
from tests.support.eventually import eventually
from tests.support.federation import Federation
from tests.support.house_two import connect, house_two
from tests.support.processes import family_of, kill_all, wait_until_dead
from tests.support.webhook import Received, receiving, run_receiver

_DEATHS = 100
_CHECKED_EVERY = 20


async def kill_often(mortal: Mortal, deaths: int) -> None:
    """Let federation die so many times, and finish its work now and then."""
    while sum(mortal.deaths.values()) < deaths:
        before = sum(mortal.deaths.values())
        await mortal.live()
        if before // _CHECKED_EVERY != sum(mortal.deaths.values()) // _CHECKED_EVERY:
            await mortal.finish()
    await mortal.finish()


@pytest.mark.timeout(300 * ROUNDS)
async def test_a_hundred_deaths_lose_no_message_and_repeat_none_that_was_written_down(
    configdb: ConfigDb, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With answers lost, requests failing, in batches and in users' order; all points are met."""
    seed = new_seed()
    house = Federation(configdb, vault, settings=HASTY)
    mortal = Mortal(house, tmp_path, seed, monkeypatch)
    try:
        async with run_receiver() as in_order, run_receiver() as in_batches:
            await mortal.connect(in_order, in_batches)
            await kill_often(mortal, _DEATHS * ROUNDS)
    except AssertionError as err:
        raise AssertionError(f"seed {seed}, {mortal.deaths}: {err}") from err
    finally:
        await house.close()
        house.configdb.close()
    assert set(mortal.deaths) == set(POINTS)


def delivered(data: Path) -> int:
    """Return how many deliveries are written down, while no process runs."""
    configdb = ConfigDb.open(ConfigDbSettings(), data)
    with configdb.transaction() as connection:
        instance = list_destinations(connection)[0]
        count = delivery_status(connection, instance.id).delivered
    configdb.close()
    return count


@pytest.mark.timeout(120)
def test_a_process_killed_while_its_requests_are_on_the_wire_repeats_no_more_than_those(
    tmp_path: Path,
) -> None:
    """Twice, at a random request: all that was acknowledged comes, with the same ids."""
    seed = new_seed()
    chance, acknowledged, unwritten = random.Random(seed), set[str](), 0
    with receiving() as receiver:
        key = connect(tmp_path, receiver.url)
        for life in range(2):
            with house_two(tmp_path) as server:
                family = family_of(server.process.pid)
                receiver.judge = kill_at(chance.randint(2, 20), family)
                for number in range(200):
                    if server.identify(key, f"{life}-{number}") != 200:
                        break
                    acknowledged.add(f"{life}-{number}")
                wait_until_dead(family)
            unwritten = len(receiver.received) - delivered(tmp_path)
        receiver.judge = None
        with house_two(tmp_path) as server:
            assert server.identify(key, "last") == 200
            came = eventually(lambda: whole(receiver.received, {*acknowledged, "last"}))
    repeats = sum(came.values()) - len(came)
    assert repeats <= unwritten, f"seed {seed}: {came}"


def kill_at(count: int, family: list[int]) -> Callable[[Received], int]:
    """Return a judge who kills a process when it sends its so-manieth request."""
    left = [count]

    def judge(_got: Received) -> int:
        left[0] -= 1
        if left[0] == 0:
            kill_all(family)
        return 200

    return judge


def whole(received: list[Received], wanted: set[str]) -> Counter[str]:
    """Return how often each message came, once all of these did; nothing before."""
    came = Counter(got.json["messageId"] for got in list(received))
    return came if wanted <= came.keys() else Counter()
