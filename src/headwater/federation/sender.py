"""Keep a destination busy: as many parcels on the wire as it takes, each full if it can be.

In: hauls of messages. Out: the same hauls, each message with its outcome, in whatever order they
become ready. While the destination rests nothing is in hand: what was not tried goes back untried.
Knows nothing of the log and of tables.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from headwater.base.clock import Clock
from headwater.base.telemetry import DELIVERIES, get_logger
from headwater.destinations import Outcome
from headwater.federation.breaker import Breaker
from headwater.federation.conclude import KEY_REFUSED, spare_for_key
from headwater.federation.figures import age_bucket
from headwater.federation.lanes import Haul, Lanes, Piece

_logger = get_logger("federation")

Deliver = Callable[[Sequence[Piece]], Awaitable[list[Outcome]]]


class Sender:
    """What one destination has in hand."""

    def __init__(
        self,
        destination_id: str,
        deliver: Deliver,
        parcel_size: int,
        breaker: Breaker,
        clock: Clock,
        on_ready: Callable[[], None],
    ) -> None:
        self._id = destination_id
        self._deliver = deliver
        self._parcel_size = parcel_size
        self._breaker = breaker
        self._clock = clock
        self._on_ready = on_ready
        self._lanes = Lanes()
        self._on_wire: set[asyncio.Task[None]] = set()

    def put(self, haul: Haul, pieces: list[Piece]) -> None:
        """Send these of a haul; the others wait. It is ready when none of these is left."""
        for piece in haul.pieces:
            piece.waits = True
        for piece in pieces:
            piece.waits = False
        haul.left = len(pieces)
        self._lanes.put(pieces)
        self._go_on()

    def put_aside(self) -> None:
        """Give back what is not on the wire."""
        for piece in self._lanes.clear():
            self._close(piece, waits=True)
        self._on_ready()

    async def stop(self) -> None:
        """Break off what is on the wire; its messages are as if not tried."""
        for task in self._on_wire:
            task.cancel()
        await asyncio.gather(*self._on_wire, return_exceptions=True)

    def _go_on(self) -> None:
        lanes, breaker = self._lanes, self._breaker
        while lanes and len(self._on_wire) < breaker.limit and not breaker.is_open:
            most = 1 if breaker.in_doubt else self._parcel_size
            task = asyncio.create_task(self._send(lanes.take(most)))
            self._on_wire.add(task)
            task.add_done_callback(self._on_wire.discard)
        if lanes and breaker.is_open:
            self.put_aside()
        else:
            self._on_ready()

    async def _send(self, pieces: list[Piece]) -> None:
        began_s = self._breaker.begin()
        outcomes = self._spare(pieces, await self._try(pieces))
        self._breaker.note(outcomes, began_s)
        now = self._clock.now()
        for piece, outcome in zip(pieces, outcomes, strict=True):
            piece.outcome = outcome
            if outcome.fate == "delivered":
                tally, waiting = piece.haul.tally, piece.waiting
                bucket = age_bucket((now - waiting.message.received_at).total_seconds())
                tally[bucket] = tally.get(bucket, 0) + 1
            self._settle(piece, outcome)
        self._on_wire.discard(asyncio.current_task())
        self._go_on()

    async def _try(self, pieces: Sequence[Piece]) -> list[Outcome]:
        try:
            return await self._deliver(pieces)
        except Exception as err:
            # A fault of ours: the messages must survive it, and somebody must hear of it.
            _logger.exception("delivery_broke", destination=self._id)
            said = f"a fault of Headwater: {type(err).__name__}"
            return [Outcome(fate="retry", code="FAULT", error=said)] * len(pieces)

    def _spare(self, pieces: Sequence[Piece], outcomes: list[Outcome]) -> list[Outcome]:
        if KEY_REFUSED.isdisjoint({outcome.status for outcome in outcomes}):
            return outcomes
        good = self._breaker.accepts
        return [
            spare_for_key(piece.waiting, outcome, key_is_good=good)
            for piece, outcome in zip(pieces, outcomes, strict=True)
        ]

    def _settle(self, piece: Piece, outcome: Outcome) -> None:
        DELIVERIES.labels(self._id, outcome.fate).inc()
        waits = outcome.fate == "retry"
        self._close(piece, waits=waits)
        if waits:
            for behind in self._lanes.hold_back(piece):
                self._close(behind, waits=True)
        else:
            self._lanes.let_pass(piece)

    @staticmethod
    def _close(piece: Piece, *, waits: bool) -> None:
        piece.waits = waits
        piece.haul.left -= 1
