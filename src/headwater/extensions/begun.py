"""Keep runs going that somebody began without waiting for their end.

In: a connection's id and what to do. Out: nothing; the history of runs says how it went. At most
one for each connection; all end with the server.
"""

import asyncio
from collections.abc import Awaitable, Callable

from headwater.base.errors import HeadwaterError
from headwater.base.telemetry import get_logger

_logger = get_logger("extensions")


class Begun:
    """The runs that were begun and are not over."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, connection_id: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work beside everything else, unless work of this connection is on its way."""
        if connection_id not in self._tasks:
            task = asyncio.create_task(_do(connection_id, work))
            self._tasks[connection_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(connection_id))

    async def stop(self) -> None:
        """End what is on its way, and wait until it has ended."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _do(connection_id: str, work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except HeadwaterError as err:
        _logger.warning("sync_failed", connection_id=connection_id, reason=err.message)
