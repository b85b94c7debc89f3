"""Each warehouse keeps its place in the log, fails alone and tells its history."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from headwater.base import crash
from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from headwater.configdb import Position, read_position, write_position
from headwater.eventlog import Stream
from headwater.warehouse.batch import take_entries
from tests.rooms.warehouse.support import (
    LOADED_AT,
    SCHEMA,
    House,
    a_message,
    an_identify,
)

NewHouse = Callable[..., House]


async def _add(house: House, **settings: str) -> str:
    return (await house.warehouses.add(type_="duckdb", settings=settings)).id


async def test_a_new_warehouse_gets_all_that_the_log_holds(house: House) -> None:
    """Messages from before it was added are loaded too; a second sync adds nothing."""
    await house.send(an_identify("m1", "ann", LOADED_AT, plan="a"))
    warehouse_id = await _add(house)
    await house.send(an_identify("m2", "bob", LOADED_AT, plan="b"))
    sync = await house.warehouses.sync(warehouse_id)
    assert sync.state == "success"
    assert sync.rows == {f"{SCHEMA}.identifies": 2, f"{SCHEMA}.users": 2}
    assert (sync.first_offset, sync.last_offset) == (1, 2)
    again = await house.warehouses.sync(warehouse_id)
    assert (again.state, again.rows) == ("success", {})
    assert len(house.file.table("identifies")) == 2
    assert [past.id for past in await house.warehouses.history(warehouse_id)] == [again.id, sync.id]


async def test_the_log_is_held_back_until_the_first_sync(house: House) -> None:
    """A warehouse has its place from the moment it is added."""
    warehouse_id = await _add(house)
    place = await house.configdb.run(read_position, f"warehouse:{warehouse_id}")
    assert place == Position(next_offset=0)


async def test_a_trimmed_log_is_read_from_where_it_begins(house: House) -> None:
    """What the log has forgotten before the warehouse came stops nobody."""
    for number in range(3):
        await house.send(an_identify(f"m{number}", "ann", LOADED_AT, plan="a"))
    await house.log.trim(Stream.MESSAGES, 3)
    sync = await house.warehouses.sync(await _add(house))
    assert (sync.first_offset, sync.rows[f"{SCHEMA}.identifies"]) == (3, 1)


async def test_a_long_backlog_goes_in_batches(new_house: NewHouse) -> None:
    """No batch holds more messages than it should, and none is left out."""
    house = new_house(batch_messages=2)
    for number in range(5):
        await house.send(an_identify(f"m{number}", f"u{number}", LOADED_AT, plan="a"))
    batch = await take_entries(house.log, 1, 5, max_messages=2)
    assert [entry.offset for entry in batch] == [1, 2]
    sync = await house.warehouses.sync(await _add(house))
    assert sync.rows[f"{SCHEMA}.identifies"] == 5
    assert len(house.file.table("users")) == 5


async def test_a_range_once_begun_is_repeated_as_it_was(new_house: NewHouse) -> None:
    """After a crash the pending entries are loaded first, as one batch, then the rest."""
    house = new_house(batch_messages=1)
    for number in range(4):
        await house.send(an_identify(f"m{number}", f"u{number}", LOADED_AT, plan="a"))
    warehouse_id = await _add(house)
    await house.configdb.run(
        write_position,
        house.clock,
        f"warehouse:{warehouse_id}",
        Stream.MESSAGES,
        Position(1, (1, 3)),
    )
    sync = await house.warehouses.sync(warehouse_id)
    assert sync.rows[f"{SCHEMA}.identifies"] == 4
    place = await house.configdb.run(read_position, f"warehouse:{warehouse_id}")
    assert place == Position(next_offset=5)


async def test_a_message_may_stay_out_of_warehouses(house: House) -> None:
    """`integrations.Warehouses` is honoured, `All: false` is not about warehouses."""
    body = {"type": "identify", "userId": "ann", "traits": {}}
    await house.send(
        a_message({**body, "messageId": "1", "integrations": {"Warehouses": {"all": False}}}),
        a_message({**body, "messageId": "2", "integrations": {"All": False}}),
    )
    await house.warehouses.sync(await _add(house))
    assert [row["id"] for row in house.file.table("identifies")] == ["2"]


async def test_a_warehouse_of_one_source_gets_its_messages_only(
    house: House, tmp_path: Path
) -> None:
    """And a message of a source that is gone is counted, not loaded."""
    stranger = an_identify("m1", "ann", LOADED_AT)
    await house.log.append(Stream.MESSAGES, msgspec.json.encode(stranger))
    mine = await house.warehouses.add(type_="duckdb", settings={}, source=house.source.slug)
    sync = await house.warehouses.sync(mine.id)
    assert (sync.state, sync.rows) == ("success", {})
    everyones = await _add(house, path=str(tmp_path / "other.duckdb"))
    sync = await house.warehouses.sync(everyones)
    assert sync.state == "partial"
    assert sync.notices == [{"code": "unknown_source", "table": "src", "column": "", "count": 1}]


async def test_a_lossy_sync_is_partial_and_says_what_was_lost(house: House) -> None:
    """A record that cannot be read and a value that does not fit are counted; the rest is in."""
    warehouse_id = await _add(house)
    await house.send(an_identify("m1", "ann", LOADED_AT, seats=1))
    await house.warehouses.sync(warehouse_id)
    await house.send(an_identify("m2", "ann", LOADED_AT, seats="many"))
    await house.log.append(Stream.MESSAGES, b'{"torn": ')
    sync = await house.warehouses.sync(warehouse_id)
    assert sync.state == "partial"
    assert {notice["code"]: notice["count"] for notice in sync.notices} == {
        "unreadable": 1,
        "discarded": 1,
    }
    assert sync.rows[f"{SCHEMA}._discards"] == 1
    assert len(house.file.table("identifies")) == 2


async def test_a_failing_warehouse_keeps_its_place_and_comes_back(
    house: House, tmp_path: Path
) -> None:
    """It waits, it is tried again, and then has everything; another one goes on meanwhile."""
    sick = await _add(house)
    healthy = await _add(house, path=str(tmp_path / "other.duckdb"))
    await house.send(an_identify("m1", "ann", LOADED_AT, plan="a"))
    house.file.path.unlink()
    house.file.path.mkdir()
    assert await house.warehouses.step() == 1
    (failed,) = await house.warehouses.history(sick)
    assert (failed.state, failed.rows) == ("failure", {})
    assert "did not take the load" in failed.notices[0]["message"]
    assert [sync.state for sync in await house.warehouses.history(healthy)] == ["success"]
    house.file.path.rmdir()
    assert await house.warehouses.step() == 0
    house.wait(seconds=6)
    assert await house.warehouses.step() == 1
    assert len(house.file.table("identifies")) == 1


async def test_a_sync_by_hand_raises_what_went_wrong(house: House) -> None:
    """The one who asks learns why."""
    warehouse_id = await _add(house)
    await house.send(an_identify("m1", "ann", LOADED_AT, plan="a"))
    house.file.path.unlink()
    house.file.path.mkdir()
    with pytest.raises(UnavailableError):
        await house.warehouses.sync(warehouse_id)


async def test_the_schedule_waits_its_time_and_for_something_to_do(new_house: NewHouse) -> None:
    """Nothing new, no sync; new messages within the interval wait for it."""
    house = new_house(sync_every_s=300)
    await _add(house)
    assert await house.warehouses.step() == 0
    await house.send(an_identify("m1", "ann", LOADED_AT))
    assert await house.warehouses.step() == 1
    await house.send(an_identify("m2", "ann", LOADED_AT))
    assert await house.warehouses.step() == 0
    house.wait(seconds=301)
    assert await house.warehouses.step() == 1


async def test_two_syncs_of_one_warehouse_follow_each_other(house: House) -> None:
    """The second begins where the first ended."""
    warehouse_id = await _add(house)
    await house.send(an_identify("m1", "ann", LOADED_AT, plan="a"))
    both = await asyncio.gather(*(house.warehouses.sync(warehouse_id) for _ in range(2)))
    assert sorted(sync.rows.get(f"{SCHEMA}.identifies", 0) for sync in both) == [0, 1]


async def test_a_cancelled_sync_finishes_its_load_and_is_repeated(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread goes on behind the scenes; the history says that it was interrupted."""
    warehouse_id = await _add(house)
    await house.send(an_identify("m1", "ann", LOADED_AT, plan="a"))
    task = asyncio.create_task(house.warehouses.sync(warehouse_id))
    at_the_point = SimpleNamespace(_exit=lambda _code: task.cancel())
    monkeypatch.setattr(crash, "os", at_the_point)
    monkeypatch.setattr(crash, "_WANTED", "warehouse.batch_begun")
    monkeypatch.setattr(crash, "_left", 1)
    with pytest.raises(asyncio.CancelledError):
        await task
    house.wait(seconds=1)
    sync = await house.warehouses.sync(warehouse_id)
    assert sync.rows[f"{SCHEMA}.identifies"] == 1
    states = [past.state for past in await house.warehouses.history(warehouse_id)]
    assert states == ["success", "failure"]
    assert len(house.file.table("identifies")) == 1


async def test_settings_are_checked_when_a_warehouse_is_added(house: House, tmp_path: Path) -> None:
    """Unknown types and settings, a missing directory, and the same file twice are refused."""
    for type_, settings in (
        ("oracle", {}),
        ("duckdb", {"file": "x"}),
        ("duckdb", {"path": str(tmp_path / "no" / "such.duckdb")}),
        ("duckdb", {"path": str(tmp_path)}),
    ):
        with pytest.raises(InvalidInputError):
            await house.warehouses.add(type_=type_, settings=settings)
    await _add(house)
    with pytest.raises(ConflictError):
        await _add(house, path=str(tmp_path / "warehouse.duckdb"))
    with pytest.raises(NotFoundError):
        await house.warehouses.sync("wh_none")


async def test_settings_are_sealed_where_they_rest(house: House, tmp_path: Path) -> None:
    """The database file does not show them."""
    await _add(house, path=str(tmp_path / "planted-name.duckdb"))
    house.configdb.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("config.db*"))
    assert b"planted-name" not in stored


async def _has_loaded(house: House, warehouse_id: str) -> bool:
    return any(past.state == "success" for past in await house.warehouses.history(warehouse_id))


async def test_the_worker_runs_until_it_is_stopped(new_house: NewHouse) -> None:
    """It loads by itself."""
    house = new_house(poll_s=0.01)
    warehouse_id = await _add(house)
    await house.send(an_identify("m1", "ann", LOADED_AT + timedelta(hours=1)))
    task = asyncio.create_task(house.warehouses.run())
    while not await _has_loaded(house, warehouse_id):  # noqa: ASYNC110 - a row has no events
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(house.file.table("identifies")) == 1
