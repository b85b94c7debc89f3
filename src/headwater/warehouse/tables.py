"""Turn messages into the rows that Segment's warehouses hold.

In: messages of one source. Out: rows of `identifies`, `tracks`, one table for each event, `pages`,
`screens`, `groups` and `aliases`, and notices of what could not be kept. Pure. The latest states,
`users` and `accounts`, follow from these rows (`latest.py`).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from headwater.model import Message
from headwater.warehouse.flatten import Flattener
from headwater.warehouse.naming import shorten, to_snake
from headwater.warehouse.types import Kind

Row = dict[str, Any]

CALL_MARKS = ("user_id", "previous_id")
"""Columns that say whose a call is."""

RESERVED_COLUMNS = frozenset(
    {
        "id",
        "anonymous_id",
        "user_id",
        "received_at",
        "sent_at",
        "timestamp",
        "original_timestamp",
        "uuid",
        "uuid_ts",
        "loaded_at",
        "event",
        "event_text",
    }
)
"""Traits and properties of these names are dropped, as Segment does."""

RESERVED_TABLES = frozenset(
    {"identifies", "users", "tracks", "pages", "screens", "groups", "accounts", "aliases"}
)

ALWAYS_LOADED = frozenset(
    {"id", "user_id", "group_id", "received_at", "timestamp", "uuid_ts", "event"}
)
"""Columns that loading itself needs: nobody can leave them out."""

DECLARED_KINDS: dict[str, Kind] = {
    "id": Kind.VARCHAR,
    "anonymous_id": Kind.VARCHAR,
    "user_id": Kind.VARCHAR,
    "received_at": Kind.TIMESTAMP,
    "sent_at": Kind.TIMESTAMP,
    "original_timestamp": Kind.TIMESTAMP,
    "timestamp": Kind.TIMESTAMP,
    "uuid_ts": Kind.TIMESTAMP,
    "event": Kind.VARCHAR,
    "event_text": Kind.VARCHAR,
    "group_id": Kind.VARCHAR,
    "previous_id": Kind.VARCHAR,
}
"""Columns whose type never depends on the first value: an id may look like a date."""


class Notice(msgspec.Struct, frozen=True):
    """Something was not stored as it came."""

    code: str
    """`reserved_column`, `same_column`, `unknown_type`, `nameless_event`, `discarded`, …"""
    table: str = ""
    column: str = ""


class Rows:
    """The rows of one source, by table and row id, and what was dropped on the way.

    A message that comes twice has one row: the id is the key, and the later one stands. What
    `unwanted` names as `table` or `table.column` has no rows or values.
    """

    def __init__(
        self,
        loaded_at: datetime,
        identifier_bytes: int = 127,
        unwanted: Collection[str] = (),
    ) -> None:
        self.loaded_at = loaded_at
        self._longest = identifier_bytes
        self.unwanted = frozenset(unwanted)
        self.tables: dict[str, dict[str, Row]] = {}
        self.notices: Counter[Notice] = Counter()
        self._context = Flattener("context", identifier_bytes)
        self._fields = Flattener("", identifier_bytes, RESERVED_COLUMNS)

    def add(self, message: Message) -> None:
        """Put one message where it belongs."""
        fixed, body = self._common(message), message.body
        match message.type:
            case "identify":
                self._put("identifies", fixed, body.get("traits"))
            case "track":
                self._add_track(fixed, body)
            case "page" | "screen":
                put_texts(fixed, name=body.get("name"), category=body.get("category"))
                self._put(f"{message.type}s", fixed, body.get("properties"))
            case "group":
                put_texts(fixed, group_id=body.get("groupId"))
                self._put("groups", fixed, body.get("traits"))
            case "alias":
                put_texts(fixed, previous_id=body.get("previousId"))
                self._put("aliases", fixed, None)
            case _:
                self.notices[Notice("unknown_type", message.type)] += 1

    def _add_track(self, fixed: Row, body: Mapping[str, Any]) -> None:
        text = str(body.get("event") or "")
        table = event_table(text, self._longest)
        put_texts(fixed, event=table, event_text=text)
        self._put("tracks", fixed, None)
        if table:
            self._put(table, fixed, body.get("properties"))
        else:
            self.notices[Notice("nameless_event", "tracks", "event")] += 1

    def _common(self, message: Message) -> Row:
        body = message.body
        row: Row = {"id": message.message_id}
        if message.anonymous_id:
            row["anonymous_id"] = message.anonymous_id
        if message.user_id:
            row["user_id"] = message.user_id
        row["received_at"] = message.received_at
        put_texts(row, sent_at=body.get("sentAt"), original_timestamp=body.get("originalTimestamp"))
        row["timestamp"] = message.timestamp
        row["uuid_ts"] = self.loaded_at
        self._context.put(body.get("context") or {}, row, row.__setitem__)
        return row

    def _put(self, table: str, fixed: Row, fields: Mapping[str, Any] | None) -> None:
        if table in self.unwanted:
            return
        row = dict(fixed)
        if fields:

            def clash(column: str, value: object) -> None:
                is_ours = column in RESERVED_COLUMNS or column in fixed
                code = "reserved_column" if is_ours else "same_column"
                self.notices[Notice(code, table, column)] += 1
                if not is_ours:
                    row[column] = value

            self._fields.put(fields, row, clash)
        if self.unwanted:
            row = self._without_unwanted(table, row)
        self.tables.setdefault(table, {})[row["id"]] = row

    def _without_unwanted(self, table: str, row: Row) -> Row:
        return {
            column: value
            for column, value in row.items()
            if column in ALWAYS_LOADED or f"{table}.{column}" not in self.unwanted
        }


def put_texts(row: Row, **fields: str | None) -> None:
    """Put the fields that say something; null and empty are no value."""
    row.update((column, text) for column, text in fields.items() if text)


def schema_name(slug: str, identifier_bytes: int = 127) -> str:
    """Return the schema of a source: its slug in snake case."""
    return shorten(to_snake(slug), identifier_bytes)


def event_table(event: str, identifier_bytes: int = 127) -> str:
    """Return an event's table; `_` before it when Segment's own tables have that name."""
    name = shorten(to_snake(event), identifier_bytes)
    return f"_{name}" if name in RESERVED_TABLES else name
