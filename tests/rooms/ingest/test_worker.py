"""What the log holds is stored once, whatever is sent twice and whatever cannot be read."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa
import pytest

from headwater.base.clock import SystemClock
from headwater.base.errors import CorruptError, UnavailableError
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.ingest.worker import READER
from headwater.model import ProfileUpdate, Reject
from headwater.profiles import Profiles
from tests.rooms.ingest.river import drain, each_table_knows, make_worker, read_totals
from tests.support.calls import NOON, encode_entry, make_call, make_calls

_CALLS = Stream.CALLS


async def _append(log: MemoryLog, *entries: bytes) -> None:
    for entry in entries:
        await log.append(_CALLS, entry)


async def test_calls_arrive_in_every_table(store: EventStore, configdb: ConfigDb) -> None:
    """Ready for questions: route, client and host are filled in."""
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(30)), encode_entry([make_call("last")]))
    assert await drain(make_worker(log, store, configdb)) == 2
    assert await read_totals(store) == each_table_knows(31)
    [row] = await store.select(
        "SELECT route, host, client_name, log_offset FROM calls WHERE call_id = 'last'"
    )
    assert row == {
        "route": "/items/:id",
        "host": "api.example.com",
        "client_name": "stripe-python",
        "log_offset": 2,
    }


async def test_the_position_moves_on(store: EventStore, configdb: ConfigDb) -> None:
    """A second worker finds nothing left to do; new entries are found."""
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(3)))
    await drain(make_worker(log, store, configdb))
    assert await configdb.run(read_position, READER) == Position(2)
    again = make_worker(log, store, configdb)
    assert await drain(again) == 0
    await _append(log, encode_entry([make_call("new")]))
    assert await drain(again) == 1
    assert await read_totals(store) == each_table_knows(4)


async def test_a_worker_that_is_stopped_finishes_its_batch(
    store: EventStore, configdb: ConfigDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is stopped in: the next version finds no range half done."""
    log = MemoryLog()
    for stopped_at in ("ingest.pending", "ingest.inserted", "ingest.folded"):
        await _append(log, encode_entry([make_call(stopped_at)]))
        stop = asyncio.Event()
        monkeypatch.setattr(
            "headwater.ingest.worker.crash_point",
            lambda name, at=stopped_at, stop=stop: stop.set() if name == at else None,
        )
        running = asyncio.create_task(make_worker(log, store, configdb).run())
        await stop.wait()
        running.cancel()
        await asyncio.wait([running])
        position = await configdb.run(read_position, READER)
        assert position is not None
        assert position.pending is None
    assert await read_totals(store) == each_table_knows(3)


async def test_a_call_sent_twice_is_stored_once(store: EventStore, configdb: ConfigDb) -> None:
    """In one entry, in one batch, in another batch, from another process: the first wins."""
    log = MemoryLog()
    first, other = make_call("x", status=200), make_call("x", status=500)
    await _append(log, encode_entry([first, other]), encode_entry([other]))
    await drain(make_worker(log, store, configdb))
    await _append(log, encode_entry([other, make_call("y")]))
    await drain(make_worker(log, store, configdb))
    assert await read_totals(store) == each_table_knows(2)
    [row] = await store.select("SELECT status FROM calls WHERE call_id = 'x'")
    assert row["status"] == 200


async def test_the_same_id_in_another_app_is_another_call(
    store: EventStore, configdb: ConfigDb
) -> None:
    """Apps do not know of each other."""
    log = MemoryLog()
    await _append(log, encode_entry([make_call("x"), make_call("x", app_id="app_2")]))
    await drain(make_worker(log, store, configdb))
    [row] = await store.select("SELECT count() AS n FROM calls")
    assert row["n"] == 2


async def test_a_range_that_was_begun_is_done_again_with_the_same_token(
    store: EventStore, configdb: ConfigDb
) -> None:
    """As after a crash behind the insert: more has come meanwhile, yet the range stays the same."""
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(10)))
    await drain(make_worker(log, store, configdb))
    position = Position(1, (1, 1))
    await configdb.run(write_position, SystemClock(), READER, _CALLS, position)
    await _append(log, encode_entry([make_call("later")]))
    worker = make_worker(log, store, configdb)
    assert await worker.step() == 1
    assert await read_totals(store) == each_table_knows(10)
    assert await worker.step() == 1
    assert await read_totals(store) == each_table_knows(11)


async def test_a_range_is_written_down_before_its_first_attempt(
    store: EventStore, configdb: ConfigDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that ends behind the insert leaves its range to be done again, as it was."""
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(5)))
    with monkeypatch.context() as broken:
        broken.setattr(Profiles, "fold", _fail)
        with pytest.raises(UnavailableError):
            await make_worker(log, store, configdb).step()
    assert await configdb.run(read_position, READER) == Position(1, (1, 1))
    await _append(log, encode_entry([make_call("later")]))
    assert await drain(make_worker(log, store, configdb)) == 2
    assert await read_totals(store) == each_table_knows(6)


async def _fail(*_: object, **__: object) -> None:
    raise UnavailableError("the disk is full")


async def test_an_attempt_that_reached_only_some_tables_is_completed(
    store: EventStore, configdb: ConfigDb
) -> None:
    """An insert is not atomic over its tables: ids that this range stored itself are no repeats."""
    log = MemoryLog()
    calls = make_calls(10)
    await _append(log, encode_entry(calls))
    ids = [
        {"app_id": call.app_id, "call_id": call.call_id, "log_offset": 1, "day": NOON.date()}
        for call in calls
    ]
    await store.insert("call_ids", pa.Table.from_pylist(ids), token="as if by the view")
    await configdb.run(write_position, SystemClock(), READER, _CALLS, Position(1, (1, 1)))
    await drain(make_worker(log, store, configdb))
    totals = await read_totals(store)
    assert (totals["calls"], totals["counters"], totals["people_seen"]) == (10, 10, 10)


async def test_a_lost_position_stores_nothing_twice(store: EventStore, configdb: ConfigDb) -> None:
    """After an older backup of the configuration the same calls come in other ranges."""
    log = MemoryLog()
    await _append(log, *(encode_entry([call]) for call in make_calls(6)))
    await drain(make_worker(log, store, configdb))
    await configdb.run(write_position, SystemClock(), READER, _CALLS, Position(2))
    await drain(make_worker(log, store, configdb, batch_events=2))
    assert await read_totals(store) == each_table_knows(6)


async def test_batches_are_cut_by_events_and_bytes(store: EventStore, configdb: ConfigDb) -> None:
    """An entry is never split, and at least one is taken."""
    log = MemoryLog()
    await _append(log, *(encode_entry(make_calls(3, app_id=f"app_{n}")) for n in range(4)))
    by_events = make_worker(log, store, configdb, batch_events=5)
    assert [await by_events.step() for _ in range(3)] == [2, 2, 0]
    await _append(log, *(encode_entry(make_calls(3, app_id=f"app_{n}")) for n in range(4, 6)))
    by_bytes = make_worker(log, store, configdb, batch_bytes=10)
    assert [await by_bytes.step() for _ in range(3)] == [1, 1, 0]


async def test_a_line_that_cannot_be_read_is_set_aside(
    store: EventStore, configdb: ConfigDb
) -> None:
    """The stream goes on, and the reject is stored once even when the range is done again."""
    log = MemoryLog()
    reject = Reject(app_id="app_1", reject_id="r", received_at=NOON, kind="event", reason="why")
    await _append(log, encode_entry([make_call("a")]) + b"\n{broken\n" + encode_entry([reject]))
    await drain(make_worker(log, store, configdb))
    await configdb.run(write_position, SystemClock(), READER, _CALLS, Position(1, (1, 1)))
    await drain(make_worker(log, store, configdb))
    assert await read_totals(store) == each_table_knows(1)
    rows = await store.select("SELECT app_id, reason FROM rejects ORDER BY app_id")
    assert [row["app_id"] for row in rows] == ["", "app_1"]
    assert rows[0]["reason"].startswith("undecodable")


async def test_a_poison_call_is_quarantined_and_its_neighbours_are_stored(
    store: EventStore, configdb: ConfigDb
) -> None:
    """A time without a zone passes the decoder and stops the steps: it is found by bisection."""
    log = MemoryLog()
    poison = make_call("poison", time=NOON.replace(tzinfo=None))
    await _append(log, encode_entry([*make_calls(20), poison]))
    await _append(log, encode_entry([make_call("next")]))
    await drain(make_worker(log, store, configdb))
    assert await read_totals(store) == each_table_knows(21)
    [row] = await store.select("SELECT app_id, kind, reason, sample FROM rejects")
    assert (row["app_id"], row["kind"]) == ("app_1", "event")
    assert row["reason"].startswith("not storable")
    assert msgspec.json.decode(row["sample"])["call_id"] == "poison"


async def test_a_bug_of_ours_quarantines_nothing(
    store: EventStore, configdb: ConfigDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker stops with the error; once mended, the same range is stored."""
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(5)))
    with monkeypatch.context() as broken:
        broken.setattr("headwater.ingest.worker.to_call_lines", lambda _: b"no JSON")
        with pytest.raises(Exception, match="JSON"):
            await make_worker(log, store, configdb).step()
    assert await store.select("SELECT * FROM rejects") == []
    assert await drain(make_worker(log, store, configdb)) == 1
    assert await read_totals(store) == each_table_knows(5)


async def test_hostile_times_make_no_partitions(store: EventStore, configdb: ConfigDb) -> None:
    """They are stored under their arrival, flagged."""
    log = MemoryLog()
    times = [datetime(year, 1, 1, tzinfo=UTC) for year in (1, 1900, 1970, 2300, 9999)]
    calls = [make_call(f"c{n}", time=time) for n, time in enumerate(times)]
    await _append(log, encode_entry(calls))
    await drain(make_worker(log, store, configdb))
    rows = await store.select(
        "SELECT DISTINCT time, has(flags, 'time_out_of_range') AS f FROM calls"
    )
    assert rows == [{"time": NOON, "f": 1}]
    assert await read_totals(store) == each_table_knows(5)


async def test_five_years_in_one_batch(store: EventStore, configdb: ConfigDb) -> None:
    """An import of 12,000 calls over 60 months is one insert."""
    log = MemoryLog()
    start = datetime(2021, 1, 15, tzinfo=UTC)
    for part in range(4):
        numbers = range(part * 3_000, (part + 1) * 3_000)
        calls = [make_call(f"c{n}", time=start + timedelta(days=n % 1800)) for n in numbers]
        await _append(log, encode_entry(calls))
    assert await drain(make_worker(log, store, configdb)) == 4
    assert await read_totals(store) == each_table_knows(12_000)


async def test_profile_updates_reach_the_profiles(store: EventStore, configdb: ConfigDb) -> None:
    """Before the position moves on."""
    log = MemoryLog()
    update = ProfileUpdate(
        app_id="app_1",
        kind="user",
        id="user_1",
        update_id="u",
        time=NOON,
        received_at=NOON,
        fields=msgspec.Raw(b'{"metadata":{"name":"Ada Example"}}'),
    )
    await _append(log, encode_entry([update, make_call()]))
    await drain(make_worker(log, store, configdb))
    people = await Profiles(store).people("app_1", ["user_1"])
    assert people["user_1"].doc["metadata"]["name"] == "Ada Example"


async def test_an_entry_without_records_is_passed(store: EventStore, configdb: ConfigDb) -> None:
    """Nothing to store, and the position moves on."""
    log = MemoryLog()
    await _append(log, b"")
    assert await drain(make_worker(log, store, configdb)) == 1
    assert await read_totals(store) == each_table_knows(0)


async def test_the_number_of_routes_stays_limited_after_a_restart(
    store: EventStore, configdb: ConfigDb
) -> None:
    """The guard asks the store what it admitted before."""
    log = MemoryLog()
    for words in (["a", "b"], ["b", "c"]):
        calls = [make_call(f"{words}{word}", uri=f"/{word}") for word in words]
        await _append(log, encode_entry(calls))
        await drain(make_worker(log, store, configdb, max_routes=2))
    rows = await store.select("SELECT route, count() AS n FROM calls GROUP BY route ORDER BY route")
    assert [(row["route"], row["n"]) for row in rows] == [("/a", 1), ("/b", 2), ("/other", 1)]


async def _make_gap(log: MemoryLog) -> None:
    await _append(log, *(encode_entry([call]) for call in make_calls(4)))
    del log._streams[_CALLS].entries[2]


async def test_missing_entries_stop_the_worker(store: EventStore, configdb: ConfigDb) -> None:
    """A hole in the log is never passed over in silence."""
    log = MemoryLog()
    await _make_gap(log)
    worker = make_worker(log, store, configdb)
    with pytest.raises(CorruptError):
        await drain(worker)
    with pytest.raises(CorruptError):
        await worker.step()


async def test_missing_entries_are_passed_when_the_operator_says_so(
    store: EventStore, configdb: ConfigDb
) -> None:
    """Everything that is left is stored."""
    log = MemoryLog()
    await _make_gap(log)
    await drain(make_worker(log, store, configdb, skip_log_gaps=True))
    assert await read_totals(store) == each_table_knows(3)


async def test_a_log_that_lost_its_tail_stops_the_worker(
    store: EventStore, configdb: ConfigDb
) -> None:
    """New calls would get offsets, and so tokens, that were used before."""
    await configdb.run(write_position, SystemClock(), READER, _CALLS, Position(50))
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(3)))
    with pytest.raises(CorruptError):
        await make_worker(log, store, configdb, skip_log_gaps=True).step()


async def test_the_loop_waits_out_trouble(store: EventStore, configdb: ConfigDb) -> None:
    """While the log is away nothing is lost; the loop neither ends nor spins."""
    log = MemoryLog()
    await _append(log, encode_entry(make_calls(5)))
    log._closed = True
    task = asyncio.create_task(make_worker(log, store, configdb).run())
    await asyncio.sleep(0.3)
    assert not task.done()
    log._closed = False
    async with asyncio.timeout(20):
        while await read_totals(store) != each_table_knows(5):  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
