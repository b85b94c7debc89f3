"""Prepare a message for one destination: what filters leave and mappings make of it.

In: an instance and messages meant for it. Out: the items to deliver, or why there are none; and
items divided into parcels. Pure.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from headwater.destinations.contract import Destination, Item, Parcel, Values
from headwater.destinations.filters import Dropped, Filter, apply_filters
from headwater.destinations.instances import Instance
from headwater.destinations.mappings import Mapping, make_items
from headwater.destinations.registry import find_destination
from headwater.model import Message


class Plan(msgspec.Struct, frozen=True):
    """What decides about the messages of one destination; made once for each courier."""

    destination: Destination
    filters: tuple[Filter, ...]
    mappings: tuple[Mapping, ...]


def plan_of(instance: Instance, *, filtered: bool = True) -> Plan:
    """Return the plan of an instance; a tester goes without its filters."""
    filters = instance.filters if filtered else ()
    return Plan(find_destination(instance.type), filters, instance.mappings)


def prepare(plan: Plan, message: Message) -> list[Item] | Dropped:
    """Return what is to be delivered of a message: one item or more, or why none."""
    declared = plan.destination.declaration
    if message.type not in declared.message_types:
        return Dropped(reason="unsupported", detail=message.type)
    seen = apply_filters(plan.filters, message)
    if isinstance(seen, Dropped):
        return seen
    items = make_items(plan.mappings, declared.actions, seen)
    return items or Dropped(reason="no_mapping")


def divide(
    destination: Destination, values: Values, items: Sequence[Item], sent_at: datetime
) -> Iterator[Parcel]:
    """Divide items into parcels of neighbours with the same action."""
    for action, group in groupby(items, lambda item: item.action):
        same = list(group)
        size = destination.batch_size(values, action)
        for start in range(0, len(same), size):
            yield Parcel(action=action, items=same[start : start + size], sent_at=sent_at)
