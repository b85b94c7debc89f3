"""Keep threads that own one engine handle each, and send work to them.

In: functions that take a handle. Out: what they return. A chDB handle serves one call at a time and
must not cross a fork, so handles never leave their thread and a forked child is turned away at once
instead of hanging.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clickhouse_connect.driver.client import Client

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.eventstore.engine_errors import engine_errors

T = TypeVar("T")


class Handles:
    """A small pool of threads with handles; they are opened when first needed."""

    def __init__(self, open_handle: Callable[[], Client], *, threads: int, name: str) -> None:
        self._open_handle = open_handle
        self._own = threading.local()
        self._opened: list[Client] = []
        self._pid = os.getpid()
        self._closed = False
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[Client], T]) -> T:
        """Call `work(handle)` on one of the threads."""
        if os.getpid() != self._pid:
            raise MisconfiguredError(
                "The event store was opened before this process was forked off.",
                hint="Start processes with spawn, and let one of them own the store.",
            )
        if self._closed:
            raise UnavailableError("The event store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._call, work)

    def _call(self, work: Callable[[Client], T]) -> T:
        client: Client | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = self._open_handle()
            self._opened.append(client)
        with engine_errors():
            return work(client)

    def close(self) -> None:
        """Wait for running work and let go of every handle."""
        self._closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)
        while self._opened:
            self._opened.pop().close()
