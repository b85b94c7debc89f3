"""Read what is meant for a destination: new messages of the log, and rows that are due again.

In: log entries from this destination's own position. Out: hauls of messages that its source sent
while it was enabled and that `integrations` lets through; the others are counted. A record that is
no message is set aside and stops nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from headwater.base.clock import Clock
from headwater.configdb import ConfigDb, read_position
from headwater.destinations import Dropped, Instance, Plan, prepare
from headwater.eventlog import Entry, EventLog, Stream, split_records
from headwater.federation.conclude import KEY_REFUSED
from headwater.federation.deliveries import due_deliveries, held_keys
from headwater.federation.lanes import FORGOTTEN, Haul, Piece
from headwater.federation.settle import advance
from headwater.federation.subscribe import is_due, is_for
from headwater.federation.waiting import Waiting, place_of, user_key
from headwater.model import Message
from headwater.sources import Forgotten

READ_ENTRIES = 8
_READ_BYTES = 1_000_000
_CLOCK_MARGIN = timedelta(minutes=1)
_decoder = msgspec.json.Decoder(Message)


class Intake:
    """One for each courier; remembers how far it has read."""

    def __init__(
        self,
        instance: Instance,
        plan: Plan,
        configdb: ConfigDb,
        log: EventLog,
        clock: Clock,
        forgotten: Forgotten,
    ) -> None:
        self._instance = instance
        self._plan = plan
        self._configdb = configdb
        self._log = log
        self._clock = clock
        self._forgotten = forgotten
        self.next_offset = 0

    async def read_new(self, most_entries: int, wait_s: float) -> list[Entry]:
        """Return the next entries of the log; they stay the next ones until `haul_of`."""
        if not self.next_offset:
            self.next_offset = await self._find_start()
        entries = await self._log.read(
            Stream.MESSAGES,
            self.next_offset,
            max_entries=most_entries,
            max_bytes=_READ_BYTES,
            wait_s=wait_s,
        )
        await self._forgotten.keep_fresh()
        return entries

    def haul_of(self, entries: Sequence[Entry]) -> Haul:
        """Return what is meant for this destination, and go on behind it."""
        haul = Haul(pieces=[], next_offset=entries[-1].offset + 1)
        now = self._clock.now()
        for entry in entries:
            for number, record in enumerate(split_records(entry.data)):
                self._add(haul, record, place_of(entry.offset, number), now)
        self.next_offset = haul.next_offset
        return haul

    async def due(self, limit: int) -> Haul:
        """Return rows whose next attempt is due."""
        await self._forgotten.keep_fresh()
        waiting = await self._configdb.look(due_deliveries, self._clock, self._instance.id, limit)
        haul = Haul(pieces=[])
        for one in waiting:
            self._prepare(one, haul)
        return haul

    async def held(self, haul: Haul) -> set[str]:
        """Return the users of a haul who have a message that waits, where order is kept."""
        keys = sorted({piece.lane for piece in haul.pieces} - {""})
        if not keys:
            return set()
        return await self._configdb.look(held_keys, self._instance.id, keys)

    def _add(self, haul: Haul, record: bytes, place: int, now: datetime) -> None:
        try:
            message = _decoder.decode(record)
        except msgspec.MsgspecError:
            haul.count("unreadable")
            haul.unreadable.append(record.decode("utf-8", "replace"))
            return
        if not is_due(message, self._instance):
            return
        if not is_for(message, self._instance):
            haul.count("filtered.integrations")
            return
        self._prepare(
            Waiting(message=message, first_tried_at=now, next_attempt_at=now, place=place), haul
        )

    def _prepare(self, waiting: Waiting, haul: Haul) -> None:
        """Filter and map as people configured; what waited is held to today's filters too."""
        if self._forgotten.hides(waiting.message):
            haul.drop(waiting, FORGOTTEN)
            return
        found = prepare(self._plan, waiting.message)
        if isinstance(found, Dropped):
            haul.drop(waiting, found.reason)
            return
        lane = user_key(waiting.message) if self._instance.keeps_order else ""
        alone = waiting.status in KEY_REFUSED
        haul.pieces.append(Piece(waiting, haul, found, lane, goes_alone=alone))

    async def _find_start(self) -> int:
        """Return the position, or for a new destination where its first message can be."""
        position = await self._configdb.run(read_position, self._instance.reader)
        if position is not None:
            return position.next_offset
        start = await find_entry_after(self._log, self._instance.enabled_at - _CLOCK_MARGIN)
        await self._configdb.run(advance, self._clock, self._instance, start)
        return start


async def find_entry_after(log: EventLog, at: datetime) -> int:
    """Return the offset of the first entry appended at or after a moment, by bisection."""
    state = await log.state(Stream.MESSAGES)
    low, high = state.first_offset, state.last_offset + 1
    while low < high:
        middle = (low + high) // 2
        entry = await log.read(
            Stream.MESSAGES, middle, max_entries=1, max_bytes=_READ_BYTES, wait_s=1.0
        )
        if entry and entry[0].appended_at < at:
            low = middle + 1
        else:
            high = middle
    return low
