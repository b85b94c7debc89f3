"""Steer a connection by HTTP: schedule, audience, test call, history, backfills, never."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.eventstore import EventStore
from headwater.workspace import App
from tests.rooms.extensions.room import KEY, NOW, Room, users
from tests.rooms.profiles.history import Call, insert_calls
from tests.support.web import LOCAL_TOKEN, World, browse, open_world
from tests.support.webhook import Receiver

Api = AsyncTestClient[Litestar]


@pytest.fixture
async def world(tmp_path: Path, store: EventStore) -> AsyncIterator[World]:
    async with open_world(tmp_path, store) as world:
        yield world


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    async with browse(world) as client:
        client.headers["authorization"] = f"Bearer {LOCAL_TOKEN}"
        yield client


@pytest.fixture
async def app(world: World, api: Api, store: EventStore) -> App:
    """An app with a connection to this server itself, which does not run here."""
    app = world.add_app()
    answer = await api.put(path(app, "?check=false"), json={"partner_key": KEY})
    assert answer.status_code == 200, answer.text
    await insert_calls(store, [Call(user_id="ann", time=NOW, app_id=app.id, log_offset=1)])
    return app


def path(app: App, rest: str = "") -> str:
    return f"/api/v1/apps/{app.id}/extensions/segment{rest}"


async def test_schedule_and_audience(api: Api, app: App) -> None:
    """Kept in their shortest form; what is wrong is refused with a word."""
    status = (await api.put(path(app, "/schedule"), json={"schedule": "every 15 minutes"})).json()
    assert status["schedule"] == "every 15m"
    wrong = await api.put(path(app, "/schedule"), json={"schedule": "at full moon"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "schedule")
    conditions = [{"field": "metadata.plan", "op": "is", "value": "pro"}]
    status = (await api.put(path(app, "/audience"), json={"conditions": conditions})).json()
    assert status["audience"] == conditions
    unknown = {"conditions": [{"field": "shoe size", "op": "is", "value": 43}]}
    assert (await api.put(path(app, "/audience"), json=unknown)).status_code == 400
    assert (await api.get(path(app, "/preview"))).json()["messages"] == []


async def test_history_and_test_call(api: Api, app: App) -> None:
    """The endpoint is away: the test call and the run say so."""
    trial = (await api.post(path(app, "/test"), json={"user_id": "ann"})).json()
    assert (trial["verdict"], trial["messages"][0]["userId"]) == ("halted", "ann")
    stranger = await api.post(path(app, "/test"), json={"user_id": "nobody"})
    assert stranger.status_code == 404
    await api.post(path(app, "/sync?full=true"))
    (run,) = (await api.get(path(app, "/runs"))).json()["items"]
    assert (run["kind"], run["state"], run["failed"]) == ("full", "failure", 1)
    assert (await api.get(path(app, "/dead"))).json() == {"items": [], "next_cursor": None}
    assert (await api.post(path(app, "/dead/resend"), json={})).json() == {"resent": 0}
    assert (await api.get(path(app, "/runs?limit=0"))).status_code == 400


async def test_backfills(api: Api, app: App) -> None:
    """Begun, seen, cancelled."""
    days = {"first_day": "2026-11-01", "last_day": "2026-11-10"}
    begun = await api.post(path(app, "/backfills"), json=days)
    assert (begun.status_code, begun.json()["state"]) == (202, "running")
    (seen,) = (await api.get(path(app, "/backfills"))).json()["items"]
    assert (seen["day"], seen["days"], seen["days_done"]) == ("2026-11-01", 10, 0)
    assert (await api.post(path(app, "/backfills"), json=days)).status_code == 409
    cancelled = (await api.post(path(app, "/backfills/cancel"))).json()
    assert cancelled["state"] == "cancelled"
    assert (await api.post(path(app, "/backfills/cancel"))).status_code == 404


async def test_users_who_are_never_sent(api: Api, app: App) -> None:
    """Told once, kept as a fingerprint, until they are allowed again."""
    where = f"/api/v1/apps/{app.id}/suppressed"
    assert (await api.post(where, json={"user_id": "ann"})).json()["suppressed"] is True
    listed: dict[str, Any] = (await api.get(where)).json()
    assert (len(listed["items"]), "ann" in str(listed["items"][0]["fingerprint"])) == (1, False)
    assert (await api.get(path(app, "/preview"))).json()["messages"] == []
    assert (await api.post(f"{where}/allow", json={"user_id": "ann"})).json()["suppressed"] is False
    assert len((await api.get(path(app, "/preview"))).json()["messages"]) == 1


async def test_a_live_connection_runs_when_something_changed(
    room: Room, receiver: Receiver
) -> None:
    """And only then, some seconds apart; of runs that found nothing none is kept but the last."""
    await room.extensions.schedule(room.app, "segment", "live")
    await room.store_users("ann")
    assert await room.extensions.step() == 1
    room.clock.move(timedelta(seconds=6))
    assert await room.extensions.step() == 0
    await room.store_users("bo")
    assert await room.extensions.step() == 1
    await room.store_users("cy")
    assert await room.extensions.step() == 0
    room.clock.move(timedelta(seconds=5))
    assert await room.extensions.step() == 1
    assert users(receiver) == ["ann", "bo", "cy"]
    room.clock.move(timedelta(days=1))
    assert await room.extensions.step() == 1


async def test_a_daily_connection_waits_for_its_hour(room: Room, receiver: Receiver) -> None:
    """In the app's zone; the status names the next run."""
    await room.extensions.schedule(room.app, "segment", "daily 11:30")
    await room.store_users("ann")
    assert await room.extensions.step() == 1
    await room.store_users("bo")
    room.clock.move(timedelta(minutes=89))
    assert await room.extensions.step() == 0
    assert (await room.status()).next_run_at == NOW + timedelta(minutes=90)
    room.clock.move(timedelta(minutes=1))
    assert await room.extensions.step() == 1
    assert users(receiver) == ["ann", "bo"]


async def test_empty_runs_do_not_fill_the_history(room: Room) -> None:
    """Those that found something stay."""
    await room.store_users("ann")
    for _ in range(4):
        await room.sync()
        room.clock.move(timedelta(minutes=5))
    counts = [run.users_considered for run in await room.extensions.runs(room.app, "segment")]
    assert counts == [0, 1]
