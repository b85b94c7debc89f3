"""Keep every connection up to date by itself: on its schedule, and repeating what failed.

In: connections. Out: runs. One connection's trouble is not another's: each is served by a task of
its own, and a slow endpoint keeps only its own connection waiting.
"""

import asyncio
from datetime import datetime, timedelta

from headwater.base.errors import HeadwaterError
from headwater.base.schedule import read_schedule
from headwater.base.telemetry import get_logger
from headwater.extensions import outbox, runs
from headwater.extensions.backfill import find_running, make_page
from headwater.extensions.connections import (
    Connection,
    Opened,
    list_connections,
    open_connection,
)
from headwater.extensions.delivery import Delivery
from headwater.extensions.locks import Locks
from headwater.extensions.parts import Parts
from headwater.extensions.runs import Tally
from headwater.extensions.sync import sync
from headwater.profiles import last_complete_day
from headwater.workspace import App, get_app

_TICK_S = 0.5
_TURN_S = 2.0
"""After this long a backfill lets others have their turn on the connection."""
_logger = get_logger("extensions")


class Worker:
    """The loop over all connections."""

    def __init__(self, parts: Parts, locks: Locks) -> None:
        self._parts = parts
        self._locks = locks

    async def run(self) -> None:
        """Serve each connection when it is time; for ever."""
        serving: set[asyncio.Task[bool]] = set()
        try:
            while True:
                for connection in await self._idle_connections():
                    task = asyncio.create_task(self._serve_safely(connection))
                    serving.add(task)
                    task.add_done_callback(serving.discard)
                await asyncio.sleep(_TICK_S)
        finally:
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

    async def step(self) -> int:
        """Do once what is due for every connection; return how many had something to do."""
        return sum([await self._serve_safely(one) for one in await self._idle_connections()])

    async def _idle_connections(self) -> list[Connection]:
        found = await self._parts.configdb.run(list_connections)
        return [one for one in found if one.enabled and not self._locks.is_busy(one.id)]

    async def _serve_safely(self, connection: Connection) -> bool:
        try:
            async with self._locks.hold(connection.id):
                return await self._serve(connection)
        except HeadwaterError as err:
            _logger.warning("sync_failed", app_id=connection.app_id, reason=err.message)
            return False

    async def _serve(self, connection: Connection) -> bool:
        now = self._parts.clock.now()
        if connection.retry_at is not None and now < connection.retry_at:
            return False
        app = await self._parts.configdb.run(get_app, connection.app_id)
        opened = await self._parts.configdb.run(
            open_connection, self._parts.vault, app.id, connection.type
        )
        if await self._is_due(connection, app, now):
            await sync(self._parts, app, opened)
            return True
        return await self._send_waiting(opened) or await self._backfill(app, opened)

    async def _is_due(self, connection: Connection, app: App, now: datetime) -> bool:
        schedule = read_schedule(
            connection.schedule, timedelta(seconds=self._parts.settings.sync_every_s)
        )
        started_at = await self._parts.configdb.run(runs.last_started_at, connection.id)
        if started_at is None:
            return True
        if now < schedule.next_after(started_at, app.timezone):
            return False
        return not schedule.live or await self._has_news(connection, app, now)

    async def _has_news(self, connection: Connection, app: App, now: datetime) -> bool:
        if connection.watermark_day != last_complete_day(now, app.timezone):
            return True
        return connection.watermark < await self._parts.stored_offset()

    async def _send_waiting(self, opened: Opened) -> bool:
        if not await self._parts.configdb.run(outbox.has_waiting, opened.connection.id):
            return False
        await self._deliver(opened)
        return True

    async def _deliver(self, opened: Opened) -> Tally:
        tally = Tally()
        sender = opened.extension.open(opened.settings, opened.secret, self._parts.outside)
        await Delivery(opened.connection, sender, self._parts, tally).send_waiting()
        return tally

    async def _backfill(self, app: App, opened: Opened) -> bool:
        """Do a part of a backfill: pages for a while, each sent before the next is made."""
        begun_s = self._parts.clock.monotonic_s()
        made = False
        while self._parts.clock.monotonic_s() - begun_s < _TURN_S:
            of = await self._parts.configdb.run(find_running, opened.connection.id)
            if of is None:
                break
            await make_page(self._parts, app, opened, of)
            made = True
            if (await self._deliver(opened)).error:
                break
        return made
