"""Two extensions of one app at the same time: what one suffers, the other does not notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from standardwebhooks import Webhook

from headwater.cli.extensions import extensions
from headwater.eventstore import EventStore
from tests.rooms.extensions.room import Room, users
from tests.support.web import LOCAL_TOKEN, browse, open_world
from tests.support.webhook import HANG, RESET, Answer, Receiver, run_receiver

SECRET = "whsec_" + "QUFB" * 8
EVERYBODY = ["ann", "bo"]


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with run_receiver() as receiver:
        yield receiver


async def connect(room: Room, hook: Receiver) -> None:
    values = {"url": hook.url, "secret": SECRET}
    await room.extensions.connect(room.app, "webhook", values, check=False)


async def counts(room: Room, type_: str) -> dict[str, int]:
    """Return how many messages are in which state, without the empty ones."""
    found = (await room.extensions.status(room.app, type_)).messages
    return {state: count for state, count in found.items() if count}


@asynccontextmanager
async def working(room: Room) -> AsyncIterator[None]:
    """Let the worker run for the length of a block."""
    worker = asyncio.create_task(room.extensions.run())
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_each_gets_everybody(room: Room, receiver: Receiver, hook: Receiver) -> None:
    """In its own words, with ids of its own."""
    await connect(room, hook)
    await room.store_users(*EVERYBODY)
    assert await room.extensions.step() == 2
    assert (users(receiver), users(hook)) == (EVERYBODY, EVERYBODY)
    ids = [
        {message["messageId"] for message in one.received[0].json["batch"]}
        for one in (receiver, hook)
    ]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("trouble", [Answer(500), Answer(410), Answer(429), RESET])
async def test_one_that_fails_never_holds_up_the_other(
    room: Room, receiver: Receiver, hook: Receiver, trouble: Answer
) -> None:
    """In either direction; what waits arrives when the trouble is over."""
    await connect(room, hook)
    await room.store_users(*EVERYBODY)
    hook.always = trouble
    await room.extensions.step()
    assert await counts(room, "segment") == {"delivered": 2}
    assert await counts(room, "webhook") == {"due": 2}
    hook.always, receiver.always = None, trouble
    await room.store_users("cy")
    room.clock.move(timedelta(days=1))
    await room.extensions.step()
    assert (await counts(room, "webhook"))["delivered"] >= 3
    assert (await counts(room, "segment"))["due"] >= 1
    receiver.always = None
    room.clock.move(timedelta(days=1))
    await room.extensions.step()
    assert "due" not in await counts(room, "segment")


async def test_one_that_hangs_keeps_only_itself_waiting(
    store: EventStore, tmp_path: Path, receiver: Receiver, hook: Receiver
) -> None:
    """The other one is served meanwhile, again and again."""
    room = Room(store, tmp_path, timeout_s=30.0)
    room.connect(receiver.url)
    await connect(room, hook)
    hook.always = HANG
    await room.store_users(*EVERYBODY)
    async with working(room):
        await hook.wait_for(1)
        await receiver.wait_for(1)
        await room.store_users("cy")
        room.clock.move(timedelta(minutes=6))
        await receiver.wait_for(2)
    assert users(receiver) == [*EVERYBODY, "cy"]
    assert await counts(room, "webhook") == {"sent": 2}
    await room.close()


async def test_the_standards_own_library_verifies(room: Room, hook: Receiver) -> None:
    """As a receiver would, on the day."""
    room.clock.at = datetime.now(UTC)
    await connect(room, hook)
    await room.store_users("ann")
    await room.extensions.sync(room.app, "webhook")
    (got,) = hook.received
    verified: Any = Webhook(SECRET).verify(got.body, got.headers)
    assert verified["batch"][0]["userId"] == "ann"


async def test_it_is_connected_by_http_like_any_other(store: EventStore, tmp_path: Path) -> None:
    """The gallery names its settings; the secret is never shown."""
    async with open_world(tmp_path, store) as world, browse(world) as api:
        api.headers["authorization"] = f"Bearer {LOCAL_TOKEN}"
        gallery = (await api.get("/api/v1/extensions")).json()["items"]
        assert [entry["type"] for entry in gallery] == ["segment", "webhook"]
        path = f"/api/v1/apps/{world.add_app().id}/extensions/webhook"
        settings = {"url": "https://tools.example.com/hook", "without": ["email"]}
        made = await api.put(f"{path}?check=false", json={"secret": SECRET, **settings})
        assert (made.status_code, made.json()["endpoint"]) == (200, settings["url"])
        wrong = await api.put(f"{path}?check=false", json={"secret": "short", **settings})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "secret")
        shown = await api.get(f"{path}/status")
        assert shown.json()["settings"]["without"] == ["email"]
        assert SECRET not in made.text + shown.text


def test_the_command_line_has_its_settings_as_options() -> None:
    """They follow from the declaration; nothing there knows webhooks."""
    help_ = CliRunner().invoke(extensions, ["webhook", "connect", "--help"]).output
    for option in ("--secret", "--url", "--subjects", "--numbers", "--no-numbers", "--without"):
        assert option in help_
