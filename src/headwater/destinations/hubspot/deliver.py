"""Write contacts, companies and events to HubSpot, and delete contacts there.

In: checked settings and a parcel. Out: one outcome for each item. HubSpot names what it refused by
the mark that we gave it; a batch that it refuses without names is halved, since to write twice
changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from headwater.base.ids import stable_id
from headwater.destinations.contract import DestinationType, Item, Parcel, Values
from headwater.destinations.hubspot.actions import ACTIONS, COMPANY, CONTACT, EVENT
from headwater.destinations.hubspot.settings import SETTINGS, complete, headers, url_of
from headwater.destinations.packing import Outcomes, Packed, send_packed
from headwater.destinations.wire import Outcome, Wire

_MOST_ITEMS = 100
_MOST_BYTES = 900_000
_LONGEST_BYTES = 250_000
_LARGE = Outcome(fate="dead", code="TOO_LARGE", error="larger than the 250 KB that we send HubSpot")
_NO_PROPERTY = Outcome(
    fate="dead",
    code="INVALID_SETTINGS",
    error="the settings do not name the property of company ids",
)
_NO_ADDRESS = Outcome(
    fate="dead", error="HubSpot deletes contacts by e-mail address, and this id is none"
)
_UNNAMED = frozenset({400, 413})
_PATHS: Mapping[str, str] = {
    CONTACT.name: "/crm/v3/objects/contacts/batch/upsert",
    COMPANY.name: "/crm/v3/objects/companies/batch/upsert",
    EVENT.name: "/events/v3/send/batch",
}
_DELETION = "/crm/v3/objects/contacts/gdpr-delete"


class _Context(msgspec.Struct, frozen=True, rename="camel"):
    object_write_trace_id: list[str] = []


class _Fault(msgspec.Struct):
    message: str = ""
    context: _Context = _Context()


class _Answer(msgspec.Struct):
    errors: list[_Fault] = []


class Hubspot:
    """The type `hubspot`."""

    declaration = DestinationType(
        type="hubspot",
        title="HubSpot",
        description="Writes contacts and companies to HubSpot, and custom events if mapped.",
        settings=SETTINGS,
        actions=ACTIONS,
        message_types=("identify", "track", "page", "screen", "group"),
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return _MOST_ITEMS

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        if parcel.action == COMPANY.name and not values["company_id_property"]:
            return [_NO_PROPERTY] * len(parcel.items)
        packed = [
            Packed(place, msgspec.json.encode(_input(values, item, place)))
            for place, item in enumerate(parcel.items)
        ]
        send = partial(_send, wire, values, _PATHS[parcel.action])
        return await send_packed(send, packed, _MOST_BYTES, _LONGEST_BYTES, _LARGE)

    async def forget(
        self,
        wire: Wire,
        values: Values,
        user_ids: Sequence[str],
        at: datetime,  # noqa: ARG002 - HubSpot deletes all that it has
    ) -> list[Outcome]:
        return [await _forget(wire, values, user_id) for user_id in user_ids]


async def _forget(wire: Wire, values: Values, user_id: str) -> Outcome:
    """Delete one contact: HubSpot has no way to ask for many."""
    if "@" not in user_id:
        return _NO_ADDRESS
    body = msgspec.json.encode({"objectId": user_id, "idProperty": "email"})
    return (await wire.ask(url_of(values, _DELETION), body, headers(values))).outcome


async def _send(wire: Wire, values: Values, path: str, batch: Sequence[Packed]) -> Outcomes | None:
    body = b'{"inputs":[%b]}' % b",".join(one.body for one in batch)
    answer = await wire.ask(url_of(values, path), body, headers(values))
    outcome = answer.outcome
    if outcome.status in _UNNAMED and len(batch) > 1:
        return None
    found = {one.place: outcome for one in batch}
    if outcome.fate != "delivered" or answer.reply is None:
        return found
    faults = _read(answer.reply.body).errors
    if any(not fault.context.object_write_trace_id for fault in faults) and len(batch) > 1:
        return None  # something is wrong, and only smaller batches tell what
    for fault in faults:
        dead = msgspec.structs.replace(outcome, fate="dead", error=f"refused: {fault.message}")
        marks = {int(mark) for mark in fault.context.object_write_trace_id if mark.isdecimal()}
        found |= dict.fromkeys(marks & found.keys() if marks else found, dead)
    return found


def _read(said: bytes) -> _Answer:
    try:
        return msgspec.json.decode(said, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Answer()  # an empty answer names nothing as wrong


def _input(values: Values, item: Item, place: int) -> dict[str, Any]:
    told = item.fields
    properties = told.get("properties", {})
    if item.action == EVENT.name:
        at = told.get("occurred_at") or item.message.timestamp.isoformat()
        return {
            "eventName": told["event_name"],
            "email": told["email"],
            "occurredAt": at,
            "properties": properties,
            "uuid": str(UUID(stable_id(item.message.message_id, item.mapping))),
        }
    is_contact = item.action == CONTACT.name
    name = "email" if is_contact else values["company_id_property"]
    id_ = told["email"] if is_contact else told["company_id"]
    return {
        "id": id_,
        "idProperty": name,
        "objectWriteTraceId": str(place),
        "properties": {**properties, name: id_},
    }
