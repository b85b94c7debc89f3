"""Actions are stored once and make people seen, whatever is repeated; they are never calls."""

from datetime import timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from headwater.base.clock import SystemClock
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.ingest.worker import READER
from headwater.profiles import Profiles
from tests.rooms.ingest.river import drain, make_worker
from tests.support.actions import make_action
from tests.support.calls import NOON, encode_entry, make_call


async def _send(log: MemoryLog, *records: Any) -> None:
    await log.append(Stream.CALLS, encode_entry(records))


async def _count(store: EventStore, table: str) -> int:
    return int((await store.select(f"SELECT count() AS n FROM {table}"))[0]["n"])


async def test_an_action_is_stored_with_its_client(store: EventStore, configdb: ConfigDb) -> None:
    """Ready for questions; the documents are kept as they came."""
    log = MemoryLog()
    await _send(log, make_action(extra=msgspec.Raw(b'{"novel": [1]}')))
    await drain(make_worker(log, store, configdb))
    [row] = await store.select(
        "SELECT action_name, client_name, client_kind, metadata, extra, log_offset, time"
        " FROM actions"
    )
    assert (row["action_name"], row["client_name"], row["client_kind"]) == (
        "Created Key", "Firefox", "browser",
    )  # fmt: skip
    assert (row["metadata"], row["extra"]) == ('{"plan": "trial"}', '{"novel": [1]}')
    assert (row["log_offset"], row["time"]) == (1, NOON)


async def test_an_action_makes_its_user_seen_but_is_no_call(
    store: EventStore, configdb: ConfigDb
) -> None:
    """First and last seen, address and company; not the number of calls, nor the first success."""
    log = MemoryLog()
    before, after = NOON - timedelta(hours=2), NOON + timedelta(seconds=30)
    await _send(
        log, make_action("a", time=before), make_call("c"), make_action("b", time=after),
        make_action("d", user_id="visitor_9", company_id=""),
    )  # fmt: skip
    await drain(make_worker(log, store, configdb))
    people = await Profiles(store).people("app_1", ["user_1", "visitor_9"])
    ana, other = people["user_1"], people["visitor_9"]
    assert (ana.first_seen_at, ana.last_seen_at) == (before, after)
    assert (ana.first_success_at, ana.last_ip) == (NOON, "192.0.2.9")
    assert (other.first_success_at, other.company_id) == (None, "")
    [seen] = await store.select("SELECT sum(calls) AS n FROM people_seen")
    assert seen["n"] == 1
    company = (await Profiles(store).companies("app_1", ["company_1"]))["company_1"]
    assert (company.first_seen_at, company.last_seen_at) == (before, after)
    assert await _count(store, "calls") == 1
    touched = await Profiles(store).touched_users("app_1", after=0, active=None, above="", limit=9)
    assert touched == ["user_1", "visitor_9"]


async def test_an_action_sent_twice_is_stored_once(store: EventStore, configdb: ConfigDb) -> None:
    """In one entry, in another batch, from another process; another app's is another action."""
    log = MemoryLog()
    await _send(log, make_action("x"), make_action("x", action_name="other"))
    await drain(make_worker(log, store, configdb))
    await _send(log, make_action("x"), make_action("y"), make_action("x", app_id="app_2"))
    await drain(make_worker(log, store, configdb))
    rows = await store.select("SELECT app_id, action_id, action_name FROM actions ORDER BY ALL")
    assert [(row["app_id"], row["action_id"]) for row in rows] == [
        ("app_1", "x"), ("app_1", "y"), ("app_2", "x"),
    ]  # fmt: skip
    assert rows[0]["action_name"] == "Created Key"


async def test_a_call_and_an_action_may_share_an_id(store: EventStore, configdb: ConfigDb) -> None:
    """They are told apart by what they are."""
    log = MemoryLog()
    await _send(log, make_action("same"), make_call("same"))
    await drain(make_worker(log, store, configdb))
    assert (await _count(store, "actions"), await _count(store, "calls")) == (1, 1)


async def test_a_range_that_was_begun_is_done_again_and_repeats_nothing(
    store: EventStore, configdb: ConfigDb
) -> None:
    """As after a crash behind the insert."""
    log = MemoryLog()
    await _send(log, make_action("a"), make_action("b"), make_call("c"))
    await drain(make_worker(log, store, configdb))
    await configdb.run(write_position, SystemClock(), READER, Stream.CALLS, Position(1, (1, 1)))
    await drain(make_worker(log, store, configdb))
    assert (await _count(store, "actions"), await _count(store, "action_ids")) == (2, 2)
    assert await configdb.run(read_position, READER) == Position(2)


async def test_an_attempt_that_reached_only_some_tables_is_completed(
    store: EventStore, configdb: ConfigDb
) -> None:
    """An insert is not atomic over its tables: ids that this range stored itself are no repeats."""
    log = MemoryLog()
    await _send(log, make_action("a"))
    ids = [{"app_id": "app_1", "action_id": "a", "log_offset": 1, "day": NOON.date()}]
    await store.insert("action_ids", pa.Table.from_pylist(ids), token="as if by the view")
    await configdb.run(write_position, SystemClock(), READER, Stream.CALLS, Position(1, (1, 1)))
    await drain(make_worker(log, store, configdb))
    assert (await _count(store, "actions"), await _count(store, "people_seen")) == (1, 1)


@pytest.mark.parametrize(
    ("age", "flags"),
    [
        (timedelta(seconds=1), []),
        (timedelta(days=2), ["late"]),
        (timedelta(minutes=-5), ["future"]),
        (timedelta(days=-400), ["future", "time_out_of_range"]),
        (timedelta(days=40 * 365), ["time_out_of_range"]),
    ],
    ids=str,
)
async def test_odd_times_are_flagged(
    store: EventStore, configdb: ConfigDb, age: timedelta, flags: list[str]
) -> None:
    """What cannot be true gives way to the arrival, as for calls; what was flagged stays so."""
    log = MemoryLog()
    await _send(log, make_action(time=NOON - age, flags=("x",)))
    await drain(make_worker(log, store, configdb))
    [row] = await store.select("SELECT time, flags FROM actions")
    assert row["flags"] == ["x", *flags]
    assert row["time"] == (NOON if "time_out_of_range" in flags else NOON - age)


async def test_a_time_without_a_zone_costs_only_its_action(
    store: EventStore, configdb: ConfigDb
) -> None:
    """It is set aside whole, and its neighbours are stored."""
    log = MemoryLog()
    await _send(log, make_action("poison", time=NOON.replace(tzinfo=None)), make_action("b"))
    await drain(make_worker(log, store, configdb))
    assert await _count(store, "actions") == 1
    [reject] = await store.select("SELECT sample FROM rejects")
    assert msgspec.json.decode(reject["sample"])["action_id"] == "poison"
