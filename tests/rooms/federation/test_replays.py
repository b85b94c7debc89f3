"""What the log still holds is delivered once more: by range of time and type, bit by bit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from headwater.base.errors import ConflictError, InvalidInputError
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import set_destination_enabled
from headwater.eventlog import Stream
from headwater.federation import cancel_replay, list_replays
from tests.support.federation import QUICK, Federation
from tests.support.messages import a_message
from tests.support.webhook import Receiver

HOUR = timedelta(hours=1)


@pytest.fixture
async def federation(configdb: ConfigDb, vault: Vault) -> AsyncIterator[Federation]:
    """Patient: on a busy machine an answer that is too late would bring a message once more."""
    made = Federation(configdb, vault, settings=msgspec.structs.replace(QUICK, timeout_s=10))
    yield made
    await made.close()


def ids(receiver: Receiver) -> Counter[str]:
    return Counter(got.json["messageId"] for got in receiver.received)


async def test_a_range_of_one_type_is_delivered_once_more(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """Under the same ids, in a user's order; other times, types and destinations stay alone."""
    instance, other = federation.connect(receiver.url), federation.connect(receiver.url + "/other")
    await federation.keep_order(instance)
    now = federation.clock.now()
    old = a_message("old", source_id=federation.source.id, received_at=now - 2 * HOUR, type="track")
    await federation.append([old])
    await federation.receive(*(f"t-{n}" for n in range(5)), type="track")
    await federation.receive("i-1")
    replays = federation.workers.replays
    async with federation.at_work():
        for one in (instance, other):
            await federation.until(one, lambda s: s.delivered == 6)
        receiver.received.clear()
        begun = await replays.begin(instance.id, now - HOUR, now + HOUR, ["track"])
        await federation.until(instance, lambda s: s.delivered == 11)
        await asyncio.sleep(0.2)
    assert [got.json["messageId"] for got in receiver.received] == [f"t-{n}" for n in range(5)]
    (done,) = await configdb.look(list_replays, instance.id)
    assert (done.id, done.state, done.messages) == (begun.id, "done", 5)


async def test_what_came_before_the_destination_can_be_replayed(
    federation: Federation, receiver: Receiver
) -> None:
    """Asked for by name, its age is no obstacle; `integrations` still is."""
    now = federation.clock.now()
    kept = a_message("kept", source_id=federation.source.id, received_at=now - HOUR)
    shut = a_message(
        "shut", source_id=federation.source.id, received_at=now - HOUR, integrations={"All": False}
    )
    await federation.append([kept, shut])
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.workers.replays.begin(instance.id, now - 2 * HOUR, now)
        await federation.until(instance, lambda s: s.delivered == 1)
    assert ids(receiver) == {"kept": 1}


async def test_only_so_many_wait_at_once(
    federation: Federation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the range: what waits is bounded, and nothing is left out."""
    monkeypatch.setattr("headwater.federation.replays.MOST_WAITING", 10)
    instance = federation.connect(receiver.url)
    for entry in range(60):
        await federation.receive(*(f"m-{entry}-{n}" for n in range(3)))
    now = federation.clock.now()
    async with federation.at_work():
        await federation.until(instance, lambda s: s.delivered == 180)
    await federation.workers.replays.begin(instance.id, now - HOUR, now + HOUR)
    assert await federation.workers.replays.step() == 48
    assert await federation.workers.replays.step() == 0
    async with federation.at_work():
        await federation.until(instance, lambda s: s.delivered == 360, within_s=20)
    assert set(ids(receiver).values()) == {2}


async def test_a_replay_is_cancelled_and_another_can_begin(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """One at a time for each destination; a destination that is off has none."""
    instance = federation.connect(receiver.url)
    await federation.receive("a")
    now = federation.clock.now()
    replays = federation.workers.replays
    first = await replays.begin(instance.id, now - HOUR, now + HOUR)
    with pytest.raises(ConflictError):
        await replays.begin(instance.id, now - HOUR, now + HOUR)
    cancelled = await configdb.run(cancel_replay, instance.id, first.id)
    assert cancelled.state == "cancelled"
    assert await replays.step() == 0
    await replays.begin(instance.id, now - HOUR, now + HOUR)
    with configdb.transaction() as connection:
        set_destination_enabled(connection, federation.clock, instance.id, enabled=False)
    assert await replays.step() == 0
    other = federation.connect(receiver.url)
    with configdb.transaction() as connection:
        set_destination_enabled(connection, federation.clock, other.id, enabled=False)
    with pytest.raises(ConflictError):
        await replays.begin(other.id, now - HOUR, now + HOUR)


async def test_what_the_log_has_forgotten_is_told(federation: Federation) -> None:
    """A replay begins where the log does, and says so."""
    instance = federation.connect("http://127.0.0.1:9/")
    await federation.receive("a")
    await federation.receive("b")
    await federation.log.trim(Stream.MESSAGES, 2)
    now = federation.clock.now()
    begun = await federation.workers.replays.begin(instance.id, now - 24 * HOUR, now + HOUR)
    assert now - timedelta(minutes=2) < begun.since < now


async def test_a_range_that_cannot_be_is_refused(federation: Federation) -> None:
    """With the field that is wrong."""
    instance = federation.connect("http://127.0.0.1:9/")
    now = federation.clock.now()
    for since, until, types, field in (
        (now, now - HOUR, [], "from"),
        (now.replace(tzinfo=None), now, [], "from"),
        (now - HOUR, now, ["track", "joy"], "types[1]"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await federation.workers.replays.begin(instance.id, since, until, types)
        assert caught.value.field == field
