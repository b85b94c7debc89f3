"""Name why a call is not stored. A drop is not an error: it is counted and shown, by reason."""

from enum import StrEnum

import msgspec


class DropReason(StrEnum):
    """Every reason there is."""

    DUPLICATE = "duplicate"
    """A call with this `transaction_id` is stored already, or came earlier in the batch."""


class Dropped(msgspec.Struct, frozen=True):
    """What a step returns in place of a call."""

    reason: DropReason
