"""Warehouses can be managed by HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import AsyncTestClient

from headwater.base.settings import EventStoreSettings
from headwater.eventlog import Stream
from headwater.eventstore import EventStore
from headwater.sources import add_source
from headwater.web.api.warehouses import WarehousesController
from headwater.web.errors import HANDLERS
from tests.rooms.warehouse.support import LOADED_AT, SCHEMA, an_identify
from tests.support.web import LOCAL_TOKEN, World, open_world


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[World]:
    store = EventStore.open(EventStoreSettings(), folder)
    try:
        async with open_world(folder, store) as world:
            yield world
    finally:
        store.close()


def _browse(world: World) -> AsyncTestClient[Litestar]:
    app = Litestar(
        [WarehousesController],
        dependencies={"services": Provide(lambda: world.services, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        state=State({"services": world.services}),
    )
    client = AsyncTestClient(app)
    client.headers["authorization"] = f"Bearer {LOCAL_TOKEN}"
    return client


async def test_the_management_api_adds_syncs_and_tells(tmp_path: Path) -> None:
    """The answer of a sync has the rows of each table; the history has the same."""
    async with _open(tmp_path) as world, _browse(world) as client:
        source = await world.services.configdb.run(
            add_source, world.services.clock, "api-analytics", "Headwater API analytics"
        )
        message = an_identify("m1", "ann", LOADED_AT, plan="a")
        mine = msgspec.structs.replace(message, source_id=source.id)
        await world.services.log.append(Stream.MESSAGES, msgspec.json.encode(mine))
        added = (await client.post("/api/v1/warehouses", json={"type": "duckdb"})).json()
        listed = (await client.get("/api/v1/warehouses")).json()
        assert listed == {"items": [added], "next_cursor": None}
        answer = await client.post(f"/api/v1/warehouses/{added['id']}/sync")
        assert answer.status_code == 200
        assert answer.json()["rows"] == {f"{SCHEMA}.identifies": 1, f"{SCHEMA}.users": 1}
        history = await client.get(f"/api/v1/warehouses/{added['id']}/syncs")
        assert history.json()["items"] == [answer.json()]


async def test_the_management_api_refuses_what_cannot_be(tmp_path: Path) -> None:
    """Unknown types, unknown warehouses and strangers."""
    async with _open(tmp_path) as world, _browse(world) as client:
        wrong = await client.post("/api/v1/warehouses", json={"type": "oracle"})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "type")
        assert (await client.post("/api/v1/warehouses/wh_x/sync")).status_code == 404
        stranger = await client.get("/api/v1/warehouses", headers={"authorization": "Bearer x"})
        assert stranger.status_code == 401


async def test_the_management_api_steers(tmp_path: Path) -> None:
    """Types, one warehouse, changes, what is left out, a backfill, tables, removal."""
    async with _open(tmp_path) as world, _browse(world) as client:
        source = await world.services.configdb.run(
            add_source, world.services.clock, "api-analytics", "Headwater API analytics"
        )
        message = an_identify("m1", "ann", LOADED_AT, plan="a", seats=1)
        mine = msgspec.structs.replace(message, source_id=source.id)
        await world.services.log.append(Stream.MESSAGES, msgspec.json.encode(mine))
        types = {one["type"]: one for one in (await client.get("/api/v1/warehouses/types")).json()}
        assert types["snowflake"]["tested"] is False
        assert types["postgres"]["fields"][4]["secret"] is True
        added = (await client.post("/api/v1/warehouses", json={"type": "duckdb"})).json()
        one = f"/api/v1/warehouses/{added['id']}"
        change = {"schedule": "hourly", "name": "Main", "excluded": [f"{SCHEMA}.identifies.plan"]}
        changed = (await client.patch(one, json=change)).json()
        assert {field: changed[field] for field in change} == change
        begun = await client.post(f"{one}/backfill", json={"source": source.slug})
        assert begun.status_code == 201
        await client.post(f"{one}/sync")
        tables = (await client.get(f"{one}/tables")).json()
        assert tables[SCHEMA]["users"]["seats"] == "integer"
        assert "plan" not in tables[SCHEMA]["identifies"]
        shown = (await client.get(one)).json()
        assert (shown["warehouse"], shown["rereads"]) == (changed, [])
        assert list(shown["rows_by_day"].values()) == [4]
        assert shown["backfill_from"] is not None
        wrong = await client.patch(one, json={"schedule": "sometimes"})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "schedule")
        assert (await client.delete(one)).status_code == 204
        assert (await client.get(one)).status_code == 404
