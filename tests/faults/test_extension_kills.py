"""Death around watermark, outbox, send and ack: at the receiver every due message, once by its id.

Two hundred deaths at seeded points of the extensions' room, each followed by a life that begins
from what was committed; then a real server that is killed with `kill -9`. On failure the seed is
shown; `FAULTS_SEED=…` repeats it.
"""

import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from tests.faults.load import DIED_AT_A_POINT, ROUNDS, let_go, new_seed, start_to_die
from tests.rooms.extensions.kills import POINTS, SECRET, Mortal
from tests.rooms.extensions.room import Room
from tests.support.eventually import eventually
from tests.support.processes import family_of, kill_all, wait_until_dead
from tests.support.server import Server, serving, start
from tests.support.webhook import Receiver, receiving, run_receiver

_DEATHS = 200
_CHECKED_EVERY = 40
PATH = "/api/v1/apps/{}/extensions/webhook"


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


class Source:
    """Calls of numbered users, and who was acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self._count = 0

    def call(self, server: Server, key: str, users: int = 6) -> None:
        """Send one call of each of a few new users and an old one; the dying may not answer."""
        fresh = [f"user-{self._count + n:03}" for n in range(users)]
        self._count += users
        now = datetime.now(UTC).isoformat()
        events = [
            {
                "request": {"time": now, "verb": "GET", "uri": "https://api.example.com/items"},
                "response": {"time": now, "status": 200},
                "user_id": id_,
            }
            for id_ in [*fresh, "user-000"]
        ]
        headers = {"x-moesif-application-id": key, "content-type": "application/json"}
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            answer = server.ask("POST", "/v1/events/batch", events, headers)
            assert answer.status == 201, answer.data
            self.acknowledged.update(fresh)


def connect(server: Server, path: str, receiver: Receiver) -> None:
    """Connect the webhook, to be told within seconds."""
    values = {"url": receiver.url, "secret": SECRET, "numbers": False}
    server.api("PUT", f"{path}?check=false", values)
    server.api("PUT", f"{path}/schedule", {"schedule": "live"})


def messages(receiver: Receiver) -> dict[str, list[Any]]:
    """Return all copies of each message, by id."""
    found: dict[str, list[Any]] = {}
    for request in list(receiver.received):
        for message in request.json["batch"]:
            found.setdefault(message["messageId"], []).append(message)
    return found


def call_until_death(
    source: Source, data: Path, key: str, crash_at: str, env: dict[str, str]
) -> None:
    """Send calls to a server that dies of telling about them, or of what it still had to tell."""
    server = start_to_die(data, crash_at, env)
    if server is None:
        return
    family = family_of(server.process.pid)
    source.call(server, key)
    assert server.process.wait(60) == DIED_AT_A_POINT, crash_at
    let_go(server)
    wait_until_dead(family)


@pytest.mark.slow
@pytest.mark.timeout(300 * ROUNDS)
def test_a_server_killed_while_it_tells_tells_everybody(tmp_path: Path) -> None:
    """Before the first word, after an answer, and at any moment: each user's newest state came."""
    seed = new_seed()
    chance = random.Random(seed)
    private = {"HEADWATER_EGRESS__ALLOW": "127.0.0.0/8"}
    source, data = Source(), tmp_path / "data"
    with receiving() as receiver:
        with serving(data, private) as server:
            app = server.api("POST", "/api/v1/apps", {"name": "told"})
            key, path = app["collector_application_id"], PATH.format(app["app_id"])
            connect(server, path, receiver)
        for point in ["extensions.taken", "extensions.sent"] * ROUNDS:
            call_until_death(source, data, key, f"{point}:1", private)
        for _ in range(ROUNDS):
            server = start(data, private)
            family = family_of(server.process.pid)
            source.call(server, key)
            time.sleep(chance.uniform(0.0, 7.0))
            kill_all(family)
            server.process.wait()
            let_go(server)
            wait_until_dead(family)
        with serving(data, private) as server:
            source.call(server, key)
            server.settle(within_s=60)
            assert_everybody_told(server, path, source, receiver, f"seed {seed}")


def assert_everybody_told(
    server: Server, path: str, source: Source, receiver: Receiver, why: str
) -> None:
    """The newest state of everybody came, and every copy of a message says the same."""
    newest = {
        server.api("GET", f"{path}/preview?user_id={id_}")["messages"][0]["messageId"]
        for id_ in source.acknowledged
    }
    eventually(lambda: newest <= set(messages(receiver)), within_s=60)
    assert server.api("POST", f"{path}/sync?full=true")["sent"] == 0, why
    copies = messages(receiver)
    assert {copy[0]["userId"] for copy in copies.values()} >= source.acknowledged, why
    assert all(one == copy[0] for copy in copies.values() for one in copy), why
    told = Counter(copy[0]["userId"] for copy in copies.values())
    assert all(count == 1 for id_, count in told.items() if id_ != "user-000"), why
