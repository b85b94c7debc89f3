"""Send what the outbox holds, oldest first, until it is empty or the endpoint fails.

In: a connection and its sender. Out: fates in the outbox, and a tally. A batch is marked before it
goes on the wire and again after the answer, so after a crash it is sent once more with the same
ids, which receivers know. Trouble concerns the endpoint, not the messages: everything waits
together.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from headwater.base.crash import crash_point
from headwater.base.retry import backoff_s
from headwater.base.telemetry import IDENTIFIES_SENT
from headwater.extensions import outbox
from headwater.extensions.connections import Connection, note_failure, note_success
from headwater.extensions.contract import Outcome, Sender, Verdict
from headwater.extensions.outbox import Batch
from headwater.extensions.pace import Pace
from headwater.extensions.parts import Parts
from headwater.extensions.runs import Tally

_QUICK_TRIES = 3
_PATIENCE_S = 5.0

Sent = tuple[Batch, Outcome]


class Delivery:
    """The sending of one connection's messages during one run."""

    def __init__(self, connection: Connection, sender: Sender, parts: Parts, tally: Tally) -> None:
        self._connection = connection
        self._sender = sender
        self._parts = parts
        self._tally = tally
        self._failures = connection.failures
        self._pace = Pace(parts.settings.most_in_flight)
        self._given_up: Outcome | None = None

    async def send_waiting(self) -> None:
        """Send until nothing waits; give up for this run when the endpoint does not take it."""
        on_wire: dict[asyncio.Task[Sent], Batch] = {}
        answered: list[Sent] = []
        try:
            while True:
                free = 0 if self._given_up is not None else self._pace.limit - len(on_wire)
                busy = [batch.id for batch in on_wire.values()]
                for batch in await self._settle_and_take(answered, free, busy):
                    on_wire[asyncio.create_task(self._send(batch))] = batch
                if not on_wire:
                    return
                done, _ = await asyncio.wait(on_wire, return_when=asyncio.FIRST_COMPLETED)
                answered = [await task for task in done]
                for task in done:
                    del on_wire[task]
        finally:
            for task in on_wire:
                task.cancel()
            await asyncio.gather(*on_wire, return_exceptions=True)

    async def _settle_and_take(
        self, answered: Sequence[Sent], free: int, busy: Sequence[int]
    ) -> list[Batch]:
        """Write down what came of some batches, and take the next ones, in one transaction."""
        if answered:
            crash_point("extensions.sent")

        def work(connection: sa.Connection) -> list[Batch]:
            for batch, outcome in answered:
                self._settle(connection, batch, outcome)
            if answered:
                crash_point("extensions.settled")
            if self._tally.error or free <= 0:
                return []
            return outbox.take(connection, self._connection.id, free, busy)

        taken = await self._parts.configdb.run(work)
        if answered:
            crash_point("extensions.acked")
        if taken:
            crash_point("extensions.taken")
        return taken

    def _settle(self, connection: sa.Connection, batch: Batch, outcome: Outcome) -> None:
        id_ = self._connection.id
        match outcome.verdict:
            case Verdict.ACCEPTED:
                rejected = {at: w for at, w in outcome.rejected.items() if 0 <= at < batch.messages}
                outbox.settle(connection, id_, batch, rejected, self._parts.clock.now())
                note_success(connection, id_)
                self._failures = 0
                self._count(delivered=batch.messages - len(rejected), dead=len(rejected))
            case Verdict.REFUSED:
                # The endpoint does not say which one it means: halve until it is alone.
                outbox.halve(connection, id_, batch, outcome.reason)
                if batch.messages == 1:
                    self._count(dead=1)
            case _:
                outbox.mark_due(connection, [batch.id], outcome.reason)
                self._give_up(connection, outcome)
                self._count(later=batch.messages)

    def _count(self, *, delivered: int = 0, dead: int = 0, later: int = 0) -> None:
        self._tally.sent += delivered + dead + later
        self._tally.delivered += delivered
        for fate, count in (("delivered", delivered), ("dead", dead), ("later", later)):
            IDENTIFIES_SENT.labels(fate).inc(count)

    def _give_up(self, connection: sa.Connection, outcome: Outcome) -> None:
        if not self._tally.error:  # what was on the wire together fails together: once
            self._failures += 1
            self._tally.error = outcome.reason
            wait = timedelta(seconds=self._wait_s(outcome, 0))
            retry_at = self._parts.clock.now() + wait
            note_failure(connection, self._connection.id, self._failures, retry_at, outcome.reason)

    async def _send(self, batch: Batch) -> Sent:
        while True:
            async with self._pace.turn() as began_s:
                if self._given_up is not None:
                    return batch, self._given_up
                outcome = await self._sender.send(batch.packet, self._parts.clock.now())
            match outcome.verdict:
                case Verdict.LATER:
                    self._pace.went_wrong(began_s)
                    self._rest_or_give_up(outcome)
                case Verdict.HALTED:
                    self._given_up = outcome
                case _:
                    self._pace.went_well(began_s)
                    return batch, outcome

    def _rest_or_give_up(self, outcome: Outcome) -> None:
        wait_s = self._wait_s(outcome, self._pace.troubles)
        if wait_s > _PATIENCE_S or self._pace.troubles >= _QUICK_TRIES:
            self._given_up = outcome
        else:
            self._pace.rest(wait_s)

    def _wait_s(self, outcome: Outcome, attempt: int) -> float:
        if outcome.wait_s is not None:
            return outcome.wait_s
        settings = self._parts.settings
        first_s, cap_s = settings.retry_first_s, settings.retry_cap_s
        return backoff_s(self._failures + attempt, first_s=first_s, cap_s=cap_s)
