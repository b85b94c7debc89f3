"""Try a message on a destination for real, or a mapping without sending anything.

In: an instance and a message that somebody chose. Out: every request and answer. Filters are passed
by, so that one sees what the destination says; nothing is counted, kept or tried twice.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from headwater.base.clock import Clock
from headwater.base.egress import Egress
from headwater.base.vault import Vault
from headwater.destinations.conditions import holds
from headwater.destinations.contract import Item
from headwater.destinations.filters import Dropped
from headwater.destinations.instances import Instance, open_settings, open_wire
from headwater.destinations.mappings import Mapping, find_action, make_item, read_mappings
from headwater.destinations.prepare import divide, plan_of, prepare
from headwater.destinations.registry import find_destination
from headwater.destinations.wire import Exchange, Outcome
from headwater.model import Message


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one mapping sent, and what came back."""

    mapping: str
    action: str
    fields: dict[str, Any]
    fate: Literal["delivered", "retry", "dead"]
    status: int | None
    error: str
    exchanges: tuple[Exchange, ...]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one message."""

    delivered: bool
    """Something was sent, and all of it was taken."""
    reason: str
    """Why nothing was sent; empty if something was."""
    message: dict[str, Any]
    tried: list[Tried]


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """What a mapping makes of a message."""

    triggered: bool
    fields: dict[str, Any]
    error: str


async def try_message(
    egress: Egress, vault: Vault, clock: Clock, instance: Instance, message: Message,
    timeout_s: float,
) -> Trial:  # fmt: skip
    """Send a message through the enabled mappings, once."""
    found = prepare(plan_of(instance, filtered=False), message)
    if isinstance(found, Dropped):
        return Trial(delivered=False, reason=_REASONS[found.reason], message=message.body, tried=[])
    destination, values = find_destination(instance.type), open_settings(vault, instance)
    wire = open_wire(instance, values, egress, timeout_s)
    tried = [
        _tried(instance, item, Outcome(fate="dead", code="MAPPING", error=item.error))
        for item in found
        if item.error
    ]
    good = [item for item in found if not item.error]
    for parcel in divide(destination, values, good, clock.now()):
        outcomes = await destination.deliver(wire, values, parcel)
        pairs = zip(parcel.items, outcomes, strict=True)
        tried += [_tried(instance, item, outcome) for item, outcome in pairs]
    delivered = all(one.fate == "delivered" for one in tried)
    return Trial(delivered=delivered, reason="", message=message.body, tried=tried)


def map_message(instance: Instance, mapping: Any, message: Message) -> Mapped:
    """Return what a mapping, as JSON and perhaps not stored yet, makes of a message."""
    actions = find_destination(instance.type).declaration.actions
    (typed,) = read_mappings([mapping], actions, "mappings")
    item = make_item(typed, find_action(actions, typed.action), message)
    triggered = holds(typed.trigger, message.body)
    return Mapped(triggered=triggered, fields=item.fields, error=item.error)


_REASONS = {
    "unsupported": "This type of destination takes no messages of this type.",
    "no_mapping": "No enabled mapping is for this message.",
}


def _tried(instance: Instance, item: Item, outcome: Outcome) -> Tried:
    return Tried(
        mapping=_name(instance.mappings, item.mapping),
        action=item.action,
        fields=item.fields,
        fate=outcome.fate,
        status=outcome.status,
        error=outcome.error,
        exchanges=outcome.exchanges,
    )


def _name(mappings: Sequence[Mapping], mapping_id: str) -> str:
    return next((one.name for one in mappings if one.id == mapping_id), "") or mapping_id
