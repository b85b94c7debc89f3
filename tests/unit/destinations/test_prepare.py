"""What federation asks of a message: items in parcels, or why there are none."""

from collections.abc import Sequence

import msgspec
import pytest

from headwater.destinations import (
    ALWAYS,
    Dropped,
    Item,
    Mapping,
    Plan,
    divide,
    find_destination,
    prepare,
)
from headwater.destinations.filters import Drop, Filter
from headwater.destinations.webhook import Webhook
from tests.support.messages import NOON, a_message

SEND = Mapping(id="map_1", action="send")


class Narrow(Webhook):
    """A type that takes identifies alone."""

    declaration = msgspec.structs.replace(Webhook.declaration, message_types=("identify",))


@pytest.mark.parametrize(
    ("type_", "filters", "mappings", "found"),
    [
        ("identify", (), (SEND,), 1),
        ("identify", (), (SEND, msgspec.structs.replace(SEND, id="map_2")), 2),
        ("track", (), (SEND,), Dropped(reason="unsupported", detail="track")),
        ("identify", (Drop(when=ALWAYS),), (SEND,), Dropped(reason="filter", detail="filter 1")),
        ("identify", (), (), Dropped(reason="no_mapping")),
    ],
)
def test_each_message_is_items_or_a_reason(
    type_: str, filters: tuple[Filter, ...], mappings: tuple[Mapping, ...], found: int | Dropped
) -> None:
    """Counted by reason, so that nothing is left out without a word."""
    got = prepare(Plan(Narrow(), filters, mappings), a_message(type=type_))
    assert (got if isinstance(got, Dropped) else len(got)) == found


def test_a_parcel_holds_neighbours_of_one_action() -> None:
    """In their order, never more than the destination takes at once."""
    message = a_message()
    items = [
        Item(message=message, mapping=str(n), action=action, fields={})
        for n, action in enumerate("aaabba")
    ]
    webhook = find_destination("webhook")
    parcels = list(divide(webhook, {"batch_size": "2"}, items, NOON))
    assert [(one.action, _names(one.items)) for one in parcels] == [
        ("a", "01"), ("a", "2"), ("b", "34"), ("a", "5"),
    ]  # fmt: skip


def _names(items: Sequence[Item]) -> str:
    return "".join(item.mapping for item in items)
