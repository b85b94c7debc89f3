"""A sync sends each user's window once: what changed, all of it, and nothing twice."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.base.errors import ConflictError, NotFoundError
from headwater.eventstore import EventStore
from headwater.extensions import windows
from tests.rooms.extensions.room import KEY, NOW, YESTERDAY, Room, messages, repeated, users
from tests.rooms.profiles.history import Call, insert_calls
from tests.support.webhook import HANG, Receiver


async def test_the_first_sync_sends_everybody(room: Room, receiver: Receiver) -> None:
    """Known by a call, known by a profile, known by both: one message each."""
    await room.store_users("ann", "bo")
    await room.store_profile("ann", {"metadata": {"email": "ann@example.com"}})
    await room.store_profile("cy", {"metadata": {"email": "cy@example.com"}})
    result = await room.sync()
    assert (result.users_considered, result.sent, result.delivered, result.failed) == (3, 3, 3, 0)
    assert users(receiver) == ["ann", "bo", "cy"]
    assert await room.states() == {"delivered": 3}


async def test_a_second_sync_sends_nothing(room: Room, receiver: Receiver) -> None:
    """Neither does a full one, which looks at everybody."""
    await room.store_users("ann", "bo")
    await room.sync()
    again = await room.sync()
    full = await room.sync(full=True)
    assert (again.users_considered, again.sent) == (0, 0)
    assert (full.users_considered, full.sent) == (2, 0)
    assert users(receiver) == ["ann", "bo"]


async def test_only_changed_users_are_sent_again(room: Room, receiver: Receiver) -> None:
    """A late call counts as a change, however old it is; so does a profile update."""
    await room.store_users("ann", "bo", "cy")
    await room.sync()
    await room.store_users("ann", at=YESTERDAY - timedelta(days=20))
    await room.store_profile("bo", {"metadata": {"plan": "pro"}})
    await room.sync()
    assert users(receiver) == ["ann", "ann", "bo", "bo", "cy"]
    assert repeated(receiver) == []


async def test_a_day_that_ended_is_sent_to_those_who_were_active(
    room: Room, receiver: Receiver
) -> None:
    """Their numbers of that day are complete only now."""
    await room.store_users("ann", at=YESTERDAY)
    await room.store_users("bo", at=NOW - timedelta(minutes=5))
    await room.sync()
    room.clock.move(timedelta(days=1))
    result = await room.sync()
    assert (result.users_considered, users(receiver)) == (1, ["ann", "bo", "bo"])
    assert messages(receiver)[-1]["traits"]["dailyAggregation"]["totalCalls"] == 1
    assert (await room.sync()).users_considered == 0


async def test_what_ingest_has_not_passed_is_sent_again_when_it_is_whole(
    room: Room, receiver: Receiver
) -> None:
    """A sync between the insert and the fold of one batch must not hide the fold."""
    await room.store_users("ann")
    await room.sync()
    room.offset += 1
    call = Call(user_id="ann", time=NOW, app_id=room.app.id, log_offset=room.offset)
    await insert_calls(room.store, [call])
    await room.sync()
    room.offset -= 1
    await room.store_profile("ann", {"metadata": {"plan": "pro"}})
    await room.sync()
    assert messages(receiver)[-1]["traits"]["metadata"] == {"plan": "pro"}


async def test_many_pages_and_batches_lose_nobody(
    room: Room, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More users than a page and a batch hold."""
    monkeypatch.setattr(windows, "PAGE_USERS", 2_000)
    everybody = [f"user-{n:05}" for n in range(2 * windows.PAGE_USERS + 7)]
    await room.store_users(*everybody)
    result = await room.sync()
    assert users(receiver) == everybody
    assert result.delivered == len(everybody)
    assert max(len(request.body) for request in receiver.received) <= 500_000
    assert len(receiver.received) > 3


async def test_a_second_sync_waits_for_the_first(
    store: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    """It does not take what the first one has on the wire."""
    room = Room(store, tmp_path, timeout_s=0.5)
    room.connect(receiver.url)
    await room.store_users("ann")
    receiver.plan(HANG)
    first = asyncio.create_task(room.sync())
    await receiver.wait_for(1)
    second = await room.sync()
    assert ((await first).delivered, second.sent) == (1, 0)
    await room.close()


async def test_visitors_without_a_user_id_are_not_sent(room: Room, receiver: Receiver) -> None:
    """They are kept until they are known."""
    await room.store_profile("", {"metadata": {"a": 1}}, anonymous_id="visitor")
    assert (await room.sync()).users_considered == 0
    assert receiver.received == []


async def test_the_worker_syncs_by_itself(room: Room, receiver: Receiver) -> None:
    """Once at first, then every so often."""
    await room.store_users("ann")
    assert await room.extensions.step() == 1
    assert await room.extensions.step() == 0
    await room.store_users("bo")
    room.clock.move(timedelta(seconds=301))
    assert await room.extensions.step() == 1
    assert users(receiver) == ["ann", "bo"]


async def test_preview_is_what_sync_sends(room: Room, receiver: Receiver) -> None:
    """Message by message, id by id; afterwards nothing is due."""
    await room.store_users("ann", "bo")
    shown = await room.preview()
    await room.sync()
    assert shown == messages(receiver)
    assert await room.preview() == []


async def test_preview_of_one_user_shows_it_always(room: Room) -> None:
    """Also when it was delivered; a stranger is an error."""
    await room.store_users("ann")
    await room.sync()
    assert [m["userId"] for m in await room.preview("ann")] == ["ann"]
    with pytest.raises(NotFoundError):
        await room.preview("nobody")


async def test_another_target_gets_everybody_anew(room: Room, receiver: Receiver) -> None:
    """A new key may be a new place; ids differ, so no receiver takes them for repeats."""
    await room.store_users("ann")
    await room.sync()
    room.connect(receiver.url, key="another-key-of-the-same-team")
    await room.sync()
    assert (users(receiver), repeated(receiver)) == (["ann", "ann"], [])


async def test_what_waited_for_another_target_is_dropped(room: Room, receiver: Receiver) -> None:
    """A message in the form of one payload version must not reach a source of another."""
    room.connect("http://127.0.0.1:9", version="2019")
    await room.store_users("ann")
    assert (await room.sync()).failed == 1
    room.connect(receiver.url)
    await room.sync()
    assert users(receiver) == ["ann"]
    assert all("last24HourAggResults" in m["traits"] for m in messages(receiver))


async def test_a_change_of_target_stops_the_run_on_its_way(
    store: EventStore, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run cannot move the watermark of the new target."""
    monkeypatch.setattr(windows, "PAGE_USERS", 2)
    room = Room(store, tmp_path, timeout_s=0.2)
    room.connect(receiver.url)
    await room.store_users("ann", "bo", "cy")
    receiver.always = HANG
    run = asyncio.create_task(room.sync())
    await receiver.wait_for(1)
    room.connect(receiver.url, key="another-key-of-the-same-team")
    with pytest.raises(ConflictError):
        await run
    receiver.always = None
    receiver.received.clear()
    await room.sync()
    assert users(receiver) == ["ann", "bo", "cy"]
    assert [one.state for one in (await room.status()).runs] == [
        "success",
        "failure",
    ]
    await room.close()


async def test_the_same_connection_again_changes_nothing(room: Room, receiver: Receiver) -> None:
    """Connecting twice with the same settings sends nothing twice."""
    await room.store_users("ann")
    await room.sync()
    room.connect(f"{receiver.url}/v1/", key=KEY)
    assert (await room.sync(full=True)).sent == 0


async def test_a_paused_connection_sends_nothing(room: Room, receiver: Receiver) -> None:
    """Neither by itself nor when asked."""
    await room.store_users("ann")
    await room.extensions.pause(room.app, "segment")
    assert await room.extensions.step() == 0
    with pytest.raises(ConflictError):
        await room.sync()
    assert receiver.received == []


async def test_the_built_in_source_is_the_default(
    store: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    """An empty endpoint means this server."""
    room = Room(store, tmp_path)
    room.built_in_url = receiver.url
    room.connect("")
    await room.store_users("ann")
    await room.sync()
    assert receiver.received[0].path == "/v1/batch"
    assert (await room.status()).built_in
    await room.close()
