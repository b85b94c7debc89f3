"""A Tracking API with real parts: SQLite, a log in memory, group commit; called without a network.

In: requests as dictionaries. Out: statuses, bodies and what the log holds.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from headwater.base.clock import Clock, SystemClock
from headwater.base.settings import TrackingSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.eventlog import EventLog, GroupCommit, MemoryLog, Stream, split_records
from headwater.model import Message
from headwater.sources import Source, add_source
from headwater.tracking import TrackingApp


@dataclass
class Answer:
    """What the door answered."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


class Door:
    """The application and everything behind it."""

    def __init__(
        self,
        configdb: ConfigDb,
        log: EventLog | None = None,
        clock: Clock | None = None,
        settings: TrackingSettings | None = None,
        public_url: str = "",
    ) -> None:
        self.configdb = configdb
        self.log = log or MemoryLog()
        self.clock = clock or SystemClock()
        self.group = GroupCommit(self.log, Stream.MESSAGES)
        self.app = TrackingApp(
            self.group,
            self.log,
            configdb,
            Vault(b"k" * 32),
            self.clock,
            settings or TrackingSettings(),
            public_url,
        )

    def add_source(self, name: str = "Shop") -> Source:
        with self.configdb.transaction() as connection:
            return add_source(connection, self.clock, "http-api", name)

    async def call(
        self,
        path: str,
        body: object,
        key: str = "",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Answer:
        """Send one request; bytes go as they are, None never arrives, all else goes as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = dict(headers or {})
        if key:
            sent["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        scope = {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "scheme": "http",
            "headers": [(n.lower().encode(), v.encode()) for n, v in sent.items()],
            "client": ("198.51.100.9", 5),
        }
        parts: list[Any] = []

        async def receive() -> dict[str, Any]:
            if body is None:
                await asyncio.sleep(60)
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(event: Any) -> None:
            parts.append(event)

        await self.app(scope, receive, send)
        head = {n.decode(): v.decode() for n, v in parts[0]["headers"]}
        return Answer(parts[0]["status"], head, b"".join(p.get("body", b"") for p in parts[1:]))

    async def messages(self) -> list[Message]:
        """Return everything that the log holds."""
        return await read_messages(self.log)

    async def close(self) -> None:
        await self.group.close()
        await self.app.close()


async def read_messages(log: EventLog) -> list[Message]:
    """Return every message of the log, in order."""
    entries = await log.read(
        Stream.MESSAGES, 1, max_entries=100_000, max_bytes=1_000_000_000, wait_s=0.05
    )
    records = [record for entry in entries for record in split_records(entry.data)]
    return [msgspec.json.decode(record, type=Message) for record in records]
