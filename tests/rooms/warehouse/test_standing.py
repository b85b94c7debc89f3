"""How a warehouse stands is told in one word, and the log's patience with it has an end."""

import pytest

from headwater.base.errors import UnavailableError
from headwater.base.settings import EventLogSettings
from headwater.configdb import lowest_next_offset
from headwater.eventlog import LogKeeper, Progress, Stream
from headwater.warehouse import READERS
from tests.rooms.warehouse.support import LOADED_AT, SCHEMA, House, an_identify

WEEK_S = 7 * 24 * 3600
HOUR_S = 3600.0


async def _send(house: House, id_: str) -> None:
    await house.send(an_identify(id_, "ann", LOADED_AT))


async def _state(house: House, id_: str) -> str:
    return (await house.warehouses.standing(id_, WEEK_S)).state


async def test_one_word_says_what_stops_it_first(house: House) -> None:
    """New, healthy, failing, paused, behind; with the reason, and what waits since when."""
    id_ = (await house.warehouses.add(type_="duckdb", settings={})).id
    assert await _state(house, id_) == "new"
    await _send(house, "m1")
    await house.warehouses.sync(id_)
    (well,) = await house.warehouses.standings(WEEK_S)
    assert (well.state, well.needs_somebody, well.waiting.entries) == ("healthy", False, 0)
    house.file.path.rename(house.file.path.with_suffix(".away"))
    house.file.path.mkdir()
    await _send(house, "m2")
    with pytest.raises(UnavailableError):
        await house.warehouses.sync(id_)
    failing = await house.warehouses.standing(id_, WEEK_S)
    assert (failing.state, failing.failures, failing.waiting.entries) == ("failing", 1, 1)
    assert failing.error != ""
    assert not failing.waiting.holds_log
    house.wait(WEEK_S + 1)
    assert (await house.warehouses.standing(id_, WEEK_S)).waiting.holds_log
    house.file.path.rmdir()
    house.file.path.with_suffix(".away").rename(house.file.path)
    await house.warehouses.sync(id_)
    assert await _state(house, id_) == "healthy"
    await house.warehouses.change(id_, enabled=False)
    assert await _state(house, id_) == "paused"
    await house.warehouses.change(id_, enabled=True)
    await _send(house, "m3")
    house.wait(WEEK_S + 1)
    behind = await house.warehouses.standing(id_, WEEK_S)
    assert (behind.state, behind.needs_somebody) == ("behind", True)


async def test_the_log_waits_for_it_until_patience_ends_and_it_says_so(house: House) -> None:
    """Then it goes on with what there is, and its history says how much it missed, once."""
    id_ = (await house.warehouses.add(type_="duckdb", settings={})).id
    await _send(house, "m1")
    await house.warehouses.sync(id_)
    for number in (2, 3, 4):
        await _send(house, f"m{number}")
        house.wait(HOUR_S)
    await _keep(house, patience_s=int(10 * HOUR_S))
    assert (await house.log.state(Stream.MESSAGES)).first_offset == 2, "m1 alone was loaded"
    await _keep(house, patience_s=int(1.5 * HOUR_S))
    assert (await house.log.state(Stream.MESSAGES)).first_offset == 4
    sync = await house.warehouses.sync(id_)
    assert (sync.state, sync.rows[f"{SCHEMA}.identifies"]) == ("partial", 1)
    assert [(one["code"], one["count"]) for one in sync.notices] == [("missed", 2)]
    assert [row["id"] for row in house.file.table("identifies")] == ["m1", "m4"]
    house.wait(1)
    assert (await house.warehouses.sync(id_)).state == "success"


async def test_a_new_warehouse_missed_nothing(house: House) -> None:
    """What went before it was added is no loss of its own."""
    await _send(house, "m1")
    await _send(house, "m2")
    await house.log.trim(Stream.MESSAGES, 2)
    id_ = (await house.warehouses.add(type_="duckdb", settings={})).id
    assert (await house.warehouses.sync(id_)).notices == []


async def test_a_miss_with_nothing_to_load_is_told_once(house: House) -> None:
    """Its place moves on although there is no row to load."""
    id_ = (await house.warehouses.add(type_="duckdb", settings={})).id
    await _send(house, "m1")
    await house.warehouses.sync(id_)
    await _send(house, "m2")
    await house.log.trim(Stream.MESSAGES, 3)
    assert [one["code"] for one in (await house.warehouses.sync(id_)).notices] == ["missed"]
    house.wait(1)
    assert (await house.warehouses.sync(id_)).notices == []


async def _keep(house: House, patience_s: int) -> None:
    async def read_progress(stream: Stream) -> Progress:
        slowest = await house.configdb.run(lowest_next_offset, stream)
        assert await house.configdb.run(lowest_next_offset, stream, READERS) is None
        assert slowest is not None
        return Progress(slowest, (await house.log.state(stream)).last_offset + 1)

    settings = EventLogSettings(keep_consumed_s=60, keep_unread_s=patience_s)
    await LogKeeper(house.log, read_progress, house.clock, settings).step(Stream.MESSAGES)
