"""Each fault ends with the right state and a clear word, and needs no hand once its cause is gone.

One engine of each type serves all tests here; each test has a source, and so a schema, of its own.
"""

import itertools
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import NoReturn

import pytest
from msgspec.structs import replace

from headwater.base import crash
from headwater.base.errors import UnavailableError
from headwater.model import Message
from headwater.warehouse import Sync
from headwater.warehouse.engines import TableError
from tests.rooms.warehouse.deaths import Killed, Mortal
from tests.rooms.warehouse.places import Place, Places, PostgresPlace, open_places
from tests.rooms.warehouse.support import LOADED_AT, House, a_message, an_identify

ROUNDS = {"postgres": 45, "filesystem": 25, "duckdb": 15, "clickhouse": 15}
_NUMBERS = itertools.count(1)


def _only(*types: str) -> pytest.MarkDecorator:
    """Name the warehouses that can have a fault; files have no columns, servers their own disk."""
    return pytest.mark.parametrize("places", types, indirect=True)


@pytest.fixture(scope="module", params=ROUNDS)
def places(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Places]:
    """One running engine."""
    with open_places(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    return new_house(source_name=f"Source {next(_NUMBERS)}")


@pytest.fixture
def place(places: Places, house: House) -> Place:
    """The schema of the house's source, which has a name of its own in this engine."""
    return places.new(house.schema)


async def test_loads_die_at_any_point_and_no_row_is_lost_or_doubled(
    house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred rounds over four engines; readers see whole batches at every instant."""
    rounds = ROUNDS[place.type_and_settings()[0]]
    mortal = Mortal(house, place, 20261123, monkeypatch)
    await mortal.live(rounds)
    assert sum(mortal.deaths.values()) > rounds / 3


async def _add(house: House, place: Place) -> str:
    type_, settings = place.type_and_settings()
    return (await house.warehouses.add(type_=type_, settings=settings)).id


async def _load(house: House, id_: str, *messages: Message) -> Sync:
    house.wait(60)
    await house.send(*messages)
    return await house.warehouses.sync(id_)


def _paid(id_: str, **properties: object) -> Message:
    body = {"type": "track", "messageId": id_, "userId": "ann", "event": "Paid"}
    return a_message({**body, "properties": properties})


def _ann(id_: str, **traits: object) -> Message:
    return an_identify(id_, "ann", LOADED_AT, **traits)


async def test_deleting_that_died_is_repeated_and_forgets_nobody_else(
    house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in each table in turn: whole tables at every instant, and in the end only bob."""
    id_ = await _add(house, place)
    await _load(house, id_, an_identify("i0", "bob", LOADED_AT, seats=1))
    await _load(house, id_, _ann("i1", seats="many"), _paid("t1", amount=1))
    monkeypatch.setattr(crash, "os", SimpleNamespace(_exit=_die))
    monkeypatch.setattr(crash, "_WANTED", "warehouse.forgetting")
    for deaths in itertools.count():
        monkeypatch.setattr(crash, "_left", deaths + 1)
        try:
            await house.forget(id_, "ann")
        except Killed:
            assert "i0" in {row["id"] for row in place.table("identifies")}
        else:
            break
    assert deaths > 1
    await house.warehouses.backfill(id_)
    later = house.clock.now() + timedelta(seconds=1)
    await _load(house, id_, replace(_paid("t2", amount=2), received_at=later))
    ids = {name: [row["id"] for row in place.table(name)] for name in ("identifies", "users")}
    assert ids == {"identifies": ["i0"], "users": ["bob"]}
    assert [row["id"] for row in place.table("paid")] == ["t2"]
    assert place.shown("_discards") == []


def _die(_code: int) -> NoReturn:
    raise Killed


@_only("postgres")
async def test_a_locked_table_keeps_its_users_alone_and_says_so(
    house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others let them go; once it is free, the same call deletes what is left."""
    assert isinstance(place, PostgresPlace)
    monkeypatch.setattr("headwater.warehouse.engines.postgres._OPTIONS", "-c lock_timeout=200")
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1"), _paid("t1"))
    with place.connect() as holder, holder.transaction():
        holder.execute(f"LOCK TABLE {place.schema}.identifies IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TableError, match="lock timeout") as caught:
            await house.forget(id_, "ann")
    assert caught.value.facts == {"tables": [f"{place.schema}.identifies"]}
    assert [len(place.table(name)) for name in ("identifies", "tracks", "paid", "users")] == [
        1, 0, 0, 0,
    ]  # fmt: skip
    left = await house.forget(id_, "ann")
    assert left == {f"{place.schema}.identifies": 1}


@_only("postgres")
async def test_a_locked_table_is_parked_and_caught_up_with(
    house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waited for a little, then left with a word; free again, it gets every row once."""
    assert isinstance(place, PostgresPlace)
    monkeypatch.setattr("headwater.warehouse.engines.postgres._OPTIONS", "-c lock_timeout=200")
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1"), _paid("t1"))
    with place.connect() as holder, holder.transaction():
        holder.execute(f"LOCK TABLE {place.schema}.paid IN ACCESS EXCLUSIVE MODE")
        for number in (2, 3):
            sync = await _load(house, id_, _ann(f"i{number}"), _paid(f"t{number}"))
            said = {one["table"]: one["message"] for one in sync.notices}
            assert (sync.state, set(said)) == ("partial", {"paid"})
            assert "lock timeout" in said["paid"]
    house.wait(60)
    assert (await house.warehouses.sync(id_)).state == "success"
    for table, ids in {"identifies": ["i1", "i2", "i3"], "paid": ["t1", "t2", "t3"]}.items():
        assert [row["id"] for row in place.table(table)] == ids


@_only("postgres", "duckdb", "clickhouse")
async def test_a_column_renamed_by_hand_begins_anew_under_its_name(
    house: House, place: Place
) -> None:
    """What was there stays where it was moved to; nothing is lost and nobody has to be asked."""
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1", plan="a"), _paid("t1", amount=1))
    place.run('ALTER TABLE {s}.identifies RENAME COLUMN plan TO "old_plan"')
    place.run("ALTER TABLE {s}.paid DROP COLUMN amount")
    sync = await _load(house, id_, _ann("i2", plan="b"), _paid("t2", amount=2))
    assert sync.state == "success"
    rows = {row["id"]: (row["old_plan"], row["plan"]) for row in place.table("identifies")}
    assert rows == {"i1": ("a", None), "i2": (None, "b")}
    assert {row["id"]: row["amount"] for row in place.table("paid")} == {"t1": None, "t2": 2}
    assert [row["plan"] for row in place.table("users")] == ["b"]


@_only("postgres", "duckdb", "clickhouse")
async def test_a_type_narrowed_by_hand_parks_its_table(house: House, place: Place) -> None:
    """No value is bent to fit without a word, and states neither; widened again, all is there."""
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1", seats=1), _paid("t1", amount=1))
    narrowed = {"paid": "amount", "users": "seats"}
    for table, column in narrowed.items():
        place.run(f"ALTER TABLE {{s}}.{table} {place.to_small.format(column=column)}")
    sync = await _load(house, id_, _ann("i2", seats=70_000), _paid("t2", amount=70_000))
    assert (sync.state, {one["table"] for one in sync.notices}) == ("partial", set(narrowed))
    assert [row["seats"] for row in place.table("identifies")] == [1, 70_000]
    assert [row["amount"] for row in place.table("paid")] == [1]
    for table, column in narrowed.items():
        place.run(f"ALTER TABLE {{s}}.{table} {place.to_large.format(column=column)}")
    assert (await _load(house, id_, _paid("t3", amount=3))).state == "success"
    assert [row["amount"] for row in place.table("paid")] == [1, 70_000, 3]
    assert [row["seats"] for row in place.table("users")] == [70_000]


@_only("postgres", "duckdb", "clickhouse")
async def test_something_else_in_the_way_of_a_table_parks_that_table(
    house: House, place: Place
) -> None:
    """A view of another owner under its name: the others go on; once away, every row is there."""
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1"))
    place.run("CREATE VIEW {s}.paid AS SELECT id, received_at, uuid_ts FROM {s}.identifies")
    sync = await _load(house, id_, _ann("i2"), _paid("t1", amount=1))
    assert sync.state == "partial"
    assert [one["table"] for one in sync.notices] == ["paid"]
    standing = await house.warehouses.standing(id_, 1e9)
    assert (standing.state, standing.parked, standing.error != "") == ("parked", ["paid"], True)
    place.run("DROP VIEW {s}.paid")
    sync = await _load(house, id_, _paid("t2", amount=2))
    assert sync.state == "success"
    assert [row["id"] for row in place.table("paid")] == ["t1", "t2"]
    assert [row["id"] for row in place.table("tracks")] == ["t1", "t2"]
    assert (await house.warehouses.standing(id_, 1e9)).state == "healthy"


@_only("duckdb", "filesystem")
async def test_a_full_disk_is_told_and_costs_no_row(house: House, place: Place) -> None:
    """Files may not grow for a while: nothing half is seen, and it goes on by itself."""
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1", plan="a"))
    large = [_ann(f"big{n}", text=random.Random(n).randbytes(100_000).hex()) for n in range(20)]
    house.wait(60)
    await house.send(*large)
    with _no_file_beyond(1_000_000), pytest.raises(UnavailableError):
        await house.warehouses.sync(id_)
    assert [row["id"] for row in place.table("identifies")] == ["i1"]
    standing = await house.warehouses.standing(id_, 1e9)
    assert (standing.state, standing.error != "") == ("failing", True)
    assert (await _load(house, id_, _ann("i2"))).state == "success"
    assert len(place.table("identifies")) == 2 + len(large)
    assert (await house.warehouses.standing(id_, 1e9)).state == "healthy"


@contextmanager
def _no_file_beyond(size_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@_only("postgres")
async def test_rights_that_were_taken_park_what_they_cover(house: House, place: Place) -> None:
    """A role that may no longer insert into one table, or make tables; given back, all is there."""
    assert isinstance(place, PostgresPlace)
    role = f"loader_{place.schema}"
    place.run(f"CREATE ROLE {role} LOGIN")
    place.run(f"CREATE SCHEMA {{s}} AUTHORIZATION {role}")
    mine = PostgresPlace(replace(place.settings, user=role), place.schema, house.file.path.parent)
    id_ = await _add(house, mine)
    await _load(house, id_, _ann("i1"), _paid("t1"))
    place.run(f"REVOKE INSERT ON {{s}}.paid FROM {role}")
    place.run("ALTER SCHEMA {s} OWNER TO postgres")
    place.run(f"GRANT USAGE ON SCHEMA {{s}} TO {role}")
    group = {"type": "group", "messageId": "g1", "userId": "ann", "groupId": "acme"}
    sync = await _load(house, id_, _ann("i2"), _paid("t2"), a_message(group))
    said = {one["table"]: one["message"] for one in sync.notices}
    assert sync.state == "partial"
    assert set(said) == {"paid", "groups"}
    assert all("permission denied" in reason for reason in said.values())
    assert [row["id"] for row in place.table("identifies")] == ["i1", "i2"]
    place.run(f"GRANT INSERT ON {{s}}.paid TO {role}")
    place.run(f"GRANT CREATE ON SCHEMA {{s}} TO {role}")
    house.wait(60)
    assert (await house.warehouses.sync(id_)).state == "success"
    assert [row["id"] for row in place.table("paid")] == ["t1", "t2"]
    assert [row["id"] for row in place.table("groups")] == ["g1"]
    assert [row["id"] for row in place.table("accounts")] == ["acme"]


@_only("postgres", "clickhouse")
async def test_a_server_that_goes_away_in_the_midst_of_a_load(
    house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once and without asking: the load fails with a word, the next one is whole."""
    id_ = await _add(house, place)
    await _load(house, id_, _ann("i1"), _paid("t1", amount=1))
    monkeypatch.setattr(crash, "os", SimpleNamespace(_exit=lambda _code: place.go_away()))
    monkeypatch.setattr(crash, "_WANTED", "warehouse.in_step")
    monkeypatch.setattr(crash, "_left", 2)
    with pytest.raises(UnavailableError):
        await _load(house, id_, _ann("i2", plan="b"), _paid("t2", amount=2))
    place.come_back()
    (failed, _) = await house.warehouses.history(id_)
    assert (failed.state, failed.notices[0]["code"]) == ("failure", "unavailable")
    assert (await house.warehouses.standing(id_, 1e9)).state == "failing"
    house.wait(60)
    assert (await house.warehouses.sync(id_)).state == "success"
    for table, ids in {"identifies": ["i1", "i2"], "paid": ["t1", "t2"], "users": ["ann"]}.items():
        assert [row["id"] for row in place.table(table)] == ids
