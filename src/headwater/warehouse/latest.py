"""Say what the latest states are: whose they are and which calls they follow from.

Pure facts. Each column of a state takes its newest value that is not null, by the message's
corrected time, then arrival, then id: neither the order nor the number of loads matters, and
working it out again changes nothing.
"""

from collections.abc import Mapping

import msgspec

from headwater.warehouse.types import Kind

NEWEST_BY = ("timestamp", "received_at", "id")
_OF_THE_CALL = frozenset(
    {
        "id",
        "anonymous_id",
        "user_id",
        "group_id",
        "sent_at",
        "original_timestamp",
        "timestamp",
        "uuid_ts",
    }
)
"""Columns that belong to a message and not to the one it is about."""


class Latest(msgspec.Struct, frozen=True):
    """A table of latest states: which calls it follows from, and whose state it is."""

    table: str
    calls: str
    key: str


LATEST = (
    Latest("users", calls="identifies", key="user_id"),
    Latest("accounts", calls="groups", key="group_id"),
)


def state_columns(calls: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the columns of the calls that a state can have."""
    return {name: kind for name, kind in calls.items() if name not in _OF_THE_CALL}


def outgrown(existing: Mapping[str, Kind], calls: Mapping[str, Kind]) -> list[str]:
    """Return the integer columns of a state that the calls meanwhile hold as float."""
    return [
        column
        for column, kind in existing.items()
        if kind is Kind.INTEGER and calls.get(column) is Kind.FLOAT
    ]
