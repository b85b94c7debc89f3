"""Amplitude by its public contract: what we ask, and what we make of each of its answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.destinations import Forgets, Outcome, Wire, check_settings, find_destination
from headwater.model import Message
from tests.support.destinations import deliver_to
from tests.support.messages import a_message
from tests.support.vendor import Contract
from tests.support.webhook import Receiver, run_receiver

EVENTS = Contract.of("amplitude", "httpapi")
DELETIONS = Contract.of("amplitude", "deletions")
KEYS = {"api_key": "api-key", "secret_key": "secret-key"}


@pytest.fixture
async def amplitude() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        running.always = EVENTS.answer("taken")
        yield running


async def deliver(amplitude: Receiver, *messages: Message) -> list[Outcome]:
    return await deliver_to("amplitude", {**KEYS, "url": amplitude.url}, list(messages))


def tracks(count: int, **more: Any) -> list[Message]:
    return [a_message(f"m-{n}", type="track", event="Ordered", **more) for n in range(count)]


async def test_messages_become_what_the_contract_wants(amplitude: Receiver) -> None:
    """Events with their properties, and user properties; each under an id that stays."""
    context = {"ip": "203.0.113.7", "locale": "en-GB", "device": {"id": "d-1"}}
    at = "2026-11-23T12:00:00.000Z"
    (track,) = tracks(1, properties={"total": 9}, context=context, timestamp=at)
    identify = a_message("m-9", traits={"plan": "pro"})
    found = await deliver(amplitude, track, identify)
    assert {one.fate for one in found} == {"delivered"}
    first, second = (EVENTS.check(got)["events"] for got in amplitude.received)
    assert first == [
        {
            "event_type": "Ordered", "insert_id": "m-0:map_event", "time": 1_795_435_200_000,
            "user_id": "u-1", "device_id": "d-1", "event_properties": {"total": 9},
            "ip": "203.0.113.7", "language": "en-GB",
        }
    ]  # fmt: skip
    assert second[0]["event_type"] == "$identify"
    assert second[0]["user_properties"] == {"plan": "pro"}


async def test_a_wrong_event_is_dead_alone(amplitude: Receiver) -> None:
    """The batch is refused whole; what was not named goes again at once."""
    amplitude.plan(EVENTS.answer("wrong events"))
    found = await deliver(amplitude, *tracks(4))
    assert [one.fate for one in found] == ["delivered", "dead", "dead", "delivered"]
    assert found[1].error == "answered 400: invalid fields: time"
    assert found[2].error == "answered 400: missing fields: event_type"
    again = EVENTS.check(amplitude.received[1])["events"]
    assert [event["insert_id"] for event in again] == ["m-0:map_event", "m-3:map_event"]


@pytest.mark.parametrize(
    ("name", "fate", "retry_after_s"),
    [
        ("wrong key", "retry", None),
        ("malformed", "dead", None),
        ("throttled", "retry", 30.0),
        ("fault", "retry", None),
        ("too large", "dead", None),
    ],
)
async def test_each_answer_means_what_the_contract_says(
    amplitude: Receiver, name: str, fate: str, retry_after_s: float | None
) -> None:
    """A wrong key is no message's fault: what waits is kept until it is mended."""
    amplitude.plan(EVENTS.answer(name))
    (outcome,) = await deliver(amplitude, *tracks(1))
    assert (outcome.fate, outcome.retry_after_s) == (fate, retry_after_s)
    assert all("api-key" not in str(exchange) for exchange in outcome.exchanges)


async def test_large_batches_are_divided(amplitude: Receiver) -> None:
    """By bytes before they are sent, and in halves when they are too large all the same."""
    found = await deliver(amplitude, *tracks(60, properties={"note": "x" * 30_000}))
    assert {one.fate for one in found} == {"delivered"}
    assert len(amplitude.received) == 2
    amplitude.received.clear()
    amplitude.plan(EVENTS.answer("too large"))
    assert {one.fate for one in await deliver(amplitude, *tracks(4))} == {"delivered"}
    assert [len(EVENTS.check(got)["events"]) for got in amplitude.received] == [4, 2, 2]


async def test_users_are_deleted_with_the_secret_key(amplitude: Receiver) -> None:
    """A hundred in a request; without the key it is said that it is missing."""
    destination, egress = find_destination("amplitude"), Egress("127.0.0.0/8")
    assert isinstance(destination, Forgets)
    values = check_settings(destination, {**KEYS, "url": amplitude.url}, egress)
    users, now = [f"u-{n}" for n in range(150)], SystemClock().now()
    amplitude.always = DELETIONS.answer("taken")
    found = await destination.forget(Wire(egress, 5), values, users, now)
    assert [one.fate for one in found] == ["delivered"] * 150
    assert [len(DELETIONS.check(got)["user_ids"]) for got in amplitude.received] == [100, 50]
    (without,) = await destination.forget(Wire(egress, 5), {**values, "secret_key": ""}, ["a"], now)
    await egress.close()
    assert "secret key" in without.error


def test_settings_that_cannot_be_are_refused() -> None:
    """With the field that is wrong."""
    for settings, field in (
        ({}, "api_key"),
        ({"api_key": "caf\u00e9"}, "api_key"),
        ({**KEYS, "region": "moon"}, "region"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            check_settings(find_destination("amplitude"), settings, Egress())
        assert caught.value.field == field
