"""Carry the messages of the log to one destination.

In: hauls of new messages and of rows that are due again. Out: an outcome for each message, written
down with the position. Reading, sending and writing go on side by side; what is in hand is bounded,
all else waits in the log or in the configuration database. Order is kept for each user where the
destination asks for it, and not promised otherwise.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.egress import Egress
from headwater.base.retry import backoff_s
from headwater.base.settings import FederationSettings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import (
    Instance,
    Item,
    Outcome,
    divide,
    find_destination,
    open_settings,
    open_wire,
    plan_of,
)
from headwater.eventlog import Entry, EventLog
from headwater.federation.breaker import Breaker
from headwater.federation.deliveries import free_all
from headwater.federation.intake import READ_ENTRIES, Intake
from headwater.federation.lanes import Haul, Piece
from headwater.federation.sender import Sender
from headwater.federation.settle import settle
from headwater.sources import Forgotten

_FATES = ("delivered", "retry", "dead")
_FORGOTTEN = Outcome(fate="dead", code="FORGOTTEN", error="Its user is forgotten.")
"""While it was in hand; no row will be kept of it."""
_MOST_DUE = 1_000
_MOST_IN_HAND = 6_000
_WRITE_EVERY_S = 0.02
"""Couriers share one writer; what a crash repeats is what was delivered since the last write."""
_logger = get_logger("federation")


class Courier:
    """One for each destination that has something to do; `run` until cancelled."""

    def __init__(
        self,
        instance: Instance,
        configdb: ConfigDb,
        log: EventLog,
        vault: Vault,
        egress: Egress,
        clock: Clock,
        settings: FederationSettings,
        forgotten: Forgotten,
        *,
        paused: str = "",
    ) -> None:
        self.instance = instance
        self.breaker = Breaker(clock, settings)
        self.breaker.paused = paused
        self.is_pause_kept = bool(paused)
        """It is written down; whoever takes that away wants it to go on."""
        self._configdb = configdb
        self._log = log
        self._egress = egress
        self._clock = clock
        self._settings = settings
        self._forgotten = forgotten
        self._destination = find_destination(instance.type)
        self._values = open_settings(vault, instance)
        self._plan = plan_of(instance)
        self._parcel_size = max(
            (
                self._destination.batch_size(self._values, mapping.action)
                for mapping in instance.mappings
            ),
            default=1,
        )

    def resume(self) -> None:
        """Send again: a person mended it, or says so."""
        self.breaker.resume()
        self.is_pause_kept = False

    async def run(self) -> None:
        """Work until cancelled; whatever goes wrong here stops this destination alone."""
        failures = 0
        while True:
            began_s = self._clock.monotonic_s()
            try:
                await self._work()
            except Exception:
                _logger.exception("courier_failed", destination=self.instance.id)
                lasted_s = self._clock.monotonic_s() - began_s
                failures = 1 if lasted_s > self._settings.pause_cap_s else failures + 1
                await asyncio.sleep(backoff_s(failures, cap_s=30.0))

    async def _work(self) -> None:
        self._hauls: list[Haul] = []
        """In hand, those of the log in its order."""
        self._changed = asyncio.Event()
        self._written = asyncio.Event()
        self._writes = 0
        self._writing: asyncio.Task[None] | None = None
        self._sender = Sender(
            self.instance.id,
            self._deliver,
            self._parcel_size,
            self.breaker,
            self._clock,
            self._changed.set,
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take_in())
                group.create_task(self._write_down())
        finally:
            await asyncio.shield(self._leave())

    async def _take_in(self) -> None:
        intake = Intake(
            self.instance, self._plan, self._configdb, self._log, self._clock, self._forgotten
        )
        looked_at_s = float("-inf")
        if not self.instance.keeps_order:
            # It may have kept order until now: nothing waits for another message any more.
            await self._configdb.run(free_all, self.instance.id, self._clock.now())
        while True:
            while sum(len(haul.pieces) for haul in self._hauls) >= _MOST_IN_HAND:
                await self._write_ends()
            if self.breaker.is_open:
                await self._take_overdue(intake)
                continue
            now_s, in_doubt = self._clock.monotonic_s(), self.breaker.in_doubt
            if now_s - looked_at_s >= self._settings.poll_s and not in_doubt:
                looked_at_s = float("-inf") if await self._take_due(intake) else now_s
            if self.breaker.is_probing and self._hauls:
                await self._write_ends()
            elif not await self._take_new(intake) and in_doubt:
                # What was refused goes last: it may be refused for itself, whatever the key.
                await self._take_due(intake)

    async def _take_due(self, intake: Intake) -> bool:
        """Take rows whose time has come; tell whether there may be more: the old go first."""
        if any(not haul.next_offset for haul in self._hauls):
            return False
        limit = min(self._parcel_size, _MOST_DUE) if self.breaker.is_probing else _MOST_DUE
        haul = await intake.due(limit)
        taken = len(haul.pieces) + len(haul.dropped)
        if taken:
            self._put(haul, haul.pieces)
        if taken < limit:
            return False
        while haul in self._hauls:
            await self._write_ends()
        return True

    async def _take_new(self, intake: Intake) -> bool:
        """Take messages of the log, but those that an earlier one of their user holds back."""
        most = 1 if self.breaker.is_probing else READ_ENTRIES
        entries = await intake.read_new(most, self._settings.poll_s)
        if not entries or self.breaker.is_open:
            return False
        haul = intake.haul_of(entries)
        held = await self._held(intake, haul) | self._held_in_hand()
        self._put(haul, [piece for piece in haul.pieces if piece.lane not in held])
        return True

    async def _held(self, intake: Intake, haul: Haul) -> set[str]:
        """Return users who have a row that waits; asked again if rows were written meanwhile."""
        while True:
            writes = self._writes
            held = await intake.held(haul)
            if writes == self._writes:
                return held

    async def _take_overdue(self, intake: Intake) -> None:
        """While nothing is sent: park what waited so long that the log may forget it."""
        poll_s = self._settings.poll_s
        entries = await intake.read_new(1, poll_s)
        if entries and self._has_waited_long(entries[0]):
            self._put(intake.haul_of(entries), [])
        elif entries:
            await asyncio.sleep(poll_s if self.breaker.paused else min(self.breaker.rest_s, poll_s))

    def _put(self, haul: Haul, pieces: list[Piece]) -> None:
        self._hauls.append(haul)
        self._sender.put(haul, pieces)

    def _held_in_hand(self) -> set[str]:
        """Return users with a message that has to wait, though that is not written down yet."""
        if not self.instance.keeps_order:
            return set()
        return {p.lane for haul in self._hauls for p in haul.pieces if p.waits}

    async def _write_down(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if ready := self._ready():
                self._writing = asyncio.create_task(self._write(ready))
                await asyncio.shield(self._writing)
                await asyncio.sleep(_WRITE_EVERY_S)

    def _ready(self) -> list[Haul]:
        """Return hauls of which nothing is left; those of the log only up to the first open one."""
        ready, is_open = [], False
        for haul in self._hauls:
            if haul.left:
                is_open = is_open or bool(haul.next_offset)
            elif not (is_open and haul.next_offset):
                ready.append(haul)
        return ready

    async def _write(self, hauls: list[Haul]) -> None:
        # Once: a person may have taken it away meanwhile.
        paused = "" if self.is_pause_kept else self.breaker.paused
        for haul in hauls:
            haul.leave_out(self._forgotten.hides)
        await self._configdb.run(settle, self._clock, self.instance, self._settings, hauls, paused)
        self.is_pause_kept = self.is_pause_kept or bool(paused)
        self._hauls = [haul for haul in self._hauls if haul not in hauls]
        self._writes += 1
        self._written.set()
        crash_point("federation.after_write")

    async def _write_ends(self) -> None:
        self._written.clear()
        await self._written.wait()

    async def _leave(self) -> None:
        """Write down what was delivered; the rest is tried later."""
        await self._sender.stop()
        try:
            if self._writing:
                await self._writing
            if self._hauls:
                await self._write(list(self._hauls))
        except Exception:
            # Not raised: it would take the place of the cancellation. What is not written down is
            # delivered again, with the same ids.
            _logger.exception("courier_left_unwritten", destination=self.instance.id)

    def _has_waited_long(self, entry: Entry) -> bool:
        waited = self._clock.now() - entry.appended_at
        return waited > timedelta(seconds=self._settings.park_after_s)

    async def _deliver(self, pieces: Sequence[Piece]) -> list[Outcome]:
        """Send what mappings made of some messages; a message fares as the worst of its items."""
        found: dict[str, Outcome] = {}
        good: list[Item] = []
        for item in (item for piece in pieces for item in piece.items):
            if self._forgotten.hides(item.message):
                _note(found, item, _FORGOTTEN)
            elif item.error:
                _note(found, item, Outcome(fate="dead", code="MAPPING", error=item.error))
            else:
                good.append(item)
        for parcel in divide(self._destination, self._values, good, self._clock.now()):
            wire = open_wire(self.instance, self._values, self._egress, self._settings.timeout_s)
            outcomes = await self._destination.deliver(wire, self._values, parcel)
            for item, outcome in zip(parcel.items, outcomes, strict=True):
                _note(found, item, outcome)
        return [found[piece.waiting.message.message_id] for piece in pieces]


def _note(found: dict[str, Outcome], item: Item, outcome: Outcome) -> None:
    before = found.setdefault(item.message.message_id, outcome)
    if _FATES.index(outcome.fate) > _FATES.index(before.fate):
        found[item.message.message_id] = outcome
