"""The store keeps each row once, answers in UTC, and refuses what reading must not do."""

import asyncio
import os
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.eventstore.handles import Handles
from headwater.model import ApiCall
from tests.support.calls import NOON, call_lines, make_call, make_calls

_TOTALS = {
    "calls": "SELECT count() AS n FROM calls",
    "bodies": "SELECT count() AS n FROM bodies",
    "call_ids": "SELECT count() AS n FROM call_ids",
    "counters": "SELECT sum(events) AS n FROM counters",
    "activity": "SELECT sum(calls) AS n FROM activity",
    "people_seen": "SELECT sum(calls) AS n FROM people_seen",
    "companies_seen": "SELECT sum(calls) AS n FROM companies_seen",
}


async def _totals(store: EventStore) -> dict[str, int]:
    return {name: (await store.select(sql))[0]["n"] for name, sql in _TOTALS.items()}


async def _insert(store: EventStore, calls: list[ApiCall], token: str, offset: int = 1) -> None:
    await store.insert_lines("landing", call_lines(calls, offset), token=token)


async def test_a_repeated_insert_adds_nothing_anywhere(store: EventStore) -> None:
    """The same token twice: one row in the table and in every view's total."""
    for _ in range(2):
        await _insert(store, make_calls(50), "calls:1-1")
    assert await _totals(store) == dict.fromkeys(_TOTALS, 50)


async def test_inserts_leave_no_files_outside_of_the_data(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed process leaves behind must not lie in a folder that everybody shares."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is no such folder"))
    await _insert(store, make_calls(5), "o'clock\\")
    assert await _totals(store) == dict.fromkeys(_TOTALS, 5)


async def test_another_token_is_another_insert(store: EventStore) -> None:
    """The token alone decides: this is what the test above would miss without it."""
    await _insert(store, make_calls(50), "calls:1-1")
    await _insert(store, make_calls(50), "calls:2-2")
    assert await _totals(store) == dict.fromkeys(_TOTALS, 100)


async def test_a_token_is_known_after_a_restart(tmp_path: Path) -> None:
    """The retry of a batch may come from the next process."""
    for _ in range(2):
        with closing(EventStore.open(EventStoreSettings(), tmp_path)) as store:
            await _insert(store, make_calls(50), "calls:1-1")
            assert await _totals(store) == dict.fromkeys(_TOTALS, 50)


async def test_a_batch_over_many_months_is_stored_whole_and_once(store: EventStore) -> None:
    """An import of 60 months is 60 partitions in one insert."""
    calls = [
        make_call(
            f"call_{n}", time=datetime(2021, 1, 15, tzinfo=UTC) + timedelta(days=31 * (n % 60))
        )
        for n in range(12_000)
    ]
    for _ in range(2):
        await _insert(store, calls, "calls:1-1")
    assert await _totals(store) == dict.fromkeys(_TOTALS, 12_000)
    [months] = await store.select("SELECT uniqExact(toYYYYMM(time)) AS n FROM calls")
    assert months["n"] >= 59


async def test_weights_count_and_rows_do_not(store: EventStore) -> None:
    """A sampled call stands for as many as its weight."""
    await _insert(store, make_calls(3, weight=10, status=503, blocked_by="quota"), "t")
    [row] = await store.select(
        "SELECT sum(calls) AS calls, sum(events) AS events, sum(errors) AS errors,"
        " sum(blocked) AS blocked, sum(duration_ms_sum) AS duration FROM counters"
    )
    assert row == {"calls": 30, "events": 3, "errors": 30, "blocked": 30, "duration": 375.0}


async def test_first_and_last_do_not_depend_on_the_order(store: EventStore) -> None:
    """Newest value of those that have one; first success apart from first seen."""
    old = make_call("a", time=NOON - timedelta(days=2), status=401, ip_address="192.0.2.9")
    middle = make_call("b", time=NOON - timedelta(days=1), ip_address="192.0.2.5")
    new = make_call("c", time=NOON, status=500, ip_address="", request_headers={})
    for number, call in enumerate([new, old, middle]):
        await _insert(store, [call], f"t{number}", offset=10 - number)
    [person] = await store.select(
        "SELECT min(first_seen_at) AS first, max(last_seen_at) AS last,"
        " min(first_success_at) AS success, max(last_ip).value AS ip,"
        " max(last_user_agent).value AS agent, max(last_call).call_id AS call,"
        " max(last_offset) AS last_offset"
        " FROM people_seen WHERE app_id = 'app_1' AND user_id = 'user_1'"
    )
    assert person == {
        "first": old.time,
        "last": new.time,
        "success": middle.time,
        "ip": "192.0.2.5",
        "agent": "stripe-python/5.0.1",
        "call": "c",
        "last_offset": 10,
    }


async def test_times_come_back_in_utc_and_values_as_they_went(store: EventStore) -> None:
    """Bound parameters are data, whatever they contain."""
    nasty = ["'; DROP TABLE calls; --", "{x:String}", "\\", "日本\n\t\0", "%(x)s"]
    [row] = await store.select(
        "SELECT {at:DateTime64(6, 'UTC')} AS at, toDateTime({at:DateTime64(6, 'UTC')}, 'UTC') AS s,"
        " {nasty:Array(String)} AS nasty, {one:String} AS one",
        {"at": NOON + timedelta(microseconds=7), "nasty": nasty, "one": nasty[0]},
    )
    assert row["at"] == NOON + timedelta(microseconds=7)
    assert (row["s"], row["s"].tzinfo) == (NOON, UTC)
    assert (row["nasty"], row["one"]) == (nasty, nasty[0])


async def test_arrow_answers_carry_the_same_rows(store: EventStore) -> None:
    """For large answers."""
    await _insert(store, make_calls(3), "t")
    table = await store.select_arrow(
        "SELECT call_id, time FROM calls WHERE app_id = {app:String} ORDER BY call_id",
        {"app": "app_1"},
    )
    assert table.to_pylist()[0] == {"call_id": "call_0", "time": NOON}


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "INSERT INTO schema_versions (version, name) VALUES (9, 'x')",
        "SET max_memory_usage = 0",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
    ],
)
async def test_reading_changes_nothing(store: EventStore, sql: str) -> None:
    """A reading handle refuses to write, to loosen its limits, and to read elsewhere."""
    with pytest.raises(DatabaseError):
        await store.select(sql)


async def test_a_slow_question_is_ended(tmp_path: Path) -> None:
    """And the next one is answered."""
    with closing(EventStore.open(EventStoreSettings(query_timeout_s=1), tmp_path)) as store:
        with pytest.raises(UnavailableError):
            await store.select("SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1")
        await store.check()


async def test_a_greedy_question_leaves_the_store_alive(tmp_path: Path) -> None:
    """Over its memory limit it fails alone."""
    with closing(
        EventStore.open(EventStoreSettings(max_memory_bytes=400_000_000), tmp_path)
    ) as store:
        with pytest.raises(UnavailableError):
            await store.select("SELECT length(groupArray(number)) AS n FROM numbers(100000000)")
        await store.check()


async def test_questions_run_side_by_side(store: EventStore) -> None:
    """A handle serves one call at a time, so there are several."""
    answers = await asyncio.gather(
        *(store.select("SELECT {n:UInt32} AS n", {"n": n}) for n in range(20))
    )
    assert [rows[0]["n"] for rows in answers] == list(range(20))


async def test_a_closed_store_says_so_and_frees_its_path(tmp_path: Path) -> None:
    """Another path can be opened in the same process afterwards."""
    first = EventStore.open(EventStoreSettings(), tmp_path / "a")
    await first.check()
    first.close()
    with pytest.raises(UnavailableError):
        await first.check()
    second = EventStore.open(EventStoreSettings(), tmp_path / "b")
    await second.check()
    second.close()


async def test_a_forked_child_is_turned_away(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first question would hang for ever; it fails at once instead."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(MisconfiguredError, match="forked"):
        await store.check()


async def test_an_empty_table_may_be_inserted(store: EventStore) -> None:
    """It checks the columns and stores nothing."""
    await store.insert_lines("landing", b"", token="t")
    with pytest.raises(DatabaseError):
        await store.insert("landing_trial", pa.table({"nonsense": ["x"]}), token="t")
    assert await _totals(store) == dict.fromkeys(_TOTALS, 0)


def test_handles_are_closed_even_when_never_used() -> None:
    """A pool that opened nothing has nothing to let go of."""
    pool = Handles(lambda: pytest.fail("opened"), threads=1, name="unused")
    pool.close()
