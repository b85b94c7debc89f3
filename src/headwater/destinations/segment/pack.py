"""Pack messages into batches that every Tracking API takes.

In: the items of a parcel. Out: batches of bodies within 500 KB, and the items too large for any.
The receiver corrects times by `sentAt`; what was corrected here is sent as the plain time. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.base.clock import to_wire_time
from headwater.destinations.contract import Item

LARGEST_MESSAGE_BYTES = 32 * 1024
LARGEST_BATCH_BYTES = 475_000
"""Segment's 500 KB, less what surrounds the messages."""
_OURS = frozenset({"originalTimestamp", "sentAt", "receivedAt", "version", "writeKey"})


class Packed(msgspec.Struct, frozen=True):
    """One item as it is sent, and its place in the parcel."""

    place: int
    body: bytes


def encode(place: int, item: Item) -> Packed:
    """Return an item as the receiver is to see it."""
    return Packed(place, msgspec.json.encode(_for_receiver(item.fields["message"], item)))


def batches(packed: Sequence[Packed]) -> Iterator[list[Packed]]:
    """Divide items in their order; each batch is within the limit."""
    batch: list[Packed] = []
    size_bytes = 0
    for one in packed:
        if batch and size_bytes + len(one.body) > LARGEST_BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
        batch.append(one)
        size_bytes += len(one.body) + 1
    if batch:
        yield batch


def batch_body(batch: Sequence[Packed], sent_at: datetime) -> bytes:
    """Return the body of one request."""
    messages = b",".join(one.body for one in batch)
    return b'{"batch":[%b],"sentAt":"%b"}' % (messages, to_wire_time(sent_at).encode())


def _for_receiver(message: Mapping[str, Any], item: Item) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name not in _OURS}
    known = {
        "messageId": item.message.message_id,
        "timestamp": to_wire_time(item.message.timestamp),
    }
    return {**known, **kept}
