"""The pages of sources: added, renamed, given new keys, and looked into."""

from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.destinations import add_destination
from headwater.eventlog import Stream
from headwater.model import Message
from headwater.sources import Source, add_source, get_source
from tests.rooms.web.test_destination_pages import Person
from tests.support.web import LOCAL_TOKEN, PAGE, World, log_in

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}


@pytest.fixture
async def ann(world: World, browser: Browser) -> Person:
    return Person(browser, world, await log_in(browser))


def add(world: World, name: str = "Shop & Co", kind: str = "http-api") -> Source:
    with world.services.configdb.transaction() as connection:
        return add_source(connection, world.services.clock, kind, name)


async def receive(world: World, source: Source, **body: Any) -> None:
    """Put a message into the log, as the door does."""
    now = world.services.clock.now()
    message = Message(
        source_id=source.id, message_id=f"m-{body['event']}", type="track", user_id="u-1",
        received_at=now, timestamp=now, body={"type": "track", "userId": "u-1", **body},
    )  # fmt: skip
    await world.services.log.append(Stream.MESSAGES, msgspec.json.encode(message))


async def test_without_a_source_the_page_says_what_to_do(ann: Person) -> None:
    """And the catalogue says what each is for."""
    assert "There is no source yet" in await ann.see("/sources")
    catalog = await ann.see("/sources/catalog")
    assert all(title in catalog for title in ("API Analytics", "Python", "Node.js", "Website"))


async def test_a_source_is_added_and_shows_how_to_send(ann: Person) -> None:
    """With its own key in the setup; a fault stands beside its field."""
    refused = await ann.send("/sources/add/python", 400, name=" ")
    assert "A name has 1 to 100 characters." in refused
    where = await ann.send("/sources/add/python", name="My Shop")
    assert where == "/sources/my-shop?said=added"
    page = await ann.see(where)
    source = await ann.world.services.configdb.run(get_source, "my-shop")
    assert "Added. It receives from now on." in page
    assert f'analytics.write_key = "{source.write_key}"' in page
    assert "and to no destination yet" in page
    assert "my-shop" in await ann.see("/sources")


async def test_an_api_source_keeps_the_version_that_was_chosen(ann: Person) -> None:
    """The form offers both."""
    assert "2019" in await ann.see("/sources/add/api-analytics")
    await ann.send("/sources/add/api-analytics", name="API", payload_version="2019")
    source = await ann.world.services.configdb.run(get_source, "api")
    assert source.payload_version == "2019"


async def test_keys_are_changed_without_a_break(ann: Person) -> None:
    """A new one beside the old one; then the old one stops."""
    first = add(ann.world).write_key
    await ann.send("/sources/shop-co/do/rotate")
    page = await ann.see("/sources/shop-co")
    assert first in page
    assert "older, still works" in page
    await ann.send("/sources/shop-co/do/revoke")
    assert first not in await ann.see("/sources/shop-co")


async def test_a_source_is_switched_and_renamed(ann: Person) -> None:
    """The slug stays; who gets its messages is told."""
    source = add(ann.world)
    s = ann.world.services
    with s.configdb.transaction() as connection:
        add_destination(
            connection, s.vault, s.clock, s.egress, source_id=source.id, kind="webhook",
            values={"url": "https://hooks.example.com/in"}, name="Ticker",
        )  # fmt: skip
    await ann.send("/sources/shop-co/do/disable")
    assert (
        await ann.send("/sources/shop-co/rename", name="Store") == "/sources/shop-co?said=renamed"
    )
    page = await ann.see("/sources/shop-co")
    assert "disabled" in page
    assert "<h1>Store</h1>" in page
    assert "Ticker" in page
    assert "1 to 100 characters" in await ann.send("/sources/shop-co/rename", 400, name="")
    assert (await ann.browser.get("/sources/nowhere", headers=PAGE)).status_code == 404
    nothing = await ann.browser.post(
        "/sources/shop-co/do/dance", headers=PAGE, data={"csrf_token": ann.token}
    )
    assert nothing.status_code == 404


async def test_the_debugger_shows_what_came_and_of_this_source_only(ann: Person) -> None:
    """Newest first, searched by any text, past a torn record; the panel is the list alone."""
    shop, site = add(ann.world), add(ann.world, "Site")
    assert "Nothing was received lately" in await ann.see("/sources/shop-co/debugger")
    await receive(ann.world, shop, event="Paid", properties={"note": "<b>ÄRGER</b>"})
    await receive(ann.world, shop, event="Left")
    await receive(ann.world, site, event="Elsewhere")
    await ann.world.services.log.append(Stream.MESSAGES, b'{"torn": ')
    page = await ann.see("/sources/shop-co/debugger")
    assert page.index("Left") < page.index("Paid")
    assert "Elsewhere" not in page
    found = await ann.see("/sources/shop-co/debugger?search=ärger")
    assert "Paid" in found
    assert "Left" not in found
    assert "No message of late" in await ann.see("/sources/shop-co/debugger?kind=identify")
    panel = await ann.browser.get(
        "/sources/shop-co/debugger", headers={**PAGE, "hx-request": "true"}
    )
    assert "<b>ÄRGER</b>" not in panel.text
    assert "<html" not in panel.text
    listed = await ann.browser.get("/api/v1/sources/shop-co/messages?search=paid", headers=OWNER)
    assert [message["event"] for message in listed.json()["messages"]] == ["Paid"]


async def test_who_may_only_read_sees_no_key_and_changes_nothing(
    world: World, browser: Browser
) -> None:
    """Not the buttons, and not by the address either."""
    source = add(world)
    world.add_login("vi@example.com", "viewer")
    token = await log_in(browser, "vi@example.com")
    page = (await browser.get("/sources/shop-co", headers=PAGE)).text
    assert source.write_key not in page
    assert "Make a new key" not in page
    for path in ("add/python", "shop-co/rename", "shop-co/do/rotate"):
        sent = await browser.post(
            f"/sources/{path}", headers=PAGE, data={"csrf_token": token, "name": "x"}
        )
        assert sent.status_code == 403


async def test_the_same_by_http(world: World, browser: Browser) -> None:
    """Renamed, the older key stopped; a limit out of bounds is named."""
    source = add(world)
    path = f"/api/v1/sources/{source.slug}"
    renamed = await browser.patch(path, headers=OWNER, json={"name": "Store"})
    assert (renamed.json()["name"], renamed.json()["slug"]) == ("Store", "shop-co")
    await browser.post(f"{path}/rotate", headers=OWNER)
    left = (await browser.post(f"{path}/revoke-old-key", headers=OWNER)).json()["write_keys"]
    assert len(left) == 1
    assert left != [source.write_key]
    wrong = await browser.get(f"{path}/messages?limit=0", headers=OWNER)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "limit")
