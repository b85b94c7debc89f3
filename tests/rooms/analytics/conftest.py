"""Analytics' own tests: a real store, filled through the real way of a call."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from headwater.analytics import QueryScope, answer
from headwater.base.clock import SetClock
from headwater.configdb import ConfigDb
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.model import Record
from tests.rooms.ingest.river import drain, make_worker
from tests.support.calls import encode_entry
from tests.support.configuration import configdb
from tests.support.store import store

__all__ = ["configdb", "store"]

NOW = datetime(2026, 11, 21, tzinfo=UTC)
Ask = Callable[..., Awaitable[dict[str, Any]]]
Populate = Callable[[Sequence[Record]], Awaitable[None]]


@pytest.fixture
def populate(store: EventStore, configdb: ConfigDb) -> Populate:
    """Send records down the river: log, ingest, store."""

    async def send(records: Sequence[Record]) -> None:
        log = MemoryLog()
        await log.append(Stream.CALLS, encode_entry(records))
        await drain(make_worker(log, store, configdb))

    return send


@pytest.fixture
def ask(store: EventStore) -> Ask:
    """Ask as the query API does; the answer as JSON."""

    async def question(
        kind: str, /, *, app_id: str = "app_1", zone: str = "UTC", **spec: Any
    ) -> dict[str, Any]:
        body = msgspec.json.encode({name.rstrip("_"): value for name, value in spec.items()})
        found = await answer(store, QueryScope(app_id, zone), kind, body, SetClock(NOW))
        decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
        return decoded

    return question
