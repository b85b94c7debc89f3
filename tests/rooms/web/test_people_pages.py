"""Users and companies in the browser: found, sorted, told; guarded, each app alone."""

import re
from datetime import timedelta
from html import unescape

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.model import ProfileUpdate
from headwater.workspace import App
from tests.support.calls import make_call
from tests.support.web import PAGE, World, log_in

Browser = AsyncTestClient[Litestar]
HOUR = timedelta(hours=1)
HOSTILE = '"><svg onload=alert(1)> {{ 7 * 7 }} a/b?c#d'


async def describe(world: World, app: App, user: str, **metadata: str) -> None:
    now = world.services.clock.now()
    fields = msgspec.Raw(msgspec.json.encode({"metadata": metadata}))
    update = ProfileUpdate(
        app_id=app.id, kind="user", id=user, update_id=f"{app.id}{user}", time=now,
        received_at=now, fields=fields,
    )  # fmt: skip
    await world.store([update])


async def call(world: World, app: App, user: str, count: int = 1, **facts: object) -> None:
    now = world.services.clock.now()
    known = {"company_id": "acme", "time": now - HOUR, **facts}
    await world.store(
        [
            make_call(f"{app.id}_{user}_{n}", app_id=app.id, user_id=user, received_at=now, **known)
            for n in range(count)
        ]
    )


async def get(browser: Browser, path: str, **params: str) -> str:
    answer = await browser.get(path, headers=PAGE, params=params or None)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def next_link(page: str) -> str:
    found = re.search('href="([^"]*)" rel="next"', page)
    assert found is not None
    return found[1]


async def test_users_are_found_and_sorted(world: World, browser: Browser) -> None:
    """By id, name or e-mail address; by calls as well as by time."""
    app = world.add_app()
    await call(world, app, "u1", 3, time=world.services.clock.now() - 5 * HOUR)
    await call(world, app, "u2")
    await describe(world, app, "u1", name="Ann Ash", email="ann@example.com")
    await log_in(browser)
    page = await get(browser, "/users", app=app.id)
    assert page.index("/users/one?app=" + app.id + "&id=u2") < page.index("Ann Ash")
    page = await get(browser, "/users", app=app.id, order="-calls")
    assert page.index("Ann Ash") < page.index("id=u2")
    for search in ("u1", "ash", "ANN@"):
        page = await get(browser, "/users", app=app.id, q=search)
        assert "Ann Ash" in page
        assert "id=u2" not in page
    assert "No user whose id" in await get(browser, "/users", app=app.id, q="zebra")
    wrong = await browser.get("/users?order=nonsense", headers=PAGE)
    assert wrong.status_code == 400


async def test_many_users_are_paged(world: World, browser: Browser) -> None:
    """The next page has those that the first had not, and leads back."""
    app = world.add_app()
    now = world.services.clock.now()
    await world.store(
        [
            make_call(f"{app.id}_{n}", app_id=app.id, user_id=f"u{n:03}", time=now, received_at=now)
            for n in range(53)
        ]
    )
    await log_in(browser)
    page = await get(browser, "/users", app=app.id)
    assert page.count("/users/one?") == 50
    page = await get(browser, next_link(page))
    assert page.count("/users/one?") == 3
    assert "First page" in page


async def test_a_user_is_told_with_everything(world: World, browser: Browser) -> None:
    """Who it is, since when, a day in numbers, and the calls and changes newest first."""
    app = world.add_app()
    now = world.services.clock.now()
    await call(world, app, "ann", 2, status=404, verb="POST", route="/orders", time=now)
    await describe(world, app, "ann", name="Ann Ash", plan="pro")
    await log_in(browser)
    page = await get(browser, "/users/one", app=app.id, id="ann")
    assert "<h1>Ann Ash</h1>" in page
    assert f"/companies/one?app={app.id}&id=acme" in page
    assert page.index("metadata.name, metadata.plan") < page.index("POST /orders")
    assert page.count("POST /orders") == 2
    assert '"plan": "pro"' in page
    assert "No call on this day." in page
    company = await get(browser, "/companies/one", app=app.id, id="acme")
    assert f"/users/one?app={app.id}&id=ann" in company


async def test_a_long_timeline_is_paged(world: World, browser: Browser) -> None:
    """Thirty at a time, none twice."""
    app = world.add_app()
    now = world.services.clock.now()
    await world.store(
        [
            make_call(
                f"{app.id}_{n:03}", app_id=app.id, user_id="ann", time=now - n * HOUR,
                received_at=now, route=f"/r{n:03}/", verb="GET",
            )
            for n in range(32)
        ]
    )  # fmt: skip
    await log_in(browser)
    page = await get(browser, "/users/one", app=app.id, id="ann")
    assert "/r029/" in page
    assert "/r030/" not in page
    page = await get(browser, next_link(page))
    assert "/r029/" not in page
    assert "/r031/" in page
    assert "Newest" in page


async def test_a_company_shows_what_its_people_did(world: World, browser: Browser) -> None:
    """By whom; one kind alone where that is chosen, with words where there is nothing."""
    app = world.add_app()
    await call(world, app, "ann", 1, verb="POST", route="/orders")
    await call(world, app, "bob", 1, verb="GET", route="/items")
    await log_in(browser)
    page = await get(browser, "/companies/one", app=app.id, id="acme")
    line = page.partition("Timeline")[2]
    assert all(word in line for word in ("POST /orders", "ann", "GET /items", "bob"))
    links = await get(browser, "/companies/one", app=app.id, id="acme", kind="link")
    assert links.count("First seen with this company") == 2
    links = await get(browser, "/users/one", app=app.id, id="ann", kind="link")
    assert "Belongs to acme from now on" in links
    page = await get(browser, "/companies/one", app=app.id, id="acme", kind="profile")
    assert "Nothing in this time." in page.partition("Timeline")[2]
    assert 'aria-current="true">Profile<' in page
    wrong = await browser.get(f"/companies/one?app={app.id}&id=acme&kind=joy", headers=PAGE)
    assert wrong.status_code == 400


async def test_the_last_complete_day_is_in_numbers(world: World, browser: Browser) -> None:
    """The figures of the rollup that extensions send."""
    app = world.add_app()
    now = world.services.clock.now()
    noon = now.replace(hour=12, minute=0) - timedelta(days=1)
    await call(world, app, "ann", 4, time=noon, status=500)
    await log_in(browser)
    page = await get(browser, "/users/one", app=app.id, id="ann")
    day = page.partition("Last complete day")[2]
    assert f"{noon:%Y-%m-%d}" in day[:200]
    assert "<dt>Server errors</dt><dd>4</dd>" in day
    assert "<dt>Error rate</dt><dd>100.0%</dd>" in day


async def test_before_anybody_calls_the_list_says_so(world: World, browser: Browser) -> None:
    """And leads to how to send the first call."""
    app = world.add_app("Empty")
    await log_in(browser)
    page = await get(browser, "/users", app=app.id)
    assert "Nobody has called yet" in page
    assert f'href="/?app={app.id}"' in page


@pytest.mark.parametrize("path", ["/users/one", "/companies/one"])
async def test_nobody_of_another_app_is_shown(world: World, browser: Browser, path: str) -> None:
    """Not in the list, not by id; and nothing at all without a login."""
    app, other = world.add_app(), world.add_app("Other")
    await call(world, app, "acme")
    answer = await browser.get(f"{path}?app={app.id}&id=acme", headers=PAGE)
    assert answer.headers["location"].startswith("/login?next=")
    await log_in(browser)
    await get(browser, path, app=app.id, id="acme")
    answer = await browser.get(f"{path}?app={other.id}&id=acme", headers=PAGE)
    assert answer.status_code == 404
    assert "acme" not in await get(browser, "/users", app=other.id)


async def test_an_id_can_be_anything_and_is_shown_as_text(world: World, browser: Browser) -> None:
    """Found by its own link; never markup, never a template."""
    app = world.add_app()
    await call(world, app, HOSTILE, company_id=HOSTILE)
    await log_in(browser)
    raw = (await browser.get(f"/users?app={app.id}", headers=PAGE)).text
    assert "<svg onload" not in raw
    link = raw.partition('class="person" href="')[2].partition('"')[0]
    page = (await browser.get(unescape(link), headers=PAGE)).text
    assert "<svg onload" not in page
    assert HOSTILE in unescape(page)
    company = await get(browser, "/companies/one", app=app.id, id=HOSTILE)
    assert HOSTILE in company


async def test_companies_are_found_sorted_and_paged(world: World, browser: Browser) -> None:
    """With their people and calls; the same by HTTP, page by page."""
    app = world.add_app()
    await log_in(browser)
    assert "No company is known yet" in await get(browser, "/companies", app=app.id)
    for n in range(51):
        await call(world, app, f"u{n}", company_id=f"c{n:02}")
    await call(world, app, "much", 3, company_id=HOSTILE)
    page = await get(browser, "/companies", app=app.id, order="-calls")
    assert page.index("<svg") < page.index("c00")  # unescaped by the test alone
    assert page.count("/companies/one?") == 50
    assert (await get(browser, next_link(page))).count("/companies/one?") == 2
    assert (await get(browser, "/companies", app=app.id, q="C07")).count("/companies/one?") == 1
    assert "No company whose id" in await get(browser, "/companies", app=app.id, q="zebra")
    path = f"/api/v1/apps/{app.id}/companies"
    asked = {"limit": "40", "order_by": "-calls"}
    first = (await browser.get(path, headers=PAGE, params=asked)).json()
    more = {**asked, "cursor": first["next_cursor"]}
    rest = (await browser.get(path, headers=PAGE, params=more)).json()
    names = [one["company_id"] for one in first["companies"] + rest["companies"]]
    assert (len(names), len(set(names)), names[0]) == (52, 52, HOSTILE)
    assert rest["next_cursor"] is None
