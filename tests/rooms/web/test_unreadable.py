"""A record that nobody could read belongs to no app; administrators learn of it, others do not."""

from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.eventlog import Stream
from tests.support.store import store
from tests.support.web import LOCAL_TOKEN, PAGE, World, log_in

__all__ = ["store"]  # each test its own: a new log reuses the insert tokens of another
Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}
LIST = "/api/v1/unreadable-records"


async def test_unreadable_records_are_counted_and_listed(world: World, browser: Browser) -> None:
    """With offset, reason and the line as it is; the readable one beside them is stored."""
    empty = (await browser.get(LIST, headers=OWNER)).json()
    assert empty == {"count": 0, "items": []}
    broken = b'{"t":"call","broken":1}\n{"t":"strange"}'
    offset = await world.services.log.append(Stream.CALLS, broken)
    await world.store([])
    found = (await browser.get(f"{LIST}?limit=1", headers=OWNER)).json()
    status = (await browser.get("/api/v1/status", headers=OWNER)).json()
    (item,) = found["items"]
    assert (found["count"], status["unreadable_records"]) == (2, 2)
    assert item["log_offset"] == offset
    assert item["reason"].startswith("undecodable: ")
    assert item["sample"] in {'{"t":"call","broken":1}', '{"t":"strange"}'}


async def test_only_administrators_see_them(world: World, browser: Browser) -> None:
    """A viewer is refused the list, and the page shows no more than the state of the engines."""
    await world.services.log.append(Stream.CALLS, b"<strange>")
    await world.store([])
    for email, role, status in (("ann@example.com", "", 200), ("vi@example.com", "viewer", 403)):
        if role:
            world.add_login(email, role)
        anonymous = (await browser.get("/health", headers=PAGE)).text
        assert "Unreadable records" not in anonymous
        await log_in(browser, email)
        assert (await browser.get(LIST)).status_code == status
        page = (await browser.get("/health", headers=PAGE)).text
        assert ("Unreadable records" in page) == (status == 200)
        assert ("&lt;strange&gt;" in page) == (status == 200)
        browser.cookies.clear()
