"""A hostile endpoint: each fault has its state, its retry and its word, and nothing is lost."""

import asyncio
import dataclasses
import json
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError, UnavailableError
from headwater.eventstore import EventStore
from headwater.extensions import Extensions
from headwater.extensions.packet import Limits
from headwater.extensions.segment import Segment
from tests.rooms.extensions.room import KEY, Room, messages, users
from tests.support.hostile import Way, run_hostile, run_narrow
from tests.support.webhook import HANG, RESET, Answer, Received, Receiver

PEOPLE = [f"user-{n}" for n in range(8)]


class NoNames(AbstractResolver):
    """Knows no name at all."""

    async def resolve(
        self,
        host: str,  # noqa: ARG002 - as everybody calls it
        port: int = 0,  # noqa: ARG002
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002
    ) -> list[ResolveResult]:
        raise OSError(socket.EAI_NONAME, "Name or service not known")

    async def close(self) -> None:
        """Holds nothing."""


@pytest.fixture
async def small(
    store: EventStore, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Room]:
    """Eight users, due in batches of two, and little patience."""
    monkeypatch.setattr(Segment, "limits", Limits(items=2, size_bytes=475_000))
    room = Room(store, tmp_path, timeout_s=0.3)
    room.connect(receiver.url)
    await room.store_users(*PEOPLE)
    yield room
    await room.close()


async def assert_nothing_lost(room: Room, receiver: Receiver) -> None:
    """Once the endpoint is well, everybody arrives; what came twice has the same id."""
    receiver.always = None
    room.clock.move(timedelta(days=2))
    while await room.extensions.step():
        pass
    by_id = {m["messageId"]: m["userId"] for m in messages(receiver)}
    assert set(by_id.values()) == set(PEOPLE)
    states = await room.states()
    assert set(states) == {"delivered"}
    status = await room.status()
    assert (status.last_error, status.retry_at) == ("", None)


@pytest.mark.parametrize(
    ("answer", "word", "tries", "waits_s"),
    [
        (Answer(429, {"retry-after": "120"}, b"slow down"), "429: slow down", 2, 120),
        (Answer(429), "429", 6, 1), (Answer(500), "500", 6, 1), (Answer(503), "503", 6, 1),
        (HANG, "did not answer within 0.3 seconds", 6, 1),
        (RESET, "hung up", 6, 1),
        (Answer(body=b'{"success":false,"message":"full"}'), "full", 6, 1),
        (Answer(body=b'{"error":"no such workspace"}'), "no such workspace", 6, 1),
        (Answer(302, {"location": "https://example.com/"}), "302", 2, 1),
        (Answer(401, {}, b"invalid_write_key"), "partner key", 2, 1),
        (Answer(404), "base URL", 2, 1),
        (Answer(200, {"content-type": "text/html"}, b"<html>hi"), "web page", 2, 1),
    ],
)  # fmt: skip
async def test_an_answer_that_lasts(
    small: Room, receiver: Receiver, answer: Answer, word: str, tries: int, waits_s: float
) -> None:
    """All wait as due, few requests are wasted, the status says why and when it goes on."""
    receiver.always = answer
    result = await small.sync()
    assert (result.delivered, await small.states()) == (0, {"due": 8})
    assert len(receiver.received) <= tries
    status = await small.status()
    assert word in status.last_error
    assert KEY not in status.last_error
    assert status.retry_at is not None
    assert status.retry_at - small.clock.now() <= timedelta(seconds=waits_s)
    if waits_s > 1:
        assert status.retry_at - small.clock.now() == timedelta(seconds=waits_s)
    await assert_nothing_lost(small, receiver)


@pytest.mark.parametrize(
    ("way", "word"),
    [
        ("hang-up", "hung up"), ("reset", "cannot be reached"), ("half-answer", "broke off"),
        ("nonsense", "does not speak HTTP"), ("no-tls", "TLS"), ("silence", "did not answer"),
        ("own-certificate", "certificate is not valid"),
    ],
)  # fmt: skip
async def test_a_connection_that_fails(
    small: Room, receiver: Receiver, tmp_path: Path, way: Way, word: str
) -> None:
    """It counts as trouble that passes, under its own name; nothing is taken for delivered."""
    async with run_hostile(way, tmp_path) as hostile:
        small.connect(hostile.url)
        result = await small.sync()
        status = await small.status()
        assert (result.delivered, await small.states()) == (0, {"due": 8})
        assert word in status.last_error, status.last_error
        assert hostile.visits > 0 or way in {"no-tls", "own-certificate"}


async def test_a_name_that_nobody_knows(small: Room) -> None:
    """DNS is trouble that passes too."""
    egress = Egress(resolver=NoNames())
    small.extensions = Extensions(dataclasses.replace(small.parts, egress=egress))
    small.connect("https://tracking.example.com")
    await small.sync()
    assert "its name is not known (DNS)" in (await small.status()).last_error
    assert await small.states() == {"due": 8}
    await egress.close()


@pytest.mark.parametrize("most", [1, 2, 100])
async def test_an_endpoint_gets_as_much_at_once_as_it_takes(small: Room, most: int) -> None:
    """Whoever comes beside the others gets 429: the run slows down and ends well."""
    async with run_narrow(most) as narrow:
        small.connect(narrow.url)
        result = await small.sync()
        assert (result.delivered, result.error) == (8, "")
        assert len(narrow.taken) == len(set(narrow.taken)) == 8
        assert narrow.most_at_once > 1


async def test_a_culprit_costs_only_itself(small: Room, receiver: Receiver) -> None:
    """The endpoint refuses every batch with a certain user: the others arrive."""

    def judge(received: Received) -> int:
        asked = [message["userId"] for message in received.json["batch"]]
        return 400 if "user-5" in asked else 200

    receiver.judge = judge
    result = await small.sync()
    assert (result.delivered, result.failed, result.sent) == (7, 1, 8)
    (dead,) = await small.extensions.dead(small.app, "segment")
    assert (dead.user_id, "answered 400: ok" in dead.error) == ("user-5", True)
    assert dead.message is not None
    assert dead.message["userId"] == "user-5"
    receiver.judge = None
    assert await small.extensions.resend(small.app, "segment", ["hw-unknown"]) == 0
    assert await small.extensions.resend(small.app, "segment", [dead.message_id]) == 1
    await small.extensions.step()
    assert await small.states() == {"delivered": 8}


async def test_one_slow_connection_does_not_keep_another_waiting(
    store: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    """Each is served by itself."""
    (tmp_path / "other").mkdir()
    slow = Room(store, tmp_path)
    slow.connect(receiver.url)
    await slow.store_users("ann")
    receiver.always = HANG
    worker = asyncio.create_task(slow.extensions.run())
    await receiver.wait_for(1)
    async with asyncio.timeout(5):
        other = slow.open_other_app("other")
        await slow.store_calls_of(other, "bo")
        receiver.always = None
        slow.connect(receiver.url, app=other)
        await receiver.wait_for(2)
    assert users(receiver)[-1] == "bo"
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await slow.close()


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ((Answer(body=b"{}"), Answer(401)), "accepted by the endpoint"),
        ((Answer(400), Answer(403)), "accepted by the endpoint"),
        ((Answer(body=b"{}"), Answer(body=b"{}")), "not checked: this endpoint answers the same"),
        ((Answer(503, {}, b"busy"),), "not checked: The endpoint answered 503: busy"),
    ],
)
async def test_a_key_is_tried_before_it_is_saved(
    room: Room, receiver: Receiver, answers: tuple[Answer, ...], word: str
) -> None:
    """By an empty batch; then by one with nobody's key, which tells what the answer is worth."""
    receiver.plan(*answers)
    values = {"partner_key": "a-key", "endpoint": receiver.url}
    status = await room.extensions.connect(room.app, "segment", values)
    assert status.secret_check.startswith(word)
    assert [request.json["batch"] for request in receiver.received] == [[]] * len(answers)
    assert status.settings["partner_key"] == "••••"


@pytest.mark.parametrize(
    ("answer", "field"), [(401, "partner_key"), (403, "partner_key"), (404, "endpoint")]
)
async def test_a_wrong_key_is_not_saved(
    room: Room, receiver: Receiver, answer: int, field: str
) -> None:
    """What was connected stays as it was; without the check it is saved."""
    receiver.always = Answer(answer)
    values = {"partner_key": "another-key", "endpoint": receiver.url}
    with pytest.raises(InvalidInputError) as caught:
        await room.extensions.connect(room.app, "segment", values)
    assert caught.value.field == field
    assert (await room.status()).settings["partner_key"].endswith(KEY[-4:])
    await room.extensions.connect(room.app, "segment", values, check=False)
    assert (await room.status()).secret_check == "not checked: that was asked for"


async def test_an_endpoint_that_is_away_cannot_be_asked(room: Room) -> None:
    """And says so, with the way around."""
    values = {"partner_key": "a-key", "endpoint": "http://127.0.0.1:9"}
    with pytest.raises(UnavailableError) as caught:
        await room.extensions.connect(room.app, "segment", values)
    assert "--no-check" in caught.value.hint


async def test_the_secret_may_be_left_out_but_not_for_another_endpoint(
    room: Room, receiver: Receiver
) -> None:
    """Whoever may change settings need not know the key, and cannot have it sent elsewhere."""
    changed = await room.extensions.connect(
        room.app, "segment", {"payload_version": "2019"}, check=False
    )
    assert changed.settings["endpoint"] == receiver.url
    assert changed.settings["payload_version"] == "2019"
    assert changed.settings["partner_key"].endswith(KEY[-4:])
    with pytest.raises(InvalidInputError) as caught:
        await room.extensions.connect(
            room.app, "segment", {"endpoint": "https://elsewhere.example.com"}, check=False
        )
    assert caught.value.field == "partner_key"


async def test_a_test_call_shows_request_and_answer(room: Room, receiver: Receiver) -> None:
    """And what was accepted is not sent again by the next sync."""
    await room.store_users("ann")
    receiver.plan(Answer(200, {"x-id": "7"}, b'{"success":true}'))
    trial = await room.extensions.test(room.app, "segment", "ann")
    assert trial.exchange is not None
    assert (trial.verdict, trial.exchange.status, trial.exchange.answer_headers["x-id"]) == (
        "accepted", 200, "7",
    )  # fmt: skip
    assert trial.messages == messages(receiver)
    assert KEY not in json.dumps(trial.exchange.headers)
    assert (await room.sync()).sent == 0


async def test_a_test_call_that_fails_leaves_the_message_due(
    room: Room, receiver: Receiver
) -> None:
    """With the endpoint's word."""
    await room.store_users("ann")
    receiver.plan(Answer(400, {}, b"no"))
    trial = await room.extensions.test(room.app, "segment", "ann")
    assert (trial.verdict, "400: no" in trial.reason) == ("refused", True)
    assert (await room.sync()).delivered == 1
