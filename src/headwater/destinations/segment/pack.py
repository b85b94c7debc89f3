"""Write messages and batches as every Tracking API takes them.

In: the items of a parcel. Out: their bodies, and those of requests.
The receiver corrects times by `sentAt`; what was corrected here is sent as the plain time. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.base.clock import to_wire_time
from headwater.destinations.contract import Item
from headwater.destinations.packing import Packed

LARGEST_MESSAGE_BYTES = 32 * 1024
LARGEST_BATCH_BYTES = 475_000
"""Segment's 500 KB, less what surrounds the messages."""
_OURS = frozenset({"originalTimestamp", "sentAt", "receivedAt", "version", "writeKey"})


def encode(place: int, item: Item) -> Packed:
    """Return an item as the receiver is to see it."""
    return Packed(place, msgspec.json.encode(_for_receiver(item.fields["message"], item)))


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
