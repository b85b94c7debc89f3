"""Customer.io by its public contract: what we ask, and what we make of each of its answers."""

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

BATCH = Contract.of("customerio", "batch")
KEYS = {"site_id": "site", "api_key": "key"}


@pytest.fixture
async def vendor() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        running.always = BATCH.answer("taken")
        yield running


async def deliver(vendor: Receiver, *messages: Message) -> list[Outcome]:
    return await deliver_to("customerio", {**KEYS, "url": vendor.url}, list(messages))


def tracks(count: int, **more: Any) -> list[Message]:
    return [a_message(f"m-{n}", type="track", event=f"E{n}", **more) for n in range(count)]


def sent(vendor: Receiver) -> list[list[dict[str, Any]]]:
    return [BATCH.check(got)["batch"] for got in vendor.received]


async def test_messages_become_entities(vendor: Receiver) -> None:
    """People with attributes, events of people and of visitors, companies with their people."""
    at = "2026-11-23T12:00:00.500Z"
    messages = [
        a_message("m-1", traits={"plan": "pro"}),
        a_message("m-2", type="track", event="Ordered", properties={"n": 1}, timestamp=at),
        a_message("m-3", type="track", event="Seen", userId="", anonymousId="a-1"),
        a_message("m-4", type="group", groupId="acme", traits={"seats": 9}),
        a_message("m-5", type="page", name="Home"),
    ]
    assert [one.fate for one in await deliver(vendor, *messages)] == ["delivered"] * 4
    assert [one for batch in sent(vendor) for one in batch] == [
        {
            "type": "person", "action": "identify", "identifiers": {"id": "u-1"},
            "attributes": {"plan": "pro"},
        },
        {
            "type": "person", "action": "event", "identifiers": {"id": "u-1"}, "name": "Ordered",
            "attributes": {"n": 1}, "timestamp": 1_795_435_200,
        },
        {
            "type": "person", "action": "event", "identifiers": {"anonymous_id": "a-1"},
            "name": "Seen", "attributes": {}, "timestamp": 1_795_435_200,
        },
        {
            "type": "object", "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "acme"},
            "attributes": {"seats": 9}, "cio_relationships": [{"identifiers": {"id": "u-1"}}],
        },
    ]  # fmt: skip


async def test_what_is_named_as_wrong_is_dead_alone(vendor: Receiver) -> None:
    """The rest of the batch was taken, and is never sent again."""
    vendor.plan(BATCH.answer("part of it"))
    found = await deliver(vendor, *tracks(3))
    assert [one.fate for one in found] == ["delivered", "dead", "delivered"]
    assert found[1].error == "refused: invalid identifiers.id too long"
    assert len(vendor.received) == 1


@pytest.mark.parametrize("name", ["malformed", "too large"])
async def test_a_batch_refused_without_names_is_halved(vendor: Receiver, name: str) -> None:
    """Until what is wrong is alone: nothing of such a batch was taken."""
    vendor.plan(BATCH.answer(name), BATCH.answer(name), BATCH.answer(name))
    found = await deliver(vendor, *tracks(4))
    assert [one.fate for one in found] == ["dead", "delivered", "delivered", "delivered"]
    names = [[one["name"] for one in batch] for batch in sent(vendor)]
    assert names == [["E0", "E1", "E2", "E3"], ["E0", "E1"], ["E0"], ["E1"], ["E2", "E3"]]


@pytest.mark.parametrize(
    ("name", "fate", "retry_after_s"),
    [("wrong key", "dead", None), ("throttled", "retry", 3.0), ("fault", "retry", None)],
)
async def test_other_answers_are_about_all(
    vendor: Receiver, name: str, fate: str, retry_after_s: float | None
) -> None:
    """Nothing is halved for what no message is guilty of."""
    vendor.plan(BATCH.answer(name))
    found = await deliver(vendor, *tracks(2))
    assert {(one.fate, one.retry_after_s) for one in found} == {(fate, retry_after_s)}
    assert len(vendor.received) == 1
    assert all("c2l0ZTprZXk" not in str(one.exchanges) for one in found)


async def test_batches_keep_the_limits(vendor: Receiver) -> None:
    """Of bytes a request; one item beyond its own is dead and never sent."""
    messages = tracks(40, properties={"note": "x" * 30_000})
    large = a_message("m-x", type="track", event="Large", properties={"note": "x" * 33_000})
    found = await deliver(vendor, *messages, large)
    assert [one.fate for one in found] == ["delivered"] * 40 + ["dead"]
    assert found[-1].code == "TOO_LARGE"
    names = [one["name"] for batch in sent(vendor) for one in batch]
    assert names == [f"E{n}" for n in range(40)]


async def test_people_are_deleted(vendor: Receiver) -> None:
    """By the same batches."""
    destination, egress = find_destination("customerio"), Egress("127.0.0.0/8")
    assert isinstance(destination, Forgets)
    values = check_settings(destination, {**KEYS, "url": vendor.url}, egress)
    found = await destination.forget(Wire(egress, 5), values, ["a", "b"], SystemClock().now())
    await egress.close()
    assert [one.fate for one in found] == ["delivered", "delivered"]
    ((first, second),) = sent(vendor)
    assert first == {"type": "person", "action": "delete", "identifiers": {"id": "a"}}
    assert second["identifiers"] == {"id": "b"}


def test_settings_that_cannot_be_are_refused() -> None:
    """With the field that is wrong."""
    for settings, field in (
        ({"site_id": "s"}, "api_key"),
        ({**KEYS, "site_id": "a b"}, "site_id"),
        ({**KEYS, "region": "moon"}, "region"),
        ({**KEYS, "object_type_id": "company"}, "object_type_id"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            check_settings(find_destination("customerio"), settings, Egress())
        assert caught.value.field == field
