"""Send what the outbox holds, oldest first, until it is empty or the endpoint fails.

In: a connection and its client. Out: fates in the outbox, and a tally. A message is marked before
it goes on the wire and again after the answer, so after a crash it is sent once more with the same
id, which receivers know. Trouble concerns the endpoint, not the message: everything waits together.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.retry import backoff_s
from headwater.base.settings import ExtensionSettings
from headwater.base.telemetry import IDENTIFIES_SENT
from headwater.configdb import ConfigDb
from headwater.extensions.segment import outbox
from headwater.extensions.segment.client import Outcome, TrackingClient, Verdict, pack
from headwater.extensions.segment.connection import Connection, note_failure, note_success
from headwater.extensions.segment.outbox import Item
from headwater.extensions.segment.runs import Tally

_ITEMS_READ = 1_000
_QUICK_TRIES = 3
_PATIENCE_S = 5.0


class Delivery:
    """The sending of one connection's messages during one run."""

    def __init__(
        self,
        connection: Connection,
        client: TrackingClient,
        configdb: ConfigDb,
        clock: Clock,
        settings: ExtensionSettings,
        tally: Tally,
    ) -> None:
        self._connection = connection
        self._client = client
        self._configdb = configdb
        self._clock = clock
        self._settings = settings
        self._tally = tally
        self._failures = connection.failures

    async def send_waiting(self) -> None:
        """Send until nothing waits; give up for this run when the endpoint does not take it."""
        while not self._tally.error:
            items = await self._configdb.run(outbox.read_waiting, self._connection.id, _ITEMS_READ)
            if not items:
                return
            for batch in pack([len(item.payload or b"") for item in items]):
                if not self._tally.error:
                    self._tally.sent += len(items[batch])
                    await self._send(items[batch])

    async def _send(self, items: Sequence[Item]) -> None:
        ids = [item.message_id for item in items]
        await self._configdb.run(outbox.mark_sent, self._connection.id, ids)
        outcome = await self._try(items)
        crash_point("segment.sent")
        match outcome.verdict:
            case Verdict.ACCEPTED:
                await self._accept(ids, outcome)
            case Verdict.REFUSED if len(items) > 1:
                # The endpoint does not say which one it means: halve until it is alone.
                await self._configdb.run(outbox.mark_due, self._connection.id, ids, outcome.reason)
                middle = len(items) // 2
                for half in (items[:middle], items[middle:]):
                    if not self._tally.error:
                        await self._send(half)
            case Verdict.REFUSED:
                await self._bury(items[0], outcome.reason)
            case _:
                await self._give_up(ids, outcome)
        crash_point("segment.acked")

    async def _try(self, items: Sequence[Item]) -> Outcome:
        payloads = [item.payload for item in items if item.payload is not None]
        attempt = 1
        while True:
            outcome = await self._client.send(payloads, self._clock.now())
            wait_s = self._wait_s(outcome, attempt)
            passes_soon = outcome.verdict is Verdict.LATER and wait_s <= _PATIENCE_S
            if not passes_soon or attempt == _QUICK_TRIES:
                return outcome
            await asyncio.sleep(wait_s)
            attempt += 1

    def _wait_s(self, outcome: Outcome, attempt: int) -> float:
        if outcome.wait_s is not None:
            return outcome.wait_s
        first_s, cap_s = self._settings.retry_first_s, self._settings.retry_cap_s
        return backoff_s(self._failures + attempt, first_s=first_s, cap_s=cap_s)

    async def _accept(self, ids: Sequence[str], outcome: Outcome) -> None:
        rejected = {ids[at]: word for at, word in outcome.rejected.items() if 0 <= at < len(ids)}
        delivered = [id_ for id_ in ids if id_ not in rejected]

        def save(connection: sa.Connection) -> None:
            outbox.mark_delivered(connection, self._connection.id, delivered, self._clock.now())
            outbox.mark_dead(connection, self._connection.id, rejected)
            note_success(connection, self._connection.id)

        await self._configdb.run(save)
        self._failures = 0
        self._tally.delivered += len(delivered)
        IDENTIFIES_SENT.labels("delivered").inc(len(delivered))
        IDENTIFIES_SENT.labels("dead").inc(len(rejected))

    async def _bury(self, item: Item, reason: str) -> None:
        dead = {item.message_id: reason}
        await self._configdb.run(outbox.mark_dead, self._connection.id, dead)
        IDENTIFIES_SENT.labels("dead").inc()

    async def _give_up(self, ids: Sequence[str], outcome: Outcome) -> None:
        self._failures += 1
        retry_at = self._clock.now() + timedelta(seconds=self._wait_s(outcome, 0))
        self._tally.error = outcome.reason

        def save(connection: sa.Connection) -> None:
            outbox.mark_due(connection, self._connection.id, ids, outcome.reason)
            note_failure(connection, self._connection.id, self._failures, retry_at, outcome.reason)

        await self._configdb.run(save)
        IDENTIFIES_SENT.labels("later").inc(len(ids))
