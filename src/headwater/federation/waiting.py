"""Say what is known of a message that its destination has not taken.

In: a message and where it came from. Out: one record, the same whether it is new, waits for its
next attempt or is dead. Pure.
"""

from datetime import datetime
from typing import Literal

import msgspec

from headwater.model import Message

_PLACES_IN_ENTRY = 1 << 20


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not delivered yet."""

    message: Message
    state: Literal["retry", "dead"] = "retry"
    attempts: int = 0
    first_tried_at: datetime
    next_attempt_at: datetime | None = None
    """None: never (dead), or when an earlier message of its user is done."""
    status: int | None = None
    error: str = ""
    error_class: str = ""
    place: int = 0
    """In the order of the log."""
    is_stored: bool = False
    """It has a row already."""


def user_key(message: Message) -> str:
    """Return whose message it is: a user's, or an anonymous visitor's."""
    return message.user_id or f"?{message.anonymous_id}"


def previous_id(message: Message) -> str:
    """Return whom an alias names beside its user; empty for all other messages."""
    name = message.body.get("previousId")
    return name if isinstance(name, str) else ""


def place_of(offset: int, number: int) -> int:
    """Return the place of the n-th record of a log entry."""
    return offset * _PLACES_IN_ENTRY + number
