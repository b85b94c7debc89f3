"""Whatever the endpoint does, nothing is lost, nothing is doubled, and the status says why."""

import base64
import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.base.egress import Egress
from headwater.eventstore import EventStore
from headwater.extensions import Extensions
from tests.rooms.extensions.room import KEY, Room, messages, repeated, users
from tests.support.webhook import HANG, RESET, Answer, Receiver, run_receiver


async def test_down_then_up_loses_nothing(room: Room) -> None:
    """The port is closed, then somebody listens again."""
    async with run_receiver() as gone:
        url = gone.url
    room.connect(url)
    await room.store_users("ann", "bo")
    result = await room.sync()
    assert (result.delivered, result.failed) == (0, 2)
    assert "cannot be reached" in (await room.status()).last_error
    async with run_receiver(int(url.rpartition(":")[2])) as back:
        room.clock.move(timedelta(seconds=2))
        await room.extensions.step()
        assert (users(back), repeated(back)) == (["ann", "bo"], [])
    status = await room.status()
    assert (status.last_error, status.retry_at) == ("", None)


@pytest.mark.parametrize("answer", [500, 503, 429, 408, RESET, Answer(body=b'{"success":false}')])
async def test_passing_trouble_is_tried_again(
    room: Room, receiver: Receiver, answer: Answer | int
) -> None:
    """At once a few times, with the same message ids."""
    receiver.plan(answer)
    await room.store_users("ann")
    result = await room.sync()
    assert (result.sent, result.delivered, result.failed) == (1, 1, 0)
    ids = {message["messageId"] for message in messages(receiver)}
    assert (len(receiver.received), len(ids)) == (2, 1)


async def test_lasting_trouble_waits_in_the_outbox(room: Room, receiver: Receiver) -> None:
    """Nothing is sent by itself before the wait is over; everything is sent after."""
    receiver.always = Answer(503, {"retry-after": "120"}, b"busy")
    await room.store_users("ann")
    result = await room.sync()
    assert (result.delivered, result.failed, await room.states()) == (0, 1, {"due": 1})
    receiver.always = None
    room.clock.move(timedelta(seconds=119))
    assert await room.extensions.step() == 0
    room.clock.move(timedelta(seconds=2))
    assert await room.extensions.step() == 1
    assert await room.states() == {"delivered": 1}


async def test_an_endpoint_that_hangs_is_given_up(
    store: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    """The time limit counts as trouble that passes."""
    room = Room(store, tmp_path, timeout_s=0.05)
    room.connect(receiver.url)
    receiver.always = HANG
    await room.store_users("ann")
    result = await room.sync()
    assert "did not answer within" in result.error
    receiver.always = None
    assert (await room.sync()).delivered == 1
    await room.close()


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (401, "partner key"),
        (403, "partner key"),
        (302, "base URL"),
        (404, "base URL"),
        (410, "base URL"),
    ],
)
async def test_a_wrong_connection_keeps_everything_due(
    room: Room, receiver: Receiver, status: int, word: str
) -> None:
    """No message dies of a wrong key or address; the status says what to mend."""
    receiver.always = Answer(status, {"location": "http://127.0.0.1:1/"}, b"no")
    await room.store_users("ann", "bo")
    result = await room.sync()
    assert (result.delivered, result.failed, len(receiver.received)) == (0, 2, 1)
    shown = await room.status()
    assert word in shown.last_error
    assert str(status) in shown.last_error
    assert await room.states() == {"due": 2}
    receiver.always = None
    await room.sync()
    assert await room.states() == {"delivered": 2}


async def test_rejected_items_die_alone(room: Room, receiver: Receiver) -> None:
    """The endpoint names them by their place; the rest is delivered."""
    await room.store_users("ann", "bo", "cy")
    answer = {"success": True, "rejected": [{"index": 1, "code": "no_user_anon_id"}]}
    receiver.plan(Answer(body=json.dumps(answer).encode()))
    result = await room.sync()
    assert (result.sent, result.delivered, result.failed) == (3, 2, 1)
    dead = (await room.status()).dead
    refused = messages(receiver)[1]
    assert [(item.message_id, item.error) for item in dead] == [
        (refused["messageId"], "no_user_anon_id")
    ]
    await room.sync(full=True)
    assert await room.states() == {"delivered": 3}


async def test_a_refused_batch_is_halved_until_the_culprit_is_alone(
    room: Room, receiver: Receiver
) -> None:
    """400 for a whole batch costs one message, not all of them."""
    receiver.judge = lambda got: 400 if b'"cy"' in got.body else 200
    await room.store_users("ann", "bo", "cy", "di")
    result = await room.sync()
    assert (result.delivered, result.failed, len(receiver.received)) == (3, 1, 5)
    assert [item.user_id for item in (await room.status()).dead] == ["cy"]


async def test_a_message_too_large_even_trimmed_is_dead_with_its_reason(
    room: Room, receiver: Receiver
) -> None:
    """It is listed, and costs nobody else."""
    await room.store_users("x" * 40_000, "ann")
    result = await room.sync()
    assert (result.delivered, result.failed, users(receiver)) == (1, 1, ["ann"])
    assert "too_large" in (await room.status()).dead[0].error


async def test_a_large_profile_is_trimmed_and_says_so(room: Room, receiver: Receiver) -> None:
    """Metadata goes before the person does."""
    fields = {"metadata": {"email": "a@example.com", **{f"k{n}": "x" * 100 for n in range(900)}}}
    await room.store_profile("ann", fields)
    await room.sync()
    message = messages(receiver)[0]
    assert message["traits"]["email"] == "a@example.com"
    assert "metadata" not in message["traits"]
    assert "metadata" in message["context"]["trimmed"]


async def test_the_key_is_sent_as_basic_auth_and_shown_masked(
    room: Room, receiver: Receiver
) -> None:
    """It is in one header, in no body, in no status, in no error."""
    receiver.plan(401)
    await room.store_users("ann")
    await room.sync()
    await room.sync()
    sent = receiver.received[-1]
    assert (
        base64.b64decode(sent.headers["authorization"].removeprefix("Basic ")) == f"{KEY}:".encode()
    )
    assert KEY.encode() not in sent.body
    status = await room.status()
    assert KEY not in str(status)
    assert status.settings["partner_key"].endswith(KEY[-4:])
    with room.configdb.engine.connect() as connection:
        stored = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert KEY not in stored


async def test_a_private_endpoint_is_refused_with_a_word(
    store: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    """The messages wait; the status names the setting."""
    room = Room(store, tmp_path)
    room.extensions = Extensions(dataclasses.replace(room.parts, egress=Egress("")))
    room.connect(receiver.url)
    await room.store_users("ann")
    result = await room.sync()
    assert "HEADWATER_EGRESS__ALLOW" in result.error
    assert (receiver.received, await room.states()) == ([], {"due": 1})
    await room.close()


async def test_runs_are_kept_with_their_counts(room: Room, receiver: Receiver) -> None:
    """Newest first, failures with their reason."""
    await room.store_users("ann")
    receiver.plan(401)
    await room.sync()
    await room.sync()
    good, bad = (await room.status()).runs
    assert (good.state, good.delivered) == ("success", 1)
    assert (bad.state, bad.failed) == ("failure", 1)
    assert "401" in bad.error
