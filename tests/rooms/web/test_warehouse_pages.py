"""Warehouses in the browser: added by a form, looked at, steered, removed; guarded."""

from html import unescape
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.eventlog import Stream
from headwater.sources import add_source
from headwater.warehouse import CATALOG
from tests.rooms.warehouse.support import LOADED_AT, SCHEMA, an_identify
from tests.support.web import PAGE, World, log_in

Browser = AsyncTestClient[Litestar]


class Form:
    """A person with a session who fills in forms."""

    def __init__(self, browser: Browser, token: str) -> None:
        self.browser, self.token = browser, token

    async def get(self, path: str = "") -> Any:
        return await self.browser.get(f"/warehouses{path}", headers=PAGE)

    async def post(self, path: str, **fields: str) -> Any:
        data = {"csrf_token": self.token, **fields}
        return await self.browser.post(f"/warehouses{path}", headers=PAGE, data=data)


@pytest.fixture
async def ann(browser: Browser) -> Form:
    """The owner, logged in."""
    return Form(browser, await log_in(browser))


async def _add(ann: Form, world: World) -> str:
    """Add a DuckDB warehouse with one message waiting; return its page."""
    services = world.services
    source = await services.configdb.run(
        add_source, services.clock, "api-analytics", "Headwater API analytics"
    )
    message = an_identify("m1", "ann", LOADED_AT, plan="pro")
    mine = msgspec.structs.replace(message, source_id=source.id)
    await services.log.append(Stream.MESSAGES, msgspec.json.encode(mine))
    done = await ann.post("/add/duckdb", name="Main <b>", source="")
    assert done.status_code == 303, done.text
    url: str = done.headers["location"]
    return url.removeprefix("/warehouses").removesuffix("?said=added")


async def test_the_list_offers_every_type_and_says_what_was_not_tested(ann: Form) -> None:
    """An empty list says what to do next."""
    page = unescape((await ann.get()).text)
    assert all(entry.title in page and entry.description in page for entry in CATALOG)
    assert page.count("Not tested here") == sum(not entry.tested for entry in CATALOG) == 4
    assert "Nothing is loaded yet" in page


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.type)
async def test_the_form_has_a_labelled_field_for_each_setting(ann: Form, entry: Any) -> None:
    """Whatever the type declares; secrets are password fields."""
    page = unescape((await ann.get(f"/add/{entry.type}")).text)
    for field in entry.fields:
        assert f'name="settings.{field.name}"' in page
        assert field.title in page
    assert page.count('type="password"') == sum(field.secret for field in entry.fields)


async def test_a_fault_is_said_beside_its_field_and_no_secret_comes_back(ann: Form) -> None:
    """What else was typed is there again."""
    fields = {"settings.host": "127.0.0.1", "settings.port": "many", "settings.database": "d"}
    more = {"settings.user": "u", "settings.password": "hush-hush", "settings.ssl": "disable"}
    wrong = await ann.post("/add/postgres", **fields, **more)
    assert wrong.status_code == 400
    assert wrong.text.count('aria-invalid="true"') == wrong.text.count('class="field-error"') == 1
    assert 'value="many"' in wrong.text
    assert "hush" not in wrong.text
    away = await ann.post("/add/postgres", **{**fields, **more, "settings.port": "1"})
    assert away.status_code == 503
    assert "did not take the load" in away.text
    assert "hush" not in away.text


async def test_it_is_added_synced_and_told(ann: Form, world: World) -> None:
    """Its state, the rows of each table, its tables; the list has it."""
    one = await _add(ann, world)
    assert "No sync yet" in (await ann.get(one)).text
    done = await ann.post(f"{one}/do/sync")
    assert done.headers["location"].endswith("?said=sync")
    page = unescape((await ann.get(f"{one}?said=sync")).text)
    assert "Healthy" in page
    assert "The sync is over" in page
    assert f"{SCHEMA}.identifies" in page
    assert "Load again what was received since" in page
    assert "plan" in (await ann.get(f"{one}/tables")).text
    listed = (await ann.get()).text
    assert "Main &lt;b&gt;" in listed
    assert "Healthy" in listed


async def test_it_is_steered(ann: Form, world: World) -> None:
    """Schedule, what is left out, pause, backfill, settings; a fault is said in its place."""
    one = await _add(ann, world)
    await ann.post(f"{one}/set/schedule", schedule="daily 03:00")
    await ann.post(f"{one}/set/exclude", excluded=f"{SCHEMA}.identifies.plan\n")
    await ann.post(f"{one}/set/pause")
    await ann.post(f"{one}/do/backfill")
    page = unescape((await ann.get(one)).text)
    assert 'value="daily 03:00"' in page
    assert f"{SCHEMA}.identifies.plan</textarea>" in page
    assert "Paused: nothing is loaded" in page
    assert "Backfill" in page
    await ann.post(f"{one}/set/resume")
    wrong = await ann.post(f"{one}/set/exclude", excluded="nowhere")
    assert (wrong.status_code, wrong.text.count('id="excluded-error"')) == (400, 1)
    assert "nowhere</textarea>" in wrong.text
    wrong = await ann.post(f"{one}/set/schedule", schedule="sometimes")
    assert (wrong.status_code, wrong.text.count('id="schedule-error"')) == (400, 1)
    saved = await ann.post(f"{one}/settings", name="Renamed")
    assert saved.headers["location"].endswith("?said=saved")
    assert "Renamed" in (await ann.get(one)).text
    assert (await ann.post(f"{one}/do/nothing")).status_code == 404
    gone = await ann.post(f"{one}/remove")
    assert gone.headers["location"] == "/warehouses?said=removed"
    assert (await ann.get(one)).status_code == 404


async def test_forms_need_the_token_and_a_login(ann: Form, world: World) -> None:
    """Nothing is added, loaded or removed for anybody else."""
    one = await _add(ann, world)
    ann.token = "made up"
    for path in ("/add/duckdb", f"{one}/do/sync", f"{one}/set/pause", f"{one}/remove"):
        assert (await ann.post(path)).status_code == 403
    ann.browser.cookies.clear()
    for path in ("", "/add/duckdb", one, f"{one}/tables", f"{one}/settings"):
        assert (await ann.get(path)).headers["location"].startswith("/login?next=")
