"""Build messages for tests.

In: what matters to a test. Out: whole messages.
"""

from datetime import UTC, datetime
from typing import Any

from headwater.model import Message

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_message(
    message_id: str = "m-1", *, source_id: str = "src_1", received_at: datetime = NOON, **body: Any
) -> Message:
    """Return an identify of user `u-1`, unless `body` says otherwise."""
    whole = {"type": "identify", "userId": "u-1", "messageId": message_id, **body}
    return Message(
        source_id=source_id,
        message_id=message_id,
        type=whole["type"],
        user_id=whole["userId"],
        received_at=received_at,
        timestamp=received_at,
        body=whole,
    )
