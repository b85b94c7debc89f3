"""A warehouse is steered: parked tables, backfills, what is left out, whom it forgets."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from headwater.base.errors import ConflictError, InvalidInputError, UnavailableError
from headwater.configdb import lowest_next_offset
from headwater.eventlog import Stream
from headwater.model import Message
from headwater.warehouse import show_settings
from tests.rooms.warehouse.places import PostgresPlace, postgres_settings
from tests.rooms.warehouse.support import LOADED_AT, SCHEMA, House, a_message, an_identify

pytestmark = pytest.mark.usefixtures("house")


def a_track(message_id: str, user: str = "ann") -> Message:
    body = {"type": "track", "messageId": message_id, "userId": user, "event": "Paid"}
    return a_message({**body, "properties": {"amount": 1}}, received_at=LOADED_AT)


async def _add(house: House) -> str:
    return (await house.warehouses.add(type_="duckdb", settings={})).id


def _ids(house: House, table: str) -> list[str]:
    return [row["id"] for row in house.file.select(f"SELECT id FROM {SCHEMA}.{table} ORDER BY id")]


async def test_a_table_that_cannot_be_loaded_is_parked_alone_and_heals(house: House) -> None:
    """The others go on; the log is kept for it; mended, it gets everything, each row once."""
    warehouse_id = await _add(house)
    await house.send(a_track("t1"), an_identify("i1", "ann", LOADED_AT))
    await house.warehouses.sync(warehouse_id)
    house.file.run(f"ALTER TABLE {SCHEMA}.paid ADD COLUMN mine INTEGER DEFAULT 0")
    house.file.run(f"ALTER TABLE {SCHEMA}.paid ALTER COLUMN mine SET NOT NULL")
    house.file.run(f"ALTER TABLE {SCHEMA}.paid ALTER COLUMN mine DROP DEFAULT")
    for number in (2, 3):
        await house.send(a_track(f"t{number}"), an_identify(f"i{number}", "ann", LOADED_AT))
        house.wait(1)
        sync = await house.warehouses.sync(warehouse_id)
        assert sync.state == "partial"
        assert [n["code"] for n in sync.notices if n["code"] == "parked"] == ["parked"]
    assert _ids(house, "identifies") == ["i1", "i2", "i3"]
    assert _ids(house, "tracks") == ["t1", "t2", "t3"]
    assert _ids(house, "paid") == ["t1"]
    (parked,) = await house.warehouses.rereads(warehouse_id)
    assert (parked.table_name, parked.source_id) == ("paid", house.source.id)
    assert "NOT NULL" in parked.error
    assert await house.configdb.run(lowest_next_offset, Stream.MESSAGES) == 2
    house.file.run(f"ALTER TABLE {SCHEMA}.paid ALTER COLUMN mine DROP NOT NULL")
    sync = await house.warehouses.sync(warehouse_id)
    assert (sync.state, sync.rows) == ("success", {f"{SCHEMA}.paid": 2})
    assert _ids(house, "paid") == ["t1", "t2", "t3"]
    assert await house.warehouses.rereads(warehouse_id) == []
    assert await house.configdb.run(lowest_next_offset, Stream.MESSAGES) == 4


async def test_a_backfill_brings_back_what_the_log_still_holds(house: House) -> None:
    """It begins by itself, fills dropped tables and changed columns, and adds no row twice."""
    warehouse_id = await _add(house)
    await house.send(a_track("t1"), an_identify("i1", "ann", LOADED_AT, plan="a"))
    await house.send(an_identify("i2", "bob", LOADED_AT, plan="b"))
    await house.warehouses.sync(warehouse_id)
    house.file.run(f"DROP TABLE {SCHEMA}.paid")
    house.file.run(f"ALTER TABLE {SCHEMA}.identifies DROP COLUMN plan")
    assert await house.warehouses.oldest() is not None
    await house.warehouses.backfill(warehouse_id)
    assert await house.warehouses.step() == 1
    assert _ids(house, "paid") == ["t1"]
    assert [row["plan"] for row in house.file.table("identifies")] == ["a", "b"]
    assert await house.warehouses.rereads(warehouse_id) == []
    assert await house.warehouses.step() == 0


async def test_what_is_left_out_is_not_loaded_and_a_source_is_caught_up(house: House) -> None:
    """Properties, collections, sources; leaving out deletes nothing."""
    warehouse_id = await _add(house)
    await house.warehouses.choose(
        warehouse_id, [f"{SCHEMA}.paid", f"{SCHEMA}.identifies.Email", f"{SCHEMA}.accounts"]
    )
    await house.send(a_track("t1"), an_identify("i1", "ann", LOADED_AT, email="a@b.c", plan="x"))
    sync = await house.warehouses.sync(warehouse_id)
    assert set(sync.rows) == {f"{SCHEMA}.{table}" for table in ("tracks", "identifies", "users")}
    assert "email" not in house.file.types("identifies") | house.file.types("users")
    await house.warehouses.choose(warehouse_id, [SCHEMA])
    await house.send(an_identify("i2", "bob", LOADED_AT, plan="y"))
    assert (await house.warehouses.sync(warehouse_id)).rows == {}
    await house.warehouses.choose(warehouse_id, [])
    assert await house.warehouses.step() == 1
    assert _ids(house, "identifies") == ["i1", "i2"]


@pytest.mark.parametrize("line", ["nowhere", f"{SCHEMA}.a.b.c", f"{SCHEMA}.identifies.id", "a..b"])
async def test_what_cannot_be_left_out_is_refused(house: House, line: str) -> None:
    """With the field's name."""
    warehouse_id = await _add(house)
    with pytest.raises(InvalidInputError) as caught:
        await house.warehouses.choose(warehouse_id, [line])
    assert caught.value.field == "excluded"


async def test_deleted_users_do_not_come_back(house: House) -> None:
    """Neither from the log's past nor by a backfill; what they do afterwards is loaded."""
    warehouse_id = await _add(house)
    await house.send(a_track("t1"), an_identify("i1", "ann", LOADED_AT))
    await house.warehouses.sync(warehouse_id)
    await house.send(an_identify("i2", "ann", LOADED_AT), an_identify("i3", "bob", LOADED_AT))
    counts = await house.forget(warehouse_id, "ann")
    assert counts == {f"{SCHEMA}.{t}": 1 for t in ("identifies", "paid", "tracks", "users")}
    await house.warehouses.backfill(warehouse_id)
    await house.warehouses.sync(warehouse_id)
    assert _ids(house, "identifies") == ["i3"]
    await house.send(an_identify("i4", "ann", LOADED_AT + timedelta(seconds=1)))
    await house.warehouses.sync(warehouse_id)
    assert _ids(house, "identifies") == ["i3", "i4"]
    assert _ids(house, "users") == ["ann", "bob"]
    assert await house.forget(warehouse_id, "nobody") == {}


async def test_deleting_waits_for_a_load_and_a_load_for_deleting(house: House) -> None:
    """Asked at the same instant, in whatever order: nothing of the deleted is there afterwards."""
    warehouse_id = await _add(house)
    await house.send(a_track("t1"), an_identify("i1", "ann", LOADED_AT))
    await house.send(an_identify("i2", "bob", LOADED_AT))
    await asyncio.gather(
        house.warehouses.sync(warehouse_id),
        house.forget(warehouse_id, "ann"),
        house.warehouses.backfill(warehouse_id),
        house.warehouses.sync(warehouse_id),
        house.forget(warehouse_id, "ann"),
    )
    await house.warehouses.step()
    assert (_ids(house, "identifies"), _ids(house, "users")) == (["i2"], ["bob"])


async def test_a_schedule_a_pause_and_a_new_name(house: House) -> None:
    """`hourly` waits for the hour; paused, nothing is loaded but by hand."""
    warehouse_id = await _add(house)
    changed = await house.warehouses.change(warehouse_id, schedule="Hourly", name="Main")
    assert (changed.schedule, changed.name) == ("hourly", "Main")
    await house.send(an_identify("i1", "ann", LOADED_AT))
    assert await house.warehouses.step() == 1
    await house.send(an_identify("i2", "ann", LOADED_AT))
    house.wait(600)
    assert await house.warehouses.step() == 0
    house.wait(600)
    assert await house.warehouses.step() == 1
    await house.warehouses.change(warehouse_id, enabled=False)
    await house.send(an_identify("i3", "ann", LOADED_AT))
    house.wait(7200)
    assert await house.warehouses.step() == 0
    assert (await house.warehouses.sync(warehouse_id)).cause == "hand"
    with pytest.raises(InvalidInputError):
        await house.warehouses.change(warehouse_id, schedule="now and then")


async def test_failures_in_a_row_are_counted(house: House) -> None:
    """Until one sync goes well."""
    warehouse_id = await _add(house)
    await house.send(an_identify("i1", "ann", LOADED_AT))
    house.file.path.unlink()
    house.file.path.mkdir()
    for failures in range(1, 7):
        with pytest.raises(UnavailableError):
            await house.warehouses.sync(warehouse_id)
        assert (await house.warehouses.get(warehouse_id)).failures == failures
    house.file.path.rmdir()
    await house.warehouses.sync(warehouse_id)
    assert (await house.warehouses.get(warehouse_id)).failures == 0


async def test_a_removed_warehouse_keeps_its_tables(house: House) -> None:
    """And holds back the log no longer."""
    warehouse_id = await _add(house)
    await house.send(an_identify("i1", "ann", LOADED_AT))
    await house.warehouses.sync(warehouse_id)
    await house.warehouses.backfill(warehouse_id)
    await house.warehouses.remove(warehouse_id)
    assert await house.warehouses.list() == []
    assert await house.configdb.run(lowest_next_offset, Stream.MESSAGES) is None
    assert _ids(house, "identifies") == ["i1"]


async def test_settings_that_let_nobody_in_are_not_saved(house: House) -> None:
    """The server is asked first; no error holds a password; one that is left out is kept."""
    its = postgres_settings(password="hush-hush-hush")
    given = {
        "host": its.host, "port": str(its.port), "database": its.database, "user": its.user,
        "password": its.password, "ssl": "disable",
    }  # fmt: skip
    with pytest.raises(UnavailableError) as caught:
        await house.warehouses.add(type_="postgres", settings={**given, "database": "nowhere"})
    assert "hush" not in caught.value.message + caught.value.hint
    with pytest.raises(InvalidInputError) as wrong:
        await house.warehouses.add(type_="postgres", settings={**given, "port": "many"})
    assert wrong.value.field == "settings.port"
    with pytest.raises(InvalidInputError) as linked:
        await house.warehouses.add(type_="postgres", settings={**given, "host": "169.254.169.254"})
    assert linked.value.field == "settings.host"
    added = await house.warehouses.add(type_="postgres", settings=given)
    assert show_settings(added.settings)["password"] == "••••hush"
    del given["password"]
    changed = await house.warehouses.change(added.id, settings={**given, "ssl": "prefer"})
    assert changed.settings == postgres_settings(
        database=its.database, password=its.password, ssl="prefer"
    )
    with pytest.raises(ConflictError):
        await house.warehouses.add(
            type_="postgres", settings={**given, "password": its.password, "ssl": "prefer"}
        )


def test_a_locked_table_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL: a held lock is waited for a little; others are loaded."""
    monkeypatch.setattr("headwater.warehouse.engines.postgres._OPTIONS", "-c lock_timeout=200")
    place = PostgresPlace(postgres_settings(), "source", tmp_path)
    place.load(a_track("t1"), an_identify("i1", "ann", LOADED_AT))
    later = LOADED_AT + timedelta(hours=1)
    with place.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE source.paid IN ACCESS EXCLUSIVE MODE")
        filled = place.load(a_track("t2"), an_identify("i2", "bob", LOADED_AT), loaded_at=later)
    assert set(filled.failures) == {"paid"}
    assert "lock timeout" in filled.failures["paid"]
    assert [row["id"] for row in place.table("identifies")] == ["i1", "i2"]
    assert [row["id"] for row in place.table("paid")] == ["t1"]


def test_a_server_that_goes_away_is_a_matter_of_the_whole(tmp_path: Path) -> None:
    """Cut off in the middle: no table is parked, and the load is repeated whole."""
    place = PostgresPlace(postgres_settings(), "source", tmp_path)
    with pytest.raises(UnavailableError):
        _read_while_cut_off(place)
    place.load(an_identify("i1", "ann", LOADED_AT))
    with psycopg.connect(
        host=place.settings.host, dbname=place.settings.database, user=place.settings.user
    ) as reader:
        assert reader.execute("SELECT count(*) FROM source.users").fetchone() == (1,)


def _read_while_cut_off(place: PostgresPlace) -> None:
    with place.open() as engine:
        with place.connect() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'headwater' AND datname = current_database()"
            )
        engine.read_columns(["identifies"])
