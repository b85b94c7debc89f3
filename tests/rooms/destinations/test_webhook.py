"""A webhook over real sockets."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from headwater.base.egress import Egress
from headwater.destinations import (
    Outcome,
    Parcel,
    Rotates,
    Wire,
    check_settings,
    find_destination,
)
from headwater.model import Message
from tests.support.destinations import deliver_to, items_of
from tests.support.messages import NOON, a_message
from tests.support.webhook import RESET, Answer, Received, Receiver, run_receiver

LOOPBACK = Egress("127.0.0.0/8")
SECRET = "whsec_" + "QUFB" * 8


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


async def deliver(url: str, messages: list[Message], **more: str) -> list[Outcome]:
    return await deliver_to("webhook", {"url": url, "secret": SECRET, **more}, messages)


def own_signature_is_right(got: Received, secret: str) -> bool:
    """What a receiver does with our own header."""
    parts = [part.split("=", 1) for part in got.headers["x-headwater-signature"].split(",")]
    at = dict(parts)["t"]
    right = hmac.new(secret.encode(), at.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(value, right) for name, value in parts if name == "v1")


async def test_one_message_is_posted_as_it_is(receiver: Receiver) -> None:
    """The body is the message; both signatures cover the whole of it."""
    message = a_message(traits={"name": "Ångström"})
    assert (await deliver(f"{receiver.url}/hook", [message]))[0].fate == "delivered"
    got = receiver.received[0]
    assert got.json == message.body
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "m-1"
    assert Webhook(SECRET).verify(got.body, got.headers) == message.body
    assert own_signature_is_right(got, SECRET)


async def test_a_changed_body_is_noticed(receiver: Receiver) -> None:
    """A receiver that checks finds out about a single changed byte."""
    await deliver(receiver.url, [a_message()])
    got = receiver.received[0]
    forged = Received(got.path, got.headers, got.body.replace(b"u-1", b"u-2"), 0)
    assert not own_signature_is_right(forged, SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(forged.body, forged.headers)


async def test_a_secret_of_ones_own_signs_too(receiver: Receiver) -> None:
    """Any text will do; its bytes are the key."""
    await deliver(receiver.url, [a_message()], secret="correct horse")
    got = receiver.received[0]
    assert Webhook(b"correct horse").verify(got.body, got.headers)
    assert own_signature_is_right(got, "correct horse")


async def test_two_secrets_sign_while_receivers_change_over(receiver: Receiver) -> None:
    """After a rotation old and new verify; when the time is over, only the new one."""
    webhook = find_destination("webhook")
    assert isinstance(webhook, Rotates)
    before = check_settings(webhook, {"url": receiver.url, "secret": SECRET}, LOOPBACK)
    after = webhook.rotate(before, NOON + timedelta(hours=24))
    assert after["secret"] != SECRET
    for at, holders in (
        (NOON, [SECRET, after["secret"]]),
        (NOON + timedelta(hours=24), [after["secret"]]),
    ):
        egress = Egress("127.0.0.0/8")
        parcel = Parcel(action="send", items=items_of("webhook", [a_message()]), sent_at=at)
        await webhook.deliver(Wire(egress, 5), after, parcel)
        await egress.close()
        got = receiver.received[-1]
        keys = [SECRET, after["secret"]]
        assert [key for key in keys if standard_accepts(key, got)] == holders
        assert [key for key in keys if own_signature_is_right(got, key)] == holders


def standard_accepts(secret: str, got: Received) -> bool:
    """What the library of Standard Webhooks says, at the moment of sending."""
    library = Webhook(secret)
    library._Webhook__verify_timestamp = lambda header: datetime.fromtimestamp(  # type: ignore[attr-defined]  # the moment is ours
        float(header), UTC
    )
    try:
        library.verify(got.body, got.headers)
    except WebhookVerificationError:
        return False
    return True


async def test_several_messages_are_an_array(receiver: Receiver) -> None:
    """With `batch_size` above one the body is an array, also for a single message."""
    messages = [a_message(f"m-{n}") for n in range(3)]
    outcomes = await deliver(receiver.url, messages, batch_size="10")
    assert [outcome.fate for outcome in outcomes] == ["delivered"] * 3
    await deliver(receiver.url, messages[:1], batch_size="10")
    bodies = [[item["messageId"] for item in got.json] for got in receiver.received]
    assert bodies == [["m-0", "m-1", "m-2"], ["m-0"]]
    assert Webhook(SECRET).verify(receiver.received[0].body, receiver.received[0].headers)


async def test_the_same_parcel_keeps_its_id(receiver: Receiver) -> None:
    """A receiver can recognise a repeat by `webhook-id`."""
    messages = [a_message("a"), a_message("b")]
    for _ in range(2):
        await deliver(receiver.url, messages, batch_size="2")
    first, second = (got.headers["webhook-id"] for got in receiver.received)
    assert first == second


@pytest.mark.parametrize("message_id", ["a\r\nx-evil: 1", "ü", " a ", "a b", "\0"])
async def test_an_id_can_not_break_out_of_its_header(receiver: Receiver, message_id: str) -> None:
    """Clients choose message ids freely; headers get a safe one, and signatures still hold."""
    assert (await deliver(receiver.url, [a_message(message_id)]))[0].fate == "delivered"
    got = receiver.received[0]
    assert "x-evil" not in got.headers
    assert Webhook(SECRET).verify(got.body, got.headers)["messageId"] == message_id


async def test_what_is_too_large_is_halved(receiver: Receiver) -> None:
    """413 for three: one goes through, of the other two each is tried alone."""
    receiver.plan(413, 200, 413, 200, 413)
    messages = [a_message(f"m-{n}") for n in range(3)]
    outcomes = await deliver(receiver.url, messages, batch_size="3")
    assert [outcome.fate for outcome in outcomes] == ["delivered", "delivered", "dead"]
    assert [len(got.json) for got in receiver.received] == [3, 1, 2, 1, 1]


async def test_each_failure_says_what_was_answered(receiver: Receiver) -> None:
    """Status and the beginning of the answer are kept for the one who has to mend it."""
    receiver.plan(Answer(status=422, body=b"field plan is missing"))
    outcome = (await deliver(receiver.url, [a_message()]))[0]
    assert (outcome.fate, outcome.status) == ("dead", 422)
    assert "field plan is missing" in outcome.error
    receiver.plan(RESET)
    assert (await deliver(receiver.url, [a_message()]))[0].fate == "retry"
