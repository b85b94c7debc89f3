"""Mixpanel by its public contract: what we ask, and what we make of each of its answers."""

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

IMPORT = Contract.of("mixpanel", "import")
ENGAGE = Contract.of("mixpanel", "engage")
GROUPS = Contract.of("mixpanel", "groups")
DELETIONS = Contract.of("mixpanel", "deletions")
KEYS = {"token": "tok-en", "oauth_token": "oau-th"}


@pytest.fixture
async def vendor() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        running.always = IMPORT.answer("taken")
        yield running


async def deliver(vendor: Receiver, *messages: Message) -> list[Outcome]:
    return await deliver_to("mixpanel", {**KEYS, "url": vendor.url}, list(messages))


def tracks(count: int, **more: Any) -> list[Message]:
    return [a_message(f"m-{n}", type="track", event=f"E{n}", **more) for n in range(count)]


def people(count: int) -> list[Message]:
    return [a_message(f"p-{n}", userId=f"u-{n}", traits={"n": n}) for n in range(count)]


async def test_messages_become_events_and_profiles(vendor: Receiver) -> None:
    """Each event under an id that stays; who has no address is given no place."""
    at = "2026-11-23T12:00:00.500Z"
    messages = [
        a_message(
            "m-1", type="track", event="Ordered", timestamp=at,
            properties={"n": 1, "time": "mine"}, context={"ip": "203.0.113.7"},
        ),
        a_message("m-2", type="identify", traits={"plan": "pro"}),
        a_message("m-3", type="group", groupId="acme", traits={"seats": 9}),
    ]  # fmt: skip
    for _ in range(2):
        assert [one.fate for one in await deliver(vendor, *messages)] == ["delivered"] * 3
    first, profile, group, again = vendor.received[:4]
    (event,) = IMPORT.check(first)
    assert event["event"] == "Ordered"
    assert event["properties"].pop("$insert_id")
    assert event["properties"] == {
        "n": 1, "time": 1_795_435_200_500, "distinct_id": "u-1", "ip": "203.0.113.7",
    }  # fmt: skip
    assert IMPORT.check(again) == IMPORT.check(first)
    assert ENGAGE.check(profile) == [
        {"$token": "tok-en", "$distinct_id": "u-1", "$ip": 0, "$set": {"plan": "pro"}}
    ]
    assert GROUPS.check(group) == [
        {
            "$token": "tok-en", "$group_key": "company_id", "$group_id": "acme",
            "$set": {"seats": 9},
        }
    ]  # fmt: skip


async def test_a_wrong_event_is_dead_and_the_others_are_in(vendor: Receiver) -> None:
    """They are never sent again, though the answer says 400."""
    vendor.plan(IMPORT.answer("part of it"))
    found = await deliver(vendor, *tracks(3))
    assert [one.fate for one in found] == ["delivered", "dead", "delivered"]
    assert found[1].error == "refused: properties.time is too far in the future"
    assert found[0].error == ""
    assert len(vendor.received) == 1


@pytest.mark.parametrize(
    ("name", "fate"),
    [("malformed", "dead"), ("wrong key", "dead"), ("throttled", "retry"), ("fault", "retry")],
)
async def test_other_answers_are_about_all(vendor: Receiver, name: str, fate: str) -> None:
    """And never show the token."""
    vendor.plan(IMPORT.answer(name))
    found = await deliver(vendor, *tracks(2))
    assert {one.fate for one in found} == {fate}
    assert len(vendor.received) == 1
    assert all("tok-en" not in str(one.exchanges) for one in found)


async def test_what_is_too_much_is_halved(vendor: Receiver) -> None:
    """And kept within the limit of bytes beforehand; an event beyond its own is never sent."""
    vendor.plan(IMPORT.answer("too large"))
    assert {one.fate for one in await deliver(vendor, *tracks(4))} == {"delivered"}
    assert [len(IMPORT.check(got)) for got in vendor.received] == [4, 2, 2]
    vendor.received.clear()
    large = a_message("m-x", type="track", event="Large", properties={"note": "x" * 960_000})
    found = await deliver(vendor, *tracks(70, properties={"note": "x" * 30_000}), large)
    assert [one.fate for one in found] == ["delivered"] * 70 + ["dead"]
    names = [event["event"] for got in vendor.received for event in IMPORT.check(got)]
    assert names == [f"E{n}" for n in range(70)]


async def test_a_profile_that_is_wrong_is_found_though_the_answer_is_200(vendor: Receiver) -> None:
    """By halves, since nobody says which one it was; the rest is set."""
    invalid = ENGAGE.answer("invalid")
    vendor.plan(invalid, ENGAGE.answer("taken"), invalid, invalid)
    found = await deliver(vendor, *people(4))
    assert [one.fate for one in found] == ["delivered", "delivered", "dead", "delivered"]
    assert found[2].error == "refused: properties must be an object"
    assert [len(ENGAGE.check(got)) for got in vendor.received] == [4, 2, 2, 1, 1]
    assert all("tok-en" not in str(one.exchanges) for one in found)
    vendor.received.clear()
    vendor.plan(ENGAGE.answer("wrong key"))
    assert {one.status for one in await deliver(vendor, *people(2))} == {401}
    assert len(vendor.received) == 1


async def test_users_are_deleted_with_the_oauth_token(vendor: Receiver) -> None:
    """Without it, it is said that it is missing; the project's token in the address is hidden."""
    destination, egress = find_destination("mixpanel"), Egress("127.0.0.0/8")
    assert isinstance(destination, Forgets)
    values = check_settings(destination, {**KEYS, "url": vendor.url}, egress)
    wire, now = Wire(egress, 5, KEYS.values()), SystemClock().now()
    vendor.always = DELETIONS.answer("taken")
    found = await destination.forget(wire, values, [f"u-{n}" for n in range(1_500)], now)
    assert [one.fate for one in found] == ["delivered"] * 1_500
    assert [len(DELETIONS.check(got)["distinct_ids"]) for got in vendor.received] == [1_000, 500]
    assert "tok-en" not in found[0].exchanges[0].url
    vendor.always = DELETIONS.answer("refused")
    (refused,) = await destination.forget(wire, values, ["a"], now)
    assert (refused.fate, refused.status) == ("dead", 403)
    (without,) = await destination.forget(wire, {**values, "oauth_token": ""}, ["a"], now)
    await egress.close()
    assert "OAuth token" in without.error


def test_settings_that_cannot_be_are_refused() -> None:
    """With the field that is wrong."""
    for settings, field in (
        ({}, "token"),
        ({"token": "a b"}, "token"),
        ({**KEYS, "region": "moon"}, "region"),
        ({**KEYS, "group_key": " "}, "group_key"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            check_settings(find_destination("mixpanel"), settings, Egress())
        assert caught.value.field == field
