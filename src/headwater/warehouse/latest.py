"""Say, as SQL, what the latest state of users and accounts is.

In: the columns of the call table that a state follows from. Out: one SELECT for the subjects that
a load touched. Pure. Each column takes its newest value that is not null, by the message's
corrected time, then arrival, then id: neither the order nor the number of loads matters, and
running it again changes nothing.
"""

from collections.abc import Collection, Mapping

import msgspec

from headwater.warehouse.types import Kind

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


def latest_sql(latest: Latest, schema: str, columns: Collection[str]) -> str:
    """Return the query; its one parameter is the `uuid_ts` of the load whose subjects are wanted.

    Every name is quoted, and holds nothing but [a-z0-9_].
    """
    calls, key = f'"{schema}"."{latest.calls}"', f'"{latest.key}"'
    newest = "".join(
        f',\n  arg_max("{column}", ("timestamp", received_at, id)) AS "{column}"'
        for column in columns
        if column not in _OF_THE_CALL
    )
    return (
        f"SELECT {key} AS id{newest},\n  max(uuid_ts) AS uuid_ts\n"
        f"FROM {calls}\n"
        f"WHERE {key} IN (SELECT {key} FROM {calls} WHERE uuid_ts = $1)\n"
        f"GROUP BY {key}"
    )


def outgrown(existing: Mapping[str, Kind], calls: Mapping[str, Kind]) -> list[str]:
    """Return the integer columns of a state that the calls meanwhile hold as float."""
    return [
        column
        for column, kind in existing.items()
        if kind is Kind.INTEGER and calls.get(column) is Kind.FLOAT
    ]
