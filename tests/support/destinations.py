"""Deliver to a destination over real sockets.

In: a type, its settings, messages. Out: an outcome for each item that its default mappings make.
"""

from collections.abc import Mapping, Sequence

import msgspec

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.destinations import (
    Item,
    Outcome,
    Wire,
    check_settings,
    default_mappings,
    divide,
    find_destination,
    make_items,
)
from headwater.model import Message


def items_of(kind: str, messages: Sequence[Message]) -> list[Item]:
    """Return what a type's default mappings make of messages."""
    actions = find_destination(kind).declaration.actions
    mappings = [
        msgspec.structs.replace(one, id=f"map_{one.action}") for one in default_mappings(actions)
    ]
    return [item for message in messages for item in make_items(mappings, actions, message)]


async def deliver_to(
    kind: str, settings: Mapping[str, str], messages: Sequence[Message]
) -> list[Outcome]:
    """Deliver as federation does, with the default mappings."""
    egress = Egress("127.0.0.0/8")
    destination = find_destination(kind)
    values = check_settings(destination, settings, egress)
    secrets = [values[name] for name in destination.declaration.secrets]
    try:
        return [
            outcome
            for parcel in divide(destination, values, items_of(kind, messages), SystemClock().now())
            for outcome in await destination.deliver(Wire(egress, 5, secrets), values, parcel)
        ]
    finally:
        await egress.close()
