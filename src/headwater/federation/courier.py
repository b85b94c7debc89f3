"""Carry the messages of the log to one destination.

In: log entries from this destination's own position, and deliveries that are due again. Out: an
outcome for each message, written down in one transaction with the position; until then a crash
repeats the delivery with the same `messageId`, and loses nothing. Order is not promised.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.egress import Egress
from headwater.base.retry import backoff_s
from headwater.base.settings import FederationSettings
from headwater.base.telemetry import DELIVERIES, get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.destinations import (
    Instance,
    Item,
    Outcome,
    Parcel,
    divide,
    find_destination,
    get_destination,
    open_settings,
    open_wire,
    plan_of,
    prepare,
)
from headwater.eventlog import Entry, EventLog, Stream, split_records
from headwater.federation.breaker import Breaker
from headwater.federation.conclude import conclude_all
from headwater.federation.deliveries import Counts, Waiting, due_deliveries, store_deliveries
from headwater.federation.subscribe import is_due, is_for
from headwater.model import Message

_READ_ENTRIES = 8
_READ_BYTES = 1_000_000
_MOST_DUE = 500
_CLOCK_MARGIN = timedelta(minutes=1)
_NOTHING = Counts()
_FATES = ("delivered", "retry", "dead")
_logger = get_logger("federation")
_decoder = msgspec.json.Decoder(Message)


class Courier:
    """One for each enabled destination; `step` does one round."""

    def __init__(
        self,
        instance: Instance,
        configdb: ConfigDb,
        log: EventLog,
        vault: Vault,
        egress: Egress,
        clock: Clock,
        settings: FederationSettings,
    ) -> None:
        self.instance = instance
        self.breaker = Breaker(clock, settings)
        self._configdb = configdb
        self._log = log
        self._egress = egress
        self._clock = clock
        self._settings = settings
        self._destination = find_destination(instance.type)
        self._values = open_settings(vault, instance)
        self._plan = plan_of(instance)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._next_offset = 0

    async def run(self) -> None:
        """Work until cancelled; whatever goes wrong here stops this destination alone."""
        failures = 0
        while True:
            try:
                await self.step()
                failures = 0
            except Exception:
                failures += 1
                _logger.exception("courier_failed", destination=self.instance.id)
                await asyncio.sleep(backoff_s(failures, cap_s=30.0))

    async def step(self) -> int:
        """Try what is due again, then what is new; return how many messages were handled."""
        return await self._carry_due() + await self._carry_new()

    async def _carry_due(self) -> int:
        if self.breaker.rest_s:
            return 0
        due = await self._configdb.run(due_deliveries, self._clock, self.instance.id, _MOST_DUE)
        if due:
            await self._carry(due)
        return len(due)

    async def _carry_new(self) -> int:
        entries = await self._read_new()
        if not entries:
            return 0
        if self.breaker.rest_s and not self._has_waited_long(entries[0]):
            await asyncio.sleep(min(self.breaker.rest_s, self._settings.poll_s))
            return 0
        records = [record for entry in entries for record in split_records(entry.data)]
        messages = [m for record in records if (m := self._read(record)) is not None]
        due = [message for message in messages if is_due(message, self.instance)]
        mine = [
            message for message in due if is_for(message, self.instance) and self._prepare(message)
        ]
        now = self._clock.now()
        await self._carry(
            [Waiting(message=m, first_tried_at=now, next_attempt_at=now) for m in mine],
            counts=Counts(filtered=len(due) - len(mine), unreadable=len(records) - len(messages)),
            next_offset=entries[-1].offset + 1,
        )
        return len(records)

    def _read(self, record: bytes) -> Message | None:
        """Return the message; a record that nobody can read is counted, and stops nobody."""
        try:
            return _decoder.decode(record)
        except msgspec.MsgspecError as err:
            _logger.warning("record_unreadable", destination=self.instance.id, reason=str(err))
            return None

    async def _read_new(self) -> list[Entry]:
        if not self._next_offset:
            self._next_offset = await self._find_start()
        return await self._log.read(
            Stream.MESSAGES,
            self._next_offset,
            max_entries=1 if self.breaker.rest_s else _READ_ENTRIES,
            max_bytes=_READ_BYTES,
            wait_s=self._settings.poll_s,
        )

    def _has_waited_long(self, entry: Entry) -> bool:
        waited = self._clock.now() - entry.appended_at
        return waited > timedelta(seconds=self._settings.park_after_s)

    async def _carry(
        self, waiting: Sequence[Waiting], *, counts: Counts = _NOTHING, next_offset: int = 0
    ) -> None:
        outcomes: dict[str, Outcome] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for parcel in self._parcels([one.message for one in waiting], outcomes):
                    group.create_task(self._send(parcel, outcomes))
        finally:
            # Also when cancelled: what was delivered is written down, the rest is tried later.
            await asyncio.shield(
                self._configdb.run(self._write, waiting, outcomes, counts, next_offset)
            )
        self._next_offset = next_offset or self._next_offset
        crash_point("federation.after_write")

    def _prepare(self, message: Message) -> list[Item]:
        found = prepare(self._plan, message)
        return found if isinstance(found, list) else []

    def _parcels(
        self, messages: Sequence[Message], outcomes: dict[str, Outcome]
    ) -> Iterator[Parcel]:
        items = [item for message in messages for item in self._prepare(message)]
        for item in items:
            if item.error:
                _note(outcomes, item, Outcome(fate="dead", error=item.error))
        good = [item for item in items if not item.error]
        yield from divide(self._destination, self._values, good, self._clock.now())

    async def _send(self, parcel: Parcel, outcomes: dict[str, Outcome]) -> None:
        async with self._slots:
            if self.breaker.rest_s:
                return  # not tried: it waits
            found = await self._try(parcel)
            self.breaker.note(found[-1])
        for item, outcome in zip(parcel.items, found, strict=True):
            _note(outcomes, item, outcome)
            DELIVERIES.labels(self.instance.id, outcome.fate).inc()

    async def _try(self, parcel: Parcel) -> list[Outcome]:
        wire = open_wire(self.instance, self._values, self._egress, self._settings.timeout_s)
        try:
            return await self._destination.deliver(wire, self._values, parcel)
        except Exception as err:
            # A fault of ours: the messages must survive it, and somebody must hear of it.
            _logger.exception("delivery_broke", destination=self.instance.id)
            broken = Outcome(fate="retry", error=f"a fault of Headwater: {type(err).__name__}")
            return [broken] * len(parcel.items)

    def _write(
        self,
        connection: sa.Connection,
        waiting: Sequence[Waiting],
        outcomes: dict[str, Outcome],
        counts: Counts,
        next_offset: int,
    ) -> None:
        crash_point("federation.before_write")
        now = self._clock.now()
        done, left = conclude_all(waiting, outcomes, now, self._settings)
        store_deliveries(
            connection,
            self._clock,
            self.instance.id,
            done=[one.message.message_id for one in done],
            waiting=left,
            counts=msgspec.structs.replace(
                counts,
                delivered=len(done),
                delivered_first_try=sum(one.attempts == 0 for one in done),
            ),
        )
        if next_offset:
            self._advance(connection, next_offset)

    def _advance(self, connection: sa.Connection, next_offset: int) -> None:
        """Move the position, unless the destination was switched off meanwhile."""
        current = get_destination(connection, self.instance.id)
        if current.enabled and current.enabled_at == self.instance.enabled_at:
            position = Position(next_offset)
            reader = self.instance.reader
            write_position(connection, self._clock, reader, Stream.MESSAGES.value, position)

    async def _find_start(self) -> int:
        """Return the position, or for a new destination where its first message can be."""
        position = await self._configdb.run(read_position, self.instance.reader)
        if position is not None:
            return position.next_offset
        start = await self._find_entry_after(self.instance.enabled_at - _CLOCK_MARGIN)
        await self._configdb.run(self._advance, start)
        return start

    async def _find_entry_after(self, at: datetime) -> int:
        state = await self._log.state(Stream.MESSAGES)
        low, high = state.first_offset, state.last_offset + 1
        while low < high:
            middle = (low + high) // 2
            entry = await self._log.read(
                Stream.MESSAGES, middle, max_entries=1, max_bytes=_READ_BYTES, wait_s=1.0
            )
            if entry and entry[0].appended_at < at:
                low = middle + 1
            else:
                high = middle
        return low


def _note(outcomes: dict[str, Outcome], item: Item, outcome: Outcome) -> None:
    """Remember the worst that happened to a message."""
    before = outcomes.setdefault(item.message.message_id, outcome)
    if _FATES.index(outcome.fate) > _FATES.index(before.fate):
        outcomes[item.message.message_id] = outcome
