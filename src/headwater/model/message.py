"""What the Tracking API accepts: one identify, track, page, screen, group or alias message.

The record of the `messages` stream of the log, one JSON object a line.
"""

from datetime import datetime
from typing import Any

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One normalised message. `body` is what destinations and warehouses see."""

    source_id: str
    message_id: str
    type: str
    user_id: str = ""
    anonymous_id: str = ""
    received_at: datetime
    timestamp: datetime
    """Corrected for the client's clock."""
    body: dict[str, Any]
    """The whole message in Segment's own spelling (camelCase), with messageId, timestamp,
    originalTimestamp, sentAt, receivedAt, version; never writeKey or _metadata."""
