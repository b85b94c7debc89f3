"""Send entities to Customer.io, and delete people there.

In: checked settings and a parcel. Out: one outcome for each item. Customer.io takes what is good of
a batch and names the rest by its place; a batch that it refuses without names is halved.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from headwater.destinations.contract import DestinationType, Item, Parcel, Values
from headwater.destinations.customerio.actions import ACTIONS, EVENT, GROUP
from headwater.destinations.customerio.settings import SETTINGS, batch_url, complete, headers
from headwater.destinations.packing import Outcomes, Packed, send_packed
from headwater.destinations.wire import Outcome, Wire

_MOST_ITEMS = 1_000
_MOST_BYTES = 450_000
"""Customer.io takes 500 KB a request."""
_LONGEST_BYTES = 32_000
_LARGE = Outcome(
    fate="dead", code="TOO_LARGE", error="larger than the 32 KB that Customer.io takes"
)
_UNSIZED = frozenset({400, 413})
"""Nothing of the batch was taken, for the sake of something in it."""


class _Fault(msgspec.Struct):
    batch_index: int = -1
    reason: str = ""
    field: str | None = None
    message: str | None = None


class _Answer(msgspec.Struct):
    errors: list[_Fault] = []


class Customerio:
    """The type `customerio`."""

    declaration = DestinationType(
        type="customerio",
        title="Customer.io",
        description="Sends people, their events and their companies to Customer.io.",
        settings=SETTINGS,
        actions=ACTIONS,
        message_types=("identify", "track", "page", "screen", "group"),
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return _MOST_ITEMS

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        packed = [
            Packed(place, msgspec.json.encode(_entity(values, item)))
            for place, item in enumerate(parcel.items)
        ]
        send = partial(_send, wire, values)
        return await send_packed(send, packed, _MOST_BYTES, _LONGEST_BYTES, _LARGE)

    async def forget(
        self,
        wire: Wire,
        values: Values,
        user_ids: Sequence[str],
        at: datetime,  # noqa: ARG002 - Customer.io deletes all that it has
    ) -> list[Outcome]:
        packed = [
            Packed(place, msgspec.json.encode(_person("delete", {"id": user_id})))
            for place, user_id in enumerate(user_ids)
        ]
        send = partial(_send, wire, values)
        return await send_packed(send, packed, _MOST_BYTES, _LONGEST_BYTES, _LARGE)


async def _send(wire: Wire, values: Values, batch: Sequence[Packed]) -> Outcomes | None:
    body = b'{"batch":[%b]}' % b",".join(one.body for one in batch)
    answer = await wire.ask(batch_url(values), body, headers(values))
    outcome = answer.outcome
    if outcome.status in _UNSIZED and len(batch) > 1:
        return None
    found = {one.place: outcome for one in batch}
    if outcome.fate == "delivered" and answer.reply is not None:
        for fault in _read(answer.reply.body).errors:
            if 0 <= fault.batch_index < len(batch):
                why = " ".join(part for part in (fault.reason, fault.field, fault.message) if part)
                found[batch[fault.batch_index].place] = msgspec.structs.replace(
                    outcome, fate="dead", error=f"refused: {why}"
                )
    return found


def _read(said: bytes) -> _Answer:
    try:
        return msgspec.json.decode(said, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Answer()  # an empty answer names nothing as wrong


def _entity(values: Values, item: Item) -> dict[str, Any]:
    told = item.fields
    attributes = told.get("attributes", {})
    if item.action == GROUP.name:
        identifiers = {"object_type_id": values["object_type_id"], "object_id": told["object_id"]}
        person = told.get("person_id")
        belongs = [{"identifiers": {"id": person}}] if person else []
        return {
            "type": "object",
            "action": "identify",
            "identifiers": identifiers,
            "attributes": attributes,
            "cio_relationships": belongs,
        }
    if item.action == EVENT.name:
        who = "person_id" if told.get("person_id") else "anonymous_id"
        identifiers = {"id" if who == "person_id" else who: told.get(who, "")}
        event = _person("event", identifiers, attributes)
        return {**event, "name": told["name"], "timestamp": _seconds(told, item)}
    return _person("identify", {"id": told["person_id"]}, attributes)


def _person(
    action: str, identifiers: dict[str, Any], attributes: dict[str, Any] | None = None
) -> dict[str, Any]:
    entity: dict[str, Any] = {"type": "person", "action": action, "identifiers": identifiers}
    return entity if attributes is None else {**entity, "attributes": attributes}


def _seconds(told: dict[str, Any], item: Item) -> int:
    at = told.get("timestamp")
    try:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else item.message.timestamp
    except ValueError:
        moment = item.message.timestamp
    return int(moment.timestamp())
