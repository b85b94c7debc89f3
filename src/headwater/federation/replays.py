"""Bring messages that the log still holds to a destination once more.

In: a destination, a range of time, types. Out: rows that wait, as if each were new: the courier
delivers them by its own rules, filters and mappings of today included. Only so many wait at a time,
however long the range; a replay goes on after a restart where it was.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.base.ids import new_id
from headwater.configdb import ConfigDb
from headwater.configdb.tables import deliveries, delivery_replays
from headwater.destinations import MESSAGE_TYPES, Instance, get_destination
from headwater.eventlog import Entry, EventLog, Stream, split_records
from headwater.federation.deliveries import Change, free_heads, store
from headwater.federation.intake import find_entry_after
from headwater.federation.subscribe import is_for
from headwater.federation.waiting import Waiting, place_of, user_key
from headwater.model import Message
from headwater.sources import Forgotten

MOST_WAITING = 5_000
_READ_ENTRIES = 16
_READ_BYTES = 1_000_000
_UNTIL_APPENDED = timedelta(minutes=1)
"""A message is in the log this long after it was received, at the latest."""
_decoder = msgspec.json.Decoder(Message)


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """One replay, and how far it is."""

    id: str
    destination_id: str
    since: datetime
    """Of receiving; not before what the log still holds."""
    until: datetime
    types: tuple[str, ...]
    """Only these; empty for all."""
    state: Literal["running", "done", "cancelled"]
    messages: int
    """So many were put in line."""
    next_offset: int
    last_offset: int
    created_at: datetime


class Replays:
    """The replays of all destinations."""

    def __init__(
        self, configdb: ConfigDb, log: EventLog, clock: Clock, forgotten: Forgotten
    ) -> None:
        self._configdb = configdb
        self._log = log
        self._clock = clock
        self._forgotten = forgotten

    async def begin(
        self, destination_id: str, since: datetime, until: datetime, types: Sequence[str] = ()
    ) -> Replay:
        """Begin one; it goes on by itself. Errors name the field that is wrong."""
        _check(since, until, types)
        first = await find_entry_after(self._log, since)
        replay = Replay(
            id=new_id("rpl"),
            destination_id=destination_id,
            since=await self._held_since(first, since),
            until=until,
            types=tuple(types),
            state="running",
            messages=0,
            next_offset=first,
            last_offset=await find_entry_after(self._log, until + _UNTIL_APPENDED) - 1,
            created_at=self._clock.now(),
        )
        return await self._configdb.run(_begin, replay)

    async def _held_since(self, first: int, since: datetime) -> datetime:
        """Return the moment, or that of the oldest entry where what came before is forgotten."""
        state = await self._log.state(Stream.MESSAGES)
        if first > state.first_offset or state.first_offset <= 1:
            return since
        entries = await self._read(first, 1)
        return max(since, entries[0].appended_at - _UNTIL_APPENDED) if entries else since

    async def step(self) -> int:
        """Put the next messages of each running replay in line; return how many."""
        running = await self._configdb.look(_running)
        return sum([await self._go_on(replay, instance) for replay, instance in running])

    async def _go_on(self, replay: Replay, instance: Instance) -> int:
        waiting = await self._configdb.look(_count_waiting, replay.destination_id)
        if waiting >= MOST_WAITING:
            return 0
        state = await self._log.state(Stream.MESSAGES)
        entries: list[Entry] = []
        if replay.next_offset <= min(replay.last_offset, state.last_offset):
            entries = await self._read(replay.next_offset, _READ_ENTRIES)
        await self._forgotten.keep_fresh()
        chosen = _choose(replay, instance, entries, self._clock.now())
        found = [one for one in chosen if not self._forgotten.hides(one.message)]
        after = entries[-1].offset + 1 if entries else replay.last_offset + 1
        return await self._configdb.run(_put, instance, replay, found, after, self._clock.now())

    async def _read(self, offset: int, most: int) -> list[Entry]:
        return await self._log.read(
            Stream.MESSAGES, offset, max_entries=most, max_bytes=_READ_BYTES, wait_s=0.1
        )


def list_replays(connection: sa.Connection, destination_id: str, limit: int = 20) -> list[Replay]:
    """Return the replays of a destination, the newest first."""
    get_destination(connection, destination_id)
    rows = connection.execute(
        sa.select(delivery_replays)
        .where(delivery_replays.c.destination_id == destination_id)
        .order_by(delivery_replays.c.created_at.desc())
        .limit(limit)
    )
    return [_replay(row) for row in rows.mappings()]


def cancel_replay(connection: sa.Connection, destination_id: str, replay_id: str) -> Replay:
    """Put no more in line; what is in line is delivered."""
    mine = (
        delivery_replays.c.destination_id == destination_id,
        delivery_replays.c.id == replay_id,
    )
    running = delivery_replays.c.state == "running"
    change = delivery_replays.update().where(*mine, running).values(state="cancelled")
    connection.execute(change)
    row = connection.execute(sa.select(delivery_replays).where(*mine)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no replay {replay_id!r}.", field="replay_id")
    return _replay(row)


def _check(since: datetime, until: datetime, types: Sequence[str]) -> None:
    if since.tzinfo is None or until.tzinfo is None:
        raise InvalidInputError("A time needs its zone, such as Z.", field="from")
    if since >= until:
        raise InvalidInputError("`from` lies before `to`.", field="from")
    for place, type_ in enumerate(types):
        if type_ not in MESSAGE_TYPES:
            raise InvalidInputError(
                f"There is no message type {type_!r}.",
                field=f"types[{place}]",
                hint=f"Types are {', '.join(MESSAGE_TYPES)}.",
            )


def _begin(connection: sa.Connection, replay: Replay) -> Replay:
    instance = get_destination(connection, replay.destination_id)
    if not instance.enabled:
        raise ConflictError("The destination is switched off.", hint="Switch it on first.")
    if any(one.state == "running" for one in list_replays(connection, instance.id)):
        raise ConflictError(
            "A replay of this destination is on its way.", hint="Wait for its end, or cancel it."
        )
    values = msgspec.structs.asdict(replay) | {"types": list(replay.types)}
    connection.execute(delivery_replays.insert().values(values))
    return replay


def _running(connection: sa.Connection) -> list[tuple[Replay, Instance]]:
    """Return what goes on now: a destination that is switched off waits."""
    rows = connection.execute(
        sa.select(delivery_replays).where(delivery_replays.c.state == "running")
    )
    found = [_replay(row) for row in rows.mappings()]
    pairs = [(replay, get_destination(connection, replay.destination_id)) for replay in found]
    return [(replay, instance) for replay, instance in pairs if instance.enabled]


def _count_waiting(connection: sa.Connection, destination_id: str) -> int:
    mine = (deliveries.c.destination_id == destination_id, deliveries.c.state == "retry")
    return int(connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one())


def _choose(
    replay: Replay, instance: Instance, entries: Sequence[Entry], now: datetime
) -> list[Waiting]:
    # In order a message waits for the one before it; without order each is due at once.
    due_at = None if instance.keeps_order else now
    return [
        Waiting(
            message=message,
            first_tried_at=now,
            next_attempt_at=due_at,
            place=place_of(entry.offset, number),
        )
        for entry in entries
        if entry.offset <= replay.last_offset
        for number, record in enumerate(split_records(entry.data))
        if (message := _read(record)) is not None and _is_chosen(message, replay, instance)
    ]


def _is_chosen(message: Message, replay: Replay, instance: Instance) -> bool:
    return (
        message.source_id == instance.source_id
        and replay.since <= message.received_at < replay.until
        and (not replay.types or message.type in replay.types)
        and is_for(message, instance)
    )


def _read(record: bytes) -> Message | None:
    """Return the message; the courier counted what is none when it first passed."""
    try:
        return _decoder.decode(record)
    except msgspec.MsgspecError:
        return None


def _put(
    connection: sa.Connection,
    instance: Instance,
    replay: Replay,
    found: list[Waiting],
    next_offset: int,
    now: datetime,
) -> int:
    """Put messages in line and note how far it is, at once; nothing if it was cancelled."""
    mine = (delivery_replays.c.id == replay.id, delivery_replays.c.state == "running")
    change = delivery_replays.update().where(*mine).values(
        next_offset=next_offset,
        messages=delivery_replays.c.messages + len(found),
        state="running" if next_offset <= replay.last_offset else "done",
    )  # fmt: skip
    if not connection.execute(change).rowcount:
        return 0
    store(connection, instance.id, Change(new=found))
    if instance.keeps_order:
        keys = sorted({user_key(one.message) for one in found})
        free_heads(connection, instance.id, keys, now)
    return len(found)


def _replay(row: sa.RowMapping) -> Replay:
    values: dict[str, Any] = {**row, "types": tuple(row["types"])}
    return Replay(**values)
