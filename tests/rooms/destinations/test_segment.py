"""Forwarding to our own real Tracking API, and to receivers that behave otherwise."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress, EgressRefusedError
from headwater.base.errors import InvalidInputError
from headwater.destinations import Outcome, check_settings, find_destination
from headwater.model import Message
from tests.support.destinations import deliver_to
from tests.support.messages import a_message
from tests.support.tracking_server import TrackingServer, tracking_server
from tests.support.webhook import Answer, Receiver, run_receiver


@pytest.fixture(scope="module")
def headwater(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    folder: Path = tmp_path_factory.mktemp("tracking")
    with tracking_server(folder) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


async def deliver(url: str, messages: list[Message], key: str = "key") -> list[Outcome]:
    settings = {"receiver": "url", "url": url, "write_key": key}
    return await deliver_to("segment", settings, messages)


async def test_another_headwater_gets_every_message_once(headwater: TrackingServer) -> None:
    """Same id, same time, same contents; a repetition changes nothing."""
    at = SystemClock().now().replace(microsecond=0) - timedelta(minutes=10)
    messages = [
        msgspec.structs.replace(
            a_message(
                f"fwd-{n}", type="track", event="Ordered", properties={"n": n}, sentAt="2020-01-01",
                originalTimestamp="2020-01-01T00:00:00Z",
            ),
            timestamp=at + timedelta(seconds=n),
        )
        for n in range(120)
    ]  # fmt: skip
    key = headwater.source.write_keys[0]
    for _ in range(2):
        outcomes = await deliver(headwater.url, messages, key)
        assert {one.fate for one in outcomes} == {"delivered"}
    got = {one.message_id: one for one in headwater.messages()}
    assert len(headwater.messages()) == len(got) == 120
    for message in messages:
        copy = got[message.message_id]
        assert copy.body["properties"] == message.body["properties"]
        assert abs(copy.timestamp - message.timestamp) < timedelta(seconds=5)


async def test_what_is_too_large_is_dead_alone(receiver: Receiver) -> None:
    """A message over 32 KB is named; the others go in batches within 500 KB."""
    messages = [a_message(f"m-{n}", traits={"text": "x" * 20_000}) for n in range(60)]
    messages[7] = a_message("m-7", traits={"text": "x" * 33_000})
    outcomes = await deliver(receiver.url, messages)
    assert [n for n, one in enumerate(outcomes) if one.fate != "delivered"] == [7]
    assert "32 KB" in outcomes[7].error
    assert all(len(got.body) < 500_000 for got in receiver.received)
    sent = [one["messageId"] for got in receiver.received for one in got.json["batch"]]
    assert sent == [f"m-{n}" for n in range(60) if n != 7]
    assert len(receiver.received) == 3


async def test_the_receiver_is_told_one_time_only(receiver: Receiver) -> None:
    """What was corrected here must not be corrected again by times of the first client."""
    message = a_message(
        originalTimestamp="2020-01-01T00:00:00Z",
        sentAt="2020-01-01T00:00:01Z",
        receivedAt="2020-01-01T00:00:02Z",
        version=2,
    )
    await deliver(receiver.url, [message])
    (sent,) = receiver.received[0].json["batch"]
    assert sent == {
        "type": "identify", "userId": "u-1", "messageId": "m-1",
        "timestamp": "2026-11-23T12:00:00.000Z",
    }  # fmt: skip


async def test_a_batch_that_is_too_large_is_halved(receiver: Receiver) -> None:
    """Down to one message, which is then dead."""
    receiver.judge = lambda got: 413 if "m-2" in got.body.decode() else 200
    outcomes = await deliver(receiver.url, [a_message(f"m-{n}") for n in range(4)])
    assert [one.fate for one in outcomes] == ["delivered", "delivered", "dead", "delivered"]


async def test_what_the_receiver_rejects_costs_the_others_nothing(receiver: Receiver) -> None:
    receiver.plan(
        Answer(body=b'{"success":true,"rejected":[{"index":1,"code":"no_user"},{"index":9}]}')
    )
    outcomes = await deliver(receiver.url, [a_message(f"m-{n}") for n in range(3)])
    assert [one.fate for one in outcomes] == ["delivered", "dead", "delivered"]
    assert outcomes[1].error == "rejected: no_user"


async def test_success_false_is_no_success(receiver: Receiver) -> None:
    receiver.plan(Answer(body=b'{"success":false}'), Answer(body=b"OK"), 401, 500)
    fates = [(await deliver(receiver.url, [a_message()]))[0].fate for _ in range(4)]
    assert fates == ["retry", "delivered", "dead", "retry"]


async def test_the_write_key_is_nowhere_to_be_seen(receiver: Receiver) -> None:
    """Not in the URL, not in the body, not in what is kept of the request or of an echo."""
    receiver.plan(Answer(status=400, body=b"bad key sesame-open-key"))
    (outcome,) = await deliver(receiver.url, [a_message()], "sesame-open-key")
    assert "sesame" not in str(outcome)
    assert outcome.exchanges[0].headers["authorization"] == "••••"
    assert outcome.exchanges[0].answer == "bad key ••••"
    got = receiver.received[0]
    assert "sesame" not in got.path + got.body.decode()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "write_key"),
        ({"write_key": "k", "receiver": "url"}, "url"),
        ({"write_key": "k", "receiver": "url", "url": "ftp://example.com"}, "url"),
        ({"write_key": "k", "receiver": "url", "url": "https://example.com/?a=1"}, "url"),
        ({"write_key": "k", "receiver": "elsewhere"}, "receiver"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, str], field: str) -> None:
    with pytest.raises((InvalidInputError, EgressRefusedError)) as caught:
        check_settings(find_destination("segment"), values, Egress())
    assert caught.value.field == field


def test_a_full_path_is_understood() -> None:
    """People paste the address of the call."""
    given = {"write_key": "k", "receiver": "url", "url": "https://rs.example.com/v1/batch"}
    assert check_settings(find_destination("segment"), given, Egress())["url"] == (
        "https://rs.example.com"
    )
