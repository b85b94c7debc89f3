"""Make histories of calls for tests of a real store, inserted the way ingest inserts."""

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from headwater.eventstore import EventStore

_TOKENS = itertools.count(1)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of one call that people and rollups look at."""

    time: datetime
    app_id: str = "app_1"
    user_id: str = "ann"
    company_id: str = ""
    verb: str = "GET"
    route: str = "/items/:id"
    status: int = 200
    duration_ms: float = 12.5
    weight: int = 1
    blocked_by: str = ""
    client_name: str = ""
    client_version: str = ""
    ip_address: str = ""
    user_agent: str = ""
    request_bytes: int = 0
    response_bytes: int = 0
    log_offset: int = 1


async def insert_calls(store: EventStore, calls: Iterable[Call]) -> None:
    """Insert calls as one batch of their own."""
    token = f"calls-{next(_TOKENS)}"
    rows: list[dict[str, Any]] = [
        {**msgspec.structs.asdict(call), "call_id": f"{token}-{n}", "received_at": call.time}
        for n, call in enumerate(calls)
    ]
    table = pa.Table.from_pylist(rows)
    at = table.schema.get_field_index("time")
    times = table.column("time").cast(pa.timestamp("us", "UTC"))
    await store.insert("landing", table.set_column(at, "time", times), token=token)
