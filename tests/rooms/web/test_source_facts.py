"""What a source received and lets in: by page, by HTTP and by the command line."""

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.cli import headwater
from headwater.sources import (
    NO_SOURCE,
    Name,
    Refused,
    Source,
    add_source,
    count_messages,
    keep_refused,
    learn_names,
)
from tests.rooms.web.test_destination_pages import Person
from tests.support.web import LOCAL_TOKEN, PAGE, World, log_in

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}


@pytest.fixture
async def ann(world: World, browser: Browser) -> Person:
    return Person(browser, world, await log_in(browser))


def add(world: World) -> Source:
    with world.services.configdb.transaction() as connection:
        return add_source(connection, world.services.clock, "http-api", "Shop")


def note(world: World, source: Source) -> None:
    """Write what the door would have seen of three messages, and of a stranger."""
    s = world.services
    now = s.clock.now()
    samples = [
        Refused(source_id=id_, code=code, reason="Why so.", sample="<b>{}</b>", at=now)
        for id_, code in ((source.id, "event_not_defined"), (NO_SOURCE, "invalid_write_key"))
    ]
    tally = {
        (source.id, "entered"): 1_234,
        (source.id, "blocked"): 2,
        (source.id, "refused.event_not_defined"): 3,
        (NO_SOURCE, "refused.invalid_write_key"): 1,
    }
    names = {
        Name(source.id, "track", "A <i>b</i>", ""): 1_000,
        Name(source.id, "track", "A <i>b</i>", "price"): 7,
        Name(source.id, "identify", "", ""): 5,
        Name(source.id, "identify", "", "email"): 4,
    }
    with s.configdb.transaction() as connection:
        keep_refused(connection, samples)
        count_messages(connection, now - timedelta(hours=2), tally)
        learn_names(connection, now, names, {})


async def test_the_pages_say_what_came_and_what_was_refused(ann: Person) -> None:
    """Before anything came they say so; a stranger's requests stand on the list."""
    source = add(ann.world)
    assert "Nothing was received." in await ann.see("/sources/shop")
    assert "Nothing was received yet" in await ann.see("/sources/shop/schema")
    assert "With no good write key" not in await ann.see("/sources")
    note(ann.world, source)
    page = await ann.see("/sources/shop")
    for told in ("1,239", "1,234", "3 event_not_defined", "<b>{}</b>", "Why so."):
        assert told in page
    raw = (await ann.browser.get("/sources/shop", headers=PAGE)).text
    assert "<b>{}</b>" not in raw
    assert "invalid_write_key" not in page
    assert "invalid_write_key" in await ann.see("/sources")


async def test_names_are_blocked_and_let_in_on_the_page_of_the_schema(ann: Person) -> None:
    """A rule that cannot be is told; a viewer sees the names and no buttons."""
    note(ann.world, add(ann.world))
    page = await ann.see("/sources/shop/schema")
    assert "A <i>b</i>" in page
    raw = (await ann.browser.get("/sources/shop/schema", headers=PAGE)).text
    assert "<i>b</i>" not in raw
    assert "blocked</span>" not in page
    event = {"type": "track", "event": "A <i>b</i>"}
    where = await ann.send("/sources/shop/schema/block", **event, name="")
    assert where == "/sources/shop/schema?said=blocked"
    await ann.send("/sources/shop/schema/block", type="identify", event="", name="email")
    page = await ann.see(where)
    assert ("blocked</span>" in page, "omitted</span>" in page) == (True, True)
    await ann.send("/sources/shop/schema/let-in", **event, name="")
    assert "blocked</span>" not in await ann.see("/sources/shop/schema")
    assert "There is no such rule." in await ann.send(
        "/sources/shop/schema/let-in", 400, **event, name=""
    )
    assert "an event: name it" in await ann.send(
        "/sources/shop/schema/block", 400, type="track", event="", name=""
    )
    ann.world.add_login("vi@example.com", "viewer")
    ann.browser.cookies.clear()
    await log_in(ann.browser, "vi@example.com")
    page = await ann.see("/sources/shop/schema")
    assert "price" in page
    assert "Omit" not in page


async def test_the_same_by_http(world: World, browser: Browser) -> None:
    """Figures by the hour, samples, names, rules; a wrong one names its field."""
    note(world, add(world))
    path = "/api/v1/sources/shop"

    async def get(address: str) -> Any:
        return (await browser.get(address, headers=OWNER)).json()

    found = await get(f"{path}/figures")
    assert (found["total"]["received"], found["total"]["entered"]) == (1_239, 1_234)
    assert [hour["figures"]["reasons"] for hour in found["hours"]] == [{"event_not_defined": 3}]
    assert (await get(f"{path}/figures?hours=1"))["hours"] == []
    wrong = await browser.get(f"{path}/figures?hours=0", headers=OWNER)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "hours")
    assert [one["code"] for one in (await get(f"{path}/refused"))["items"]] == ["event_not_defined"]
    strangers = await get("/api/v1/refused-requests")
    assert [one["code"] for one in strangers["items"]] == ["invalid_write_key"]
    assert (await get("/api/v1/refused-requests/figures"))["total"]["refused"] == 1
    rule = {"type": "identify", "event": "", "name": "email"}
    added = await browser.post(f"{path}/rules", headers=OWNER, json=rule)
    assert added.json() == await get(f"{path}/rules") == {"items": [rule]}
    (told, _) = (await get(f"{path}/schema"))["events"]
    assert [(one["name"], one["allowed"]) for one in told["properties"]] == [("email", False)]
    wrong = await browser.post(f"{path}/rules", headers=OWNER, json=rule | {"event": "A"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "event")
    gone = await browser.delete(f"{path}/rules?type=identify&name=email", headers=OWNER)
    assert gone.json() == {"items": []}
    assert (await browser.get("/api/v1/sources/no/schema", headers=OWNER)).status_code == 404


async def test_the_same_by_the_command_line(world: World) -> None:
    """On the configuration database, whether or not a server runs."""
    note(world, add(world))
    data = str(world.services.settings.data)

    def run(*args: str) -> str:
        done = CliRunner().invoke(headwater, ["sources", *args, "--data", data])
        assert done.exit_code == 0, done.output
        return done.output

    figures = json.loads(run("figures", "shop", "--json"))
    assert figures["total"]["reasons"] == {"event_not_defined": 3}
    assert "1239" in run("figures", "shop")
    assert "Nothing was received" in run("figures", "shop", "--hours", "1")
    assert "Why so." in run("refused", "shop")
    assert "invalid_write_key" in run("refused")
    blocked = json.loads(run("block", "shop", "--event", "A", "--name", "price", "--json"))
    assert blocked == [{"type": "track", "event": "A", "name": "price"}]
    assert "no" in run("schema", "shop")
    assert "lets everything in" in run("let-in", "shop", "--event", "A", "--name", "price")
    wrong = CliRunner().invoke(headwater, ["sources", "block", "shop", "--data", data])
    assert (wrong.exit_code, "name it" in wrong.output) == (1, True)
