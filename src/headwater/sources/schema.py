"""Remember which events, properties and traits a source sends: their names, never their values.

In: names with how often each was seen. Out: the schema of a source, with what its rules keep out.
At most `MOST_NAMES` a source: a client that puts ids into names cannot fill the database.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import source_names as names
from headwater.sources.rules import list_rules

MOST_NAMES = 5_000
LONGEST_NAME = 200
_ADD = sa.text(
    "INSERT INTO source_names "
    "(source_id, type, event, name, first_seen_at, last_seen_at, count) "
    "VALUES (:source_id, :type, :event, :name, :at, :at, :count) "
    "ON CONFLICT (source_id, type, event, name) DO UPDATE SET "
    "count = source_names.count + excluded.count, last_seen_at = excluded.last_seen_at"
).bindparams(sa.bindparam("at", type_=names.c.first_seen_at.type))


class Name(NamedTuple):
    """What a source sends: an event, a property of it (`name`), or a trait."""

    source_id: str
    type: str
    event: str
    """Of `track`, `page` and `screen`; else empty."""
    name: str
    """Empty: the event itself, or the whole type."""


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """A property of an event, or a trait."""

    name: str
    count: int
    first_seen_at: datetime | None
    """None: only a rule speaks of it."""
    last_seen_at: datetime | None
    allowed: bool


class Event(Property, frozen=True, kw_only=True):
    """An event, or a type of message that has none, with what came along."""

    type: str
    properties: list[Property]


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """All that a source sends."""

    events: list[Event]
    is_full: bool
    """There are more names than are remembered."""


Known = dict[str, set[Name]]
"""Names that are remembered, by source: whoever learns keeps it from one time to the next."""


def learn_names(
    connection: sa.Connection, now: datetime, seen: Mapping[Name, int], known: Known
) -> None:
    """Add what was seen; new names only while there is room."""
    rows: list[dict[str, object]] = []
    for name, count in sorted(seen.items()):
        mine = known.get(name.source_id)
        if mine is None:
            mine = known[name.source_id] = set(_read_names(connection, name.source_id))
        if name in mine or len(mine) < MOST_NAMES:
            mine.add(name)
            rows.append({**name._asdict(), "at": now, "count": count})
    if rows:
        connection.execute(_ADD, rows)


def _read_names(connection: sa.Connection, source_id: str) -> list[Name]:
    columns = [names.c[field] for field in Name._fields]
    rows = connection.execute(sa.select(*columns).where(names.c.source_id == source_id))
    return [Name(*row) for row in rows]


def read_schema(connection: sa.Connection, source_id: str) -> Schema:
    """Return the schema of a source, the events in the order of their names."""
    kept_out = {
        Name(source_id, rule.type, rule.event, rule.name)
        for rule in list_rules(connection, source_id)
    }
    found = {name: _as_property(name, {}, allowed=False) for name in kept_out}
    rows = connection.execute(sa.select(names).where(names.c.source_id == source_id)).mappings()
    for row in (seen := rows.all()):
        name = Name(source_id, row["type"], row["event"], row["name"])
        found[name] = _as_property(name, dict(row), allowed=name not in kept_out)
    return Schema(events=_group(found), is_full=len(seen) >= MOST_NAMES)


def _as_property(name: Name, row: Mapping[str, Any], *, allowed: bool) -> Property:
    """Return what is known; of what only a rule speaks nothing was counted."""
    return Property(
        name=name.name,
        count=row.get("count", 0),
        first_seen_at=row.get("first_seen_at"),
        last_seen_at=row.get("last_seen_at"),
        allowed=allowed,
    )


def _group(found: Mapping[Name, Property]) -> list[Event]:
    """Return events with their properties."""
    events: dict[Name, list[Property]] = {}
    for name, what in sorted(found.items(), key=itemgetter(0)):
        properties = events.setdefault(name._replace(name=""), [])
        if name.name:
            properties.append(what)
    return [
        Event(
            type=event.type,
            properties=properties,
            **msgspec.structs.asdict(found.get(event, _as_property(event, {}, allowed=True)))
            | {"name": event.event},
        )
        for event, properties in events.items()
    ]
