"""Federation with real parts: SQLite, a log in memory, webhooks on the loopback.

In: destinations and messages. Out: what becomes of them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.settings import FederationSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import Changes, Instance, add_destination, change_destination
from headwater.eventlog import EventLog, MemoryLog, Stream
from headwater.federation import DeliveryStatus, FederationWorkers
from headwater.model import Message
from headwater.sources import add_source
from tests.support.messages import a_message

QUICK = FederationSettings(
    timeout_s=0.5, retry_first_s=0.05, retry_cap_s=0.1, pause_cap_s=0.2, poll_s=0.02
)


class Federation:
    """One source, its destinations, and the worker."""

    def __init__(
        self,
        configdb: ConfigDb,
        vault: Vault,
        log: EventLog | None = None,
        settings: FederationSettings = QUICK,
    ) -> None:
        self.configdb = configdb
        self.vault = vault
        self.log = log or MemoryLog()
        self.clock = SystemClock()
        self.egress = Egress("127.0.0.0/8")
        self.workers = FederationWorkers(
            configdb, self.log, vault, self.egress, self.clock, settings
        )
        with configdb.transaction() as connection:
            self.source = add_source(connection, self.clock, "http-api", "Shop")

    def connect(self, url: str, **values: str) -> Instance:
        """Add a webhook."""
        with self.configdb.transaction() as connection:
            instance, _ = add_destination(
                connection,
                self.vault,
                self.clock,
                self.egress,
                source_id=self.source.id,
                kind="webhook",
                values={"url": url, **values},
            )
        return instance

    async def keep_order(self, instance: Instance) -> None:
        """Let a destination keep the order of each user's messages."""
        changes = Changes(keeps_order=True)
        await self.configdb.run(change_destination, self.vault, self.egress, instance.id, changes)

    async def receive(self, *message_ids: str, **body: object) -> None:
        """Append messages of the source to the log, in one entry."""
        now = self.clock.now()
        messages = [
            a_message(one, source_id=self.source.id, received_at=now, **body) for one in message_ids
        ]
        await self.append(messages)

    async def append(self, messages: list[Message]) -> None:
        data = b"\n".join(msgspec.json.encode(message) for message in messages)
        await self.log.append(Stream.MESSAGES, data)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run the worker for the length of a block."""
        task = asyncio.create_task(self.workers.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(
        self, instance: Instance, is_so: Callable[[DeliveryStatus], bool], within_s: float = 10
    ) -> DeliveryStatus:
        """Wait for a state of a destination; return it."""
        return await wait_for(lambda: self.workers.status(instance.id), is_so, within_s)

    async def close(self) -> None:
        await self.egress.close()


async def wait_for(
    ask: Callable[[], Awaitable[DeliveryStatus]],
    is_so: Callable[[DeliveryStatus], bool],
    within_s: float,
) -> DeliveryStatus:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    while True:
        status = await ask()
        if is_so(status):
            return status
        assert loop.time() < end_s, f"still {status} after {within_s} s"
        await asyncio.sleep(0.02)
