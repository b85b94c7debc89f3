"""The pages of destinations: added, changed, filtered, mapped, tried and removed by forms."""

import html
import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.destinations import Instance, list_destinations
from headwater.sources import add_source
from tests.support.web import PAGE, World, log_in

Browser = AsyncTestClient[Litestar]


class Person:
    """Somebody who is logged in, with forms to fill in."""

    def __init__(self, browser: Browser, world: World, token: str) -> None:
        self.browser = browser
        self.world = world
        self.token = token

    async def see(self, path: str) -> str:
        answer = await self.browser.get(path, headers=PAGE)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return html.unescape(answer.text)

    async def send(self, path: str, status: int = 303, /, **fields: str) -> str:
        answer = await self.browser.post(
            path, headers=PAGE, data={**fields, "csrf_token": self.token}
        )
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return html.unescape(answer.text) or answer.headers["location"]

    async def only(self) -> Instance:
        (found,) = await self.world.services.configdb.run(list_destinations)
        return found


@pytest.fixture
async def ann(world: World, browser: Browser) -> Person:
    return Person(browser, world, await log_in(browser))


async def files(ann: Person, folder: Path) -> str:
    """Add files by the form; return the address of the destination."""
    with ann.world.services.configdb.transaction() as connection:
        source = add_source(connection, ann.world.services.clock, "http-api", "Shop & Co")
    settings = {"setting.location": str(folder), "setting.batch_size": "100"}
    where = await ann.send("/destinations/add/filesystem", name="Raw", source=source.id, **settings)
    return where.partition("?")[0]


async def test_without_a_destination_the_page_says_what_to_do(ann: Person) -> None:
    """Also where there is no source yet."""
    assert "Nothing is sent on yet" in await ann.see("/destinations")
    assert "Files and S3" in await ann.see("/destinations/catalog")
    assert "There is no source yet" in await ann.see("/destinations/add/webhook")


async def test_a_secret_that_was_made_is_shown_once(ann: Person) -> None:
    """In the answer to the form, never in an address; later only its end."""
    with ann.world.services.configdb.transaction() as connection:
        source = add_source(connection, ann.world.services.clock, "http-api", "Shop")
    url = {"setting.url": "https://hooks.example.com/in"}
    page = await ann.send("/destinations/add/webhook", 200, source=source.id, **url)
    secret = re.search(r"whsec_[\w+/=]+", page)
    assert secret is not None
    path = f"/destinations/{(await ann.only()).id}"
    assert secret[0] not in await ann.see(path) + await ann.see(f"{path}/settings")
    turned = await ann.send(f"{path}/do/rotate", 200)
    assert secret[0] not in turned
    assert "whsec_" in turned


async def test_a_fault_stands_beside_its_field(ann: Person, tmp_path: Path) -> None:
    """Nothing is saved, what was typed is still there."""
    path = await files(ann, tmp_path)
    page = await ann.send(
        f"{path}/settings", 400, name="New name", **{"setting.location": "/no/such/folder"}
    )
    assert 'id="field-1-error"' in page
    assert "/no/such/folder is no folder" in page
    assert 'value="New name"' in page
    assert (await ann.only()).name == "Raw"


async def test_filters_are_added_switched_moved_and_removed(ann: Person, tmp_path: Path) -> None:
    path = await files(ann, tmp_path)
    assert "may see every message of Shop & Co" in await ann.see(f"{path}/filters")
    await ann.send(
        f"{path}/filters/new", kind="drop", name="No pages", when="type is page", enabled="true"
    )
    await ann.send(
        f"{path}/filters/new", kind="sample", percent="25", by="user", when="", enabled="true"
    )
    await ann.send(f"{path}/filters/1/do/up")
    page = await ann.see(f"{path}/filters")
    assert "Drops type is page" in page
    assert page.index("Sends 25 % of every message, by user") < page.index("Drops")
    assert 'value="25"' in await ann.see(f"{path}/filters/0")
    await ann.send(f"{path}/filters/0/do/switch")
    await ann.send(f"{path}/filters/1/do/remove")
    (left,) = (await ann.only()).filters
    assert not left.enabled
    wrong = await ann.send(f"{path}/filters/0", 400, kind="only", when="type like x")
    assert 'id="when-error"' in wrong
    assert "Invalid enum value 'like'" in wrong


async def test_a_mapping_is_tried_and_then_saved(ann: Person, tmp_path: Path) -> None:
    """Trying stores nothing; what is saved is in the list with its condition."""
    path = await files(ann, tmp_path)
    rule = '{"kind": "object", "fields": {"who": {"kind": "path", "path": "userId"}}}'
    fields = {
        "id": (await ann.only()).mappings[0].id,
        "action": "store",
        "name": "Only ids",
        "trigger": "type is track",
        "field.row": rule,
        "enabled": "true",
    }
    message = '{"type": "identify", "userId": "u-1"}'
    page = await ann.send(f"{path}/mappings/0", 200, message=message, **{**fields, "try": "true"})
    assert '"who": "u-1"' in page
    assert "does not meet the trigger" in page
    assert (await ann.only()).mappings[0].name == "Store"
    await ann.send(f"{path}/mappings/0", **fields)
    assert "Store: type is track" in await ann.see(f"{path}/mappings")
    assert rule in await ann.see(f"{path}/mappings/0")
    wrong = await ann.send(f"{path}/mappings/0", 400, **{**fields, "field.row": '{"kind"'})
    assert 'id="field-1-error"' in wrong


async def test_the_tester_sends_for_real(ann: Person, tmp_path: Path) -> None:
    """What is in the form is what arrives; nonsense is refused beside it."""
    folder = tmp_path / "out"
    folder.mkdir()
    path = await files(ann, folder)
    assert '"type": "group"' in await ann.see(f"{path}/tester?sample=group")
    page = await ann.send(f"{path}/tester", 200, message='{"type": "track", "event": "Ordered"}')
    assert "delivered" in page
    assert "WRITE file:///" in page
    assert [one for one in folder.rglob("*") if one.is_file()]
    assert 'id="message-error"' in await ann.send(f"{path}/tester", 400, message="{")


async def test_it_is_switched_and_removed(ann: Person, tmp_path: Path) -> None:
    """Removal wants to be sure."""
    path = await files(ann, tmp_path)
    await ann.send(f"{path}/do/disable")
    assert "Disabled: it misses" in await ann.see(f"{path}?said=disabled")
    await ann.send(f"{path}/do/enable")
    assert (await ann.only()).enabled
    await ann.send(f"{path}/do/remove", 400)
    await ann.send(f"{path}/do/nonsense", 404)
    assert await ann.send(f"{path}/do/remove", sure="true") == "/destinations?said=removed"
    assert await ann.world.services.configdb.run(list_destinations) == []


async def test_who_may_only_look_sees_no_buttons(
    ann: Person, world: World, browser: Browser, tmp_path: Path
) -> None:
    """A viewer reads everything, and changes nothing."""
    path = await files(ann, tmp_path)
    world.add_login("viewer@example.com", "viewer")
    browser.cookies.clear()
    viewer = Person(browser, world, await log_in(browser, "viewer@example.com"))
    for part in ("", "/mappings", "/filters", "/tester"):
        assert "do/" not in await viewer.see(path + part)
    await viewer.send(f"{path}/do/disable", 403)
    await viewer.send(f"{path}/tester", 403, message="{}")
