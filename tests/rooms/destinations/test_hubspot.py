"""HubSpot by its public contract: what we ask, and what we make of each of its answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.destinations import (
    Forgets,
    Item,
    Outcome,
    Parcel,
    Wire,
    check_settings,
    find_destination,
)
from headwater.model import Message
from tests.support.destinations import deliver_to
from tests.support.messages import a_message
from tests.support.vendor import Contract
from tests.support.webhook import Receiver, run_receiver

CONTACTS = Contract.of("hubspot", "contacts")
EVENTS = Contract.of("hubspot", "events")
DELETION = Contract.of("hubspot", "deletion")
KEYS = {"token": "pat-key", "company_id_property": "account_id"}


@pytest.fixture
async def vendor() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        running.always = CONTACTS.answer("taken")
        yield running


async def deliver(vendor: Receiver, *messages: Message, **keys: str) -> list[Outcome]:
    return await deliver_to("hubspot", {**KEYS, "url": vendor.url, **keys}, list(messages))


def people(count: int) -> list[Message]:
    return [a_message(f"m-{n}", traits={"email": f"u{n}@example.com"}) for n in range(count)]


def addresses(vendor: Receiver) -> list[list[str]]:
    return [[one["id"] for one in CONTACTS.check(got)["inputs"]] for got in vendor.received]


async def test_people_become_contacts_and_groups_companies(vendor: Receiver) -> None:
    """With the few properties that every portal has; a company under the portal's own property."""
    traits = {"email": "ann@example.com", "firstName": "Ann", "plan": "pro", "phone": "1"}
    group = a_message("m-2", type="group", groupId="acme", traits={"name": "Acme", "seats": 9})
    found = await deliver(vendor, a_message("m-1", traits=traits), group)
    assert [one.fate for one in found] == ["delivered", "delivered"]
    person, company = vendor.received
    assert CONTACTS.check(person)["inputs"] == [
        {
            "id": "ann@example.com", "idProperty": "email", "objectWriteTraceId": "0",
            "properties": {"email": "ann@example.com", "firstname": "Ann", "phone": "1"},
        }
    ]  # fmt: skip
    assert company.path == "/crm/v3/objects/companies/batch/upsert"
    assert company.json["inputs"] == [
        {
            "id": "acme", "idProperty": "account_id", "objectWriteTraceId": "0",
            "properties": {"account_id": "acme", "name": "Acme"},
        }
    ]  # fmt: skip


async def test_without_the_property_of_companies_it_is_said(vendor: Receiver) -> None:
    """Nothing is sent that HubSpot could not tell apart."""
    group = a_message("m-2", type="group", groupId="acme")
    (found,) = await deliver(vendor, group, company_id_property="")
    assert (found.fate, found.code) == ("dead", "INVALID_SETTINGS")
    assert vendor.received == []


async def test_a_contact_that_is_named_is_dead_alone(vendor: Receiver) -> None:
    """The others of the batch are in."""
    vendor.plan(CONTACTS.answer("part of it"))
    found = await deliver(vendor, *people(3))
    assert [one.fate for one in found] == ["delivered", "dead", "delivered"]
    assert found[1].error == "refused: Email is invalid"
    assert len(vendor.received) == 1


@pytest.mark.parametrize("name", ["refused", "unnamed"])
async def test_what_nobody_names_is_found_by_halves(vendor: Receiver, name: str) -> None:
    """To write a contact twice changes nothing."""
    wrong, taken = CONTACTS.answer(name), CONTACTS.answer("taken")
    vendor.plan(wrong, taken, wrong, wrong)
    found = await deliver(vendor, *people(4))
    assert [one.fate for one in found] == ["delivered", "delivered", "dead", "delivered"]
    assert [len(some) for some in addresses(vendor)] == [4, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("name", "fate"), [("wrong key", "dead"), ("throttled", "retry"), ("fault", "retry")]
)
async def test_other_answers_are_about_all(vendor: Receiver, name: str, fate: str) -> None:
    """And never show the token."""
    vendor.plan(CONTACTS.answer(name))
    found = await deliver(vendor, *people(2))
    assert {one.fate for one in found} == {fate}
    assert len(vendor.received) == 1
    assert all("pat-key" not in str(one.exchanges) for one in found)


async def test_a_hundred_travel_together(vendor: Receiver) -> None:
    """Each once, in order."""
    found = await deliver(vendor, *people(230))
    assert {one.fate for one in found} == {"delivered"}
    assert [len(some) for some in addresses(vendor)] == [100, 100, 30]
    assert [one for some in addresses(vendor) for one in some] == [
        f"u{n}@example.com" for n in range(230)
    ]


async def test_a_mapped_event_is_noted(vendor: Receiver) -> None:
    """Under an id that stays however often it is sent."""
    destination, egress = find_destination("hubspot"), Egress("127.0.0.0/8")
    values = check_settings(destination, {**KEYS, "url": vendor.url}, egress)
    fields: dict[str, Any] = {"event_name": "pe1_paid", "email": "ann@example.com"}
    message = a_message("m-1", type="track", event="Paid")
    item = Item(message=message, mapping="map_1", action="event", fields=fields)
    parcel = Parcel(action="event", items=[item], sent_at=SystemClock().now())
    vendor.always = EVENTS.answer("taken")
    for _ in range(2):
        (found,) = await destination.deliver(Wire(egress, 5), values, parcel)
        assert found.fate == "delivered"
    await egress.close()
    first, second = (EVENTS.check(got) for got in vendor.received)
    assert first == second
    assert first["inputs"][0]["occurredAt"] == "2026-11-23T12:00:00+00:00"


async def test_contacts_are_deleted_by_address(vendor: Receiver) -> None:
    """An id that is no address cannot be: it is said so."""
    destination, egress = find_destination("hubspot"), Egress("127.0.0.0/8")
    assert isinstance(destination, Forgets)
    values = check_settings(destination, {**KEYS, "url": vendor.url}, egress)
    vendor.always = DELETION.answer("taken")
    now = SystemClock().now()
    found = await destination.forget(Wire(egress, 5), values, ["u-1", "ann@example.com"], now)
    await egress.close()
    assert [one.fate for one in found] == ["dead", "delivered"]
    assert "by e-mail address" in found[0].error
    (asked,) = vendor.received
    assert DELETION.check(asked) == {"objectId": "ann@example.com", "idProperty": "email"}


def test_settings_that_cannot_be_are_refused() -> None:
    """With the field that is wrong."""
    for settings, field in (({}, "token"), ({"token": "a b"}, "token")):
        with pytest.raises(InvalidInputError) as caught:
            check_settings(find_destination("hubspot"), settings, Egress())
        assert caught.value.field == field
