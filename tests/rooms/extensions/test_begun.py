"""Whoever begins a run does not wait for it, and sees how far it is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from headwater.base.errors import ConflictError
from headwater.extensions import Run, windows
from tests.rooms.extensions.room import Room, users
from tests.support.webhook import HANG, Answer, Receiver


@pytest.fixture
async def served(room: Room) -> AsyncIterator[Room]:
    """The room with its worker: what was begun ends with it. Nothing else is due."""
    room.note_run()
    worker = asyncio.create_task(room.extensions.run())
    yield room
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def run_of(room: Room, state: str, users_considered: int, runs: int = 1) -> Run:
    """Wait for the newest of so many runs to be so far."""
    async with asyncio.timeout(10):
        while True:
            found = (await room.status()).runs
            far = found[0].state == state and found[0].users_considered == users_considered
            if far and len(found) == runs:
                return found[0]
            await asyncio.sleep(0.01)


async def test_a_begun_run_tells_how_far_it_is(
    served: Room, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that never answers holds nobody up; what is done is shown, page by page."""
    monkeypatch.setattr(windows, "PAGE_USERS", 2)
    receiver.plan(Answer(), HANG)
    await served.store_users("a", "b", "c")
    await served.extensions.begin_sync(served.app, "segment", full=True)
    await receiver.wait_for(2)
    assert (await run_of(served, "running", 2)).delivered == 2
    await served.extensions.begin_sync(served.app, "segment")
    assert len((await served.status()).runs) == 1


async def test_a_begun_run_is_done_once(served: Room, receiver: Receiver) -> None:
    """Begun again when it is over, it runs again."""
    for runs, id_ in enumerate(("ann", "bob"), start=1):
        await served.store_users(id_)
        await served.extensions.begin_sync(served.app, "segment")
        assert (await run_of(served, "success", 1, runs)).delivered == 1
    assert users(receiver) == ["ann", "bob"]


async def test_what_is_paused_is_not_begun(served: Room) -> None:
    """It is said at once."""
    await served.extensions.pause(served.app, "segment")
    with pytest.raises(ConflictError):
        await served.extensions.begin_sync(served.app, "segment")
