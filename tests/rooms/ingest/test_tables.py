"""Tables of calls are stored once, beside single calls and after trouble, with their companies."""

from datetime import UTC, datetime

import msgspec
import pytest

from headwater.base.clock import SystemClock
from headwater.base.errors import UnavailableError
from headwater.collector.imports import Plan
from headwater.configdb import ConfigDb, Position, write_position
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.ingest.bulk import Bulk
from headwater.ingest.tables import to_calls
from headwater.ingest.worker import READER
from headwater.model import CallTable
from tests.rooms.ingest.river import drain, make_worker, read_totals
from tests.support.calls import NOON, encode_entry, make_call

LINES = [
    b'203.0.113.7 - ana [20/May/2026:12:05:%02d +0000] "GET /items/%d HTTP/1.1" 200 5 "-" "curl/8"'
    % (n, n)
    for n in range(40)
]


def make_table(lines: list[bytes]) -> CallTable:
    """Return the record of lines."""
    bulk = Plan("combined", by_column=True).read(lines).bulk
    assert bulk is not None
    return CallTable(
        rows=len(lines), app_id="app_1", received_at=NOON, sdk="import", columns=bulk.columns
    )


async def test_a_table_is_stored_once(store: EventStore, configdb: ConfigDb) -> None:
    """Beside a single call with an id of its own, sent again, and in a range done again."""
    log, clock = MemoryLog(), SystemClock()
    table = make_table(LINES)
    [single, *_] = to_calls([(1, table)])
    await log.append(Stream.CALLS, bytes(single.line))
    await log.append(Stream.CALLS, msgspec.json.encode(table))
    await log.append(Stream.CALLS, msgspec.json.encode(table))
    await drain(make_worker(log, store, configdb))
    first = await read_totals(store)
    assert first["calls"] == len(LINES)
    await configdb.run(write_position, clock, READER, Stream.CALLS, Position(1, (1, 3)))
    await drain(make_worker(log, store, configdb))
    assert await read_totals(store) == first
    rows = await store.select("SELECT DISTINCT route, client_name, user_id FROM calls")
    assert rows == [{"route": "/items/:id", "client_name": "curl", "user_id": "ana"}]


async def _fail(*_: object, **__: object) -> None:
    raise UnavailableError("The store went away.")


async def test_trouble_between_a_call_and_its_table_doubles_nothing(
    store: EventStore, configdb: ConfigDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is stored, the table is not, and both have one id."""
    log = MemoryLog()
    table = make_table(LINES)
    [single, *_] = to_calls([(1, table)])
    await log.append(Stream.CALLS, bytes(single.line))
    await log.append(Stream.CALLS, msgspec.json.encode(table))
    with monkeypatch.context() as patch:
        patch.setattr(Bulk, "insert", _fail)
        with pytest.raises(UnavailableError):
            await make_worker(log, store, configdb).step()
    await drain(make_worker(log, store, configdb))
    assert (await read_totals(store))["calls"] == len(LINES)


async def test_users_of_tables_have_their_companies(store: EventStore, configdb: ConfigDb) -> None:
    """As those of single calls, by the moment of each row."""
    log = MemoryLog()
    links = [
        make_call("a", user_id="ana", company_id="first", time=datetime(2026, 5, 1, tzinfo=UTC)),
        make_call(
            "b", user_id="ana", company_id="second",
            time=datetime(2026, 5, 20, 12, 5, 30, tzinfo=UTC),
        ),
    ]  # fmt: skip
    await log.append(Stream.CALLS, encode_entry(links))
    await log.append(Stream.CALLS, msgspec.json.encode(make_table(LINES)))
    await drain(make_worker(log, store, configdb))
    rows = await store.select(
        "SELECT company_id, company_by, count() AS n FROM calls WHERE log_offset = 2"
        " GROUP BY ALL ORDER BY n"
    )
    assert rows == [
        {"company_id": "second", "company_by": "user", "n": 10},
        {"company_id": "first", "company_by": "user", "n": 30},
    ]
