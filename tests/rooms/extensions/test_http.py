"""The management API and the commands of the extension: connect, preview, sync, watch."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.eventstore import EventStore
from headwater.sources import add_source
from tests.rooms.extensions.room import KEY, NOW
from tests.support.calls import make_call
from tests.support.server import run_cli
from tests.support.web import LOCAL_TOKEN, World, browse, open_world

PUBLIC = "https://api.segment.io"


@pytest.fixture
async def world(tmp_path: Path, store: EventStore) -> AsyncIterator[World]:
    async with open_world(tmp_path, store) as world:
        yield world


@pytest.fixture
async def api(world: World) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with browse(world) as client:
        client.headers["authorization"] = f"Bearer {LOCAL_TOKEN}"
        yield client


def path(app_id: str, question: str = "") -> str:
    return f"/api/v1/apps/{app_id}/extensions/segment{question}"


async def put(api: AsyncTestClient[Litestar], app_id: str, **body: Any) -> Any:
    return await api.put(path(app_id, "?check=false"), json={"partner_key": KEY, **body})


async def test_connect_answers_with_a_masked_key(
    world: World, api: AsyncTestClient[Litestar]
) -> None:
    """And the connection shows in the status."""
    app = world.add_app()
    answer = await put(api, app.id, endpoint=f"{PUBLIC}/v1")
    assert answer.status_code == 200
    status = (await api.get(path(app.id, "/status"))).json()
    assert status["endpoint"] == PUBLIC
    assert status["settings"]["partner_key"].endswith(KEY[-4:])
    assert KEY not in answer.text


async def test_the_payload_version_is_that_of_the_source(
    world: World, api: AsyncTestClient[Litestar]
) -> None:
    """Whose key it is, unless another is asked for; `current` for a stranger's key."""
    app = world.add_app()
    source = await world.services.configdb.run(
        add_source, world.services.clock, "api-analytics", "old", "2019"
    )
    key = source.write_keys[0]
    assert (await put(api, app.id, partner_key=key)).json()["settings"]["payload_version"] == "2019"
    chosen = await put(api, app.id, partner_key=key, payload_version="current")
    assert chosen.json()["settings"]["payload_version"] == "current"
    assert (await put(api, app.id)).json()["settings"]["payload_version"] == "current"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"endpoint": "nonsense"}, 400, "base URL"),
        ({"endpoint": "http://127.0.0.1:9"}, 400, "HEADWATER_EGRESS__ALLOW"),
        ({"endpoint": "http://169.254.169.254/latest"}, 400, "HEADWATER_EGRESS__ALLOW"),
        ({"partner_key": " "}, 400, "partner key"),
        ({"payload_version": "2031"}, 400, "2031"),
        ({"surprise": 1}, 400, "surprise"),
    ],
)
async def test_what_is_wrong_is_refused_before_it_is_saved(
    world: World, api: AsyncTestClient[Litestar], body: dict[str, Any], status: int, word: str
) -> None:
    """With a word that helps; nothing is connected."""
    app = world.add_app()
    answer = await put(api, app.id, **body)
    assert (answer.status_code, word in answer.text) == (status, True), answer.text
    assert (await api.get(path(app.id, "/status"))).status_code == 404


async def test_preview_and_sync_by_http(world: World, api: AsyncTestClient[Litestar]) -> None:
    """The endpoint cannot be reached here: the run says so and the message waits."""
    app = world.add_app()
    await put(api, app.id)
    await world.store([make_call(app_id=app.id, time=NOW, received_at=NOW, user_id="ann")])
    shown = (await api.get(path(app.id, "/preview"))).json()["messages"]
    assert [message["userId"] for message in shown] == ["ann"]
    one = (await api.get(path(app.id, "/preview?user_id=ann"))).json()["messages"]
    assert one[0]["messageId"] == shown[0]["messageId"]
    result = (await api.post(path(app.id, "/sync?full=true"))).json()
    assert (result["users_considered"], result["delivered"], result["failed"]) == (1, 0, 1)
    assert result["error"]
    status = (await api.get(path(app.id, "/status"))).json()
    assert status["messages"]["due"] == 1


async def test_pause_and_resume(world: World, api: AsyncTestClient[Litestar]) -> None:
    """A paused connection refuses to sync."""
    app = world.add_app()
    await put(api, app.id)
    assert (await api.post(path(app.id, "/pause"))).json()["enabled"] is False
    assert (await api.post(path(app.id, "/sync"))).status_code == 409
    assert (await api.post(path(app.id, "/resume"))).json()["enabled"] is True


async def test_nobody_gets_in_without_a_token(world: World, api: AsyncTestClient[Litestar]) -> None:
    """And unknown apps are not found."""
    assert (await api.get(path("app_none", "/status"))).status_code == 404
    del api.headers["authorization"]
    assert (await put(api, world.add_app().id)).status_code == 401
    assert (await api.get("/api/v1/extensions")).status_code == 401


async def test_the_gallery_is_listed(api: AsyncTestClient[Litestar]) -> None:
    """With what has to be filled in."""
    entries = (await api.get("/api/v1/extensions")).json()["items"]
    entry = {one["type"]: one for one in entries}["segment"]
    assert [setting["name"] for setting in entry["settings"] if setting["required"]] == [
        "partner_key"
    ]


def test_connect_on_the_command_line(tmp_path: Path) -> None:
    """The key may come on standard input, so that no process list shows it."""
    data = tmp_path / "cli"
    app = run_cli(data, "apps", "list")[0]
    segment = ("extensions", "segment", "connect", "--app", app["app_id"], "--no-check")
    made = run_cli(data, *segment, "--partner-key", "-", "--endpoint", PUBLIC, stdin=f"{KEY}\n")
    assert (made["endpoint"], made["settings"]["payload_version"]) == (PUBLIC, "current")
    assert KEY not in str(made)
    entry = {one["type"]: one for one in run_cli(data, "extensions", "list")}["segment"]
    assert [one["app_id"] for one in entry["apps"]] == [app["app_id"]]
    wrong = run_cli(data, *segment, "--partner-key", KEY, "--endpoint", "ftp://x", ok=False)
    assert (wrong.returncode, "base URL" in wrong.stderr) == (1, True)
