"""Profile changes as signed webhooks, over real sockets, by the mechanism of all extensions."""

import base64
import hashlib
import hmac
from datetime import timedelta
from operator import itemgetter
from typing import Any

import pytest

from headwater.base.errors import InvalidInputError
from headwater.extensions import RunResult, Status
from tests.rooms.extensions.room import NOW, Room
from tests.support.webhook import Answer, Received, Receiver

KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


@pytest.fixture
def room(unconnected: Room) -> Room:
    return unconnected


async def connect(room: Room, receiver: Receiver, **more: Any) -> Status:
    """Connect without asking the receiver."""
    values = {"url": f"{receiver.url}/hook", "secret": SECRET, **more}
    return await room.extensions.connect(room.app, "webhook", values, check=False)


async def sync(room: Room) -> RunResult:
    return await room.extensions.sync(room.app, "webhook")


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """Return every message, in order, repeated ones too."""
    return [message for request in receiver.received for message in request.json["batch"]]


def is_signed(got: Received, key: bytes = KEY) -> bool:
    """Compute the signature by hand: HMAC-SHA256 of id, seconds and body."""
    id_, seconds, signature = (got.headers[name] for name in HEADERS)
    code = hmac.new(key, f"{id_}.{seconds}.".encode() + got.body, hashlib.sha256).digest()
    return hmac.compare_digest(signature, f"v1,{base64.b64encode(code).decode()}")


async def test_a_change_is_posted_and_signed(room: Room, receiver: Receiver) -> None:
    """One batch of whole users; the signature covers all of it, and any other key fails."""
    await connect(room, receiver)
    await room.store_users("ann", "bo")
    await room.store_profile("ann", {"metadata": {"email": "ann@example.com", "name": "Ångström"}})
    result = await sync(room)
    assert (result.delivered, result.failed) == (2, 0)
    (got,) = receiver.received
    assert (got.path, got.headers["content-type"]) == ("/hook", "application/json")
    assert is_signed(got)
    assert not is_signed(got, b"another key, of some length")
    assert got.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    ann, bo = sorted(got.json["batch"], key=itemgetter("userId"))
    assert (ann["type"], ann["user"]["email"]) == ("user.changed", "ann@example.com")
    assert (bo["userId"], bo["dailyAggregation"]["totalCalls"]) == ("bo", 1)


async def test_only_what_changed_is_posted(room: Room, receiver: Receiver) -> None:
    """Nothing twice; a changed user again, with another id."""
    await connect(room, receiver)
    await room.store_users("ann", "bo")
    await sync(room)
    assert (await sync(room)).sent == 0
    await room.store_profile("bo", {"metadata": {"plan": "gold"}})
    await sync(room)
    ids = [message["messageId"] for message in told(receiver)]
    assert [message["userId"] for message in told(receiver)[2:]] == ["bo"]
    assert len(set(ids)) == 3


async def test_companies_are_told_once(room: Room, receiver: Receiver) -> None:
    """However many of their users changed; and again when they changed themselves."""
    await connect(room, receiver, subjects="companies")
    await room.store_profile("ann", {"metadata": {}}, company_id="acme")
    await room.store_profile("bo", {"metadata": {}}, company_id="acme")
    await room.store_profile("acme", {"metadata": {"name": "Acme"}}, kind="company")
    await sync(room)
    (message,) = told(receiver)
    assert (message["type"], message["companyId"]) == ("company.changed", "acme")
    assert message["company"]["name"] == "Acme"
    await sync(room)
    assert len(told(receiver)) == 1


async def test_another_try_has_the_same_id_and_another_time(room: Room, receiver: Receiver) -> None:
    """Receivers know it by the id; the signature is that of the try, so it is never too old."""
    await connect(room, receiver)
    await room.store_users("ann")
    receiver.always = Answer(503, {"retry-after": "600"})
    assert (await sync(room)).failed == 1
    receiver.always = None
    room.clock.move(timedelta(seconds=601))
    assert await room.extensions.step() == 1
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    waited_s = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert waited_s == 601
    assert is_signed(first)
    assert is_signed(second)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_patience_is_had(room: Room, receiver: Receiver, status: int) -> None:
    """As long as `Retry-After` says, and nothing is lost."""
    await connect(room, receiver)
    await room.store_users("ann")
    receiver.plan(Answer(status, {"retry-after": "120"}))
    await sync(room)
    room.clock.move(timedelta(seconds=119))
    assert await room.extensions.step() == 0
    room.clock.move(timedelta(seconds=2))
    assert await room.extensions.step() == 1
    assert [message["userId"] for message in told(receiver)] == ["ann", "ann"]
    assert (await room.extensions.status(room.app, "webhook")).messages["delivered"] == 1


@pytest.mark.parametrize("status", [410, 401, 404, 302])
async def test_a_receiver_that_wants_no_more_halts_it(
    room: Room, receiver: Receiver, status: int
) -> None:
    """Everything waits, and the status says why; nothing is called dead."""
    await connect(room, receiver)
    await room.store_users("ann", "bo")
    receiver.always = Answer(status, {"location": "/elsewhere"})
    await sync(room)
    found = await room.extensions.status(room.app, "webhook")
    assert (found.messages["due"], found.messages["dead"]) == (2, 0)
    assert str(status) in found.last_error
    assert len(receiver.received) == 1


async def test_a_message_that_is_refused_is_listed(room: Room, receiver: Receiver) -> None:
    """It is found by halving, and the others arrive."""
    await connect(room, receiver)
    await room.store_users("ann", "bo", "cy")
    receiver.judge = lambda got: 422 if b'"userId":"bo"' in got.body else 200
    result = await sync(room)
    assert (result.delivered, result.failed) == (2, 1)
    (dead,) = await room.extensions.dead(room.app, "webhook")
    assert (dead.user_id, "422" in dead.error) == ("bo", True)
    receiver.judge = None
    assert await room.extensions.resend(room.app, "webhook") == 1
    assert await room.extensions.step() == 1
    assert told(receiver)[-1]["userId"] == "bo"


async def test_what_is_left_out_never_leaves(room: Room, receiver: Receiver) -> None:
    """Not even what waited when it was forbidden."""
    await connect(room, receiver)
    await room.store_profile("ann", {"metadata": {"email": "ann@example.com", "plan": "gold"}})
    receiver.always = Answer(503)
    await sync(room)
    receiver.received.clear()
    receiver.always = None
    await connect(room, receiver, without=["email", "metadata.plan"])
    await sync(room)
    (message,) = told(receiver)
    assert set(message["user"]) & {"email", "metadata"} == set()
    assert b"ann@example.com" not in receiver.received[0].body


async def test_a_receiver_that_verifies_proves_the_secret(room: Room, receiver: Receiver) -> None:
    """It takes ours and refuses one that nobody has; both come with an empty batch."""
    receiver.judge = lambda got: 204 if is_signed(got) else 401
    await room.extensions.connect(
        room.app, "webhook", {"url": receiver.url, "secret": SECRET}, check=True
    )
    (connection,) = await room.extensions.connections()
    assert connection.secret_check.startswith("accepted")
    assert [request.json["batch"] for request in receiver.received] == [[], []]


async def test_a_receiver_that_takes_anything_is_told_of(room: Room, receiver: Receiver) -> None:
    """A signature that nobody verifies protects nobody."""
    values = {"url": receiver.url, "secret": SECRET}
    await room.extensions.connect(room.app, "webhook", values)
    (connection,) = await room.extensions.connections()
    assert "takes any signature" in connection.secret_check


@pytest.mark.parametrize(("status", "field"), [(401, "secret"), (404, "url"), (410, "url")])
async def test_a_wrong_connection_is_not_saved(
    room: Room, receiver: Receiver, status: int, field: str
) -> None:
    """The error names what has to be mended."""
    receiver.always = Answer(status)
    values = {"url": receiver.url, "secret": SECRET}
    with pytest.raises(InvalidInputError) as caught:
        await room.extensions.connect(room.app, "webhook", values)
    assert caught.value.field == field
    assert await room.extensions.connections() == []


async def test_a_test_call_hides_the_signature(room: Room, receiver: Receiver) -> None:
    """What people see of it; the receiver got the real one."""
    await connect(room, receiver)
    await room.store_users("ann")
    trial = await room.extensions.test(room.app, "webhook", "ann")
    assert is_signed(receiver.received[0])
    assert trial.exchange is not None
    assert trial.exchange.headers["webhook-id"] == receiver.received[0].headers["webhook-id"]
    assert SECRET not in str(trial)
    assert receiver.received[0].headers["webhook-signature"] not in str(trial)


async def test_a_preview_is_what_is_posted(room: Room, receiver: Receiver) -> None:
    """The same messages, field by field."""
    await connect(room, receiver, subjects="both")
    await room.store_profile("ann", {"metadata": {"plan": "gold"}}, company_id="acme")
    await room.store_users("bo")
    shown = await room.extensions.preview(room.app, "webhook")
    await sync(room)
    by_id = itemgetter("messageId")
    assert sorted(shown, key=by_id) == sorted(told(receiver), key=by_id)
