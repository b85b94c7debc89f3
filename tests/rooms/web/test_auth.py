"""Nobody gets in without a right, and nobody acts for another."""

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import AsyncTestClient

from headwater.eventstore import EventStore
from headwater.workspace import create_token
from tests.support.web import (
    LOCAL_TOKEN,
    OWN_SITE,
    PAGE,
    PASSWORD,
    World,
    browse,
    field_of,
    log_in,
    open_world,
)

Browser = AsyncTestClient[Litestar]
PUBLIC = {
    "/login",
    "/setup",
    "/health",
    "/metrics",
    "/static/{digest:str}/{name:str}",
    "/api",
    "/api/{path:str}",
    "/api/docs",
    "/api/openapi.json",
}
NEW_APP = {"name": "Sandbox"}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_every_route_needs_a_login_unless_it_is_known_to_be_public(
    world: World, browser: Browser
) -> None:
    """A new route that forgets its guard fails here: programs get 401, people the login page."""
    routes = [route for route in browser.app.routes if isinstance(route, HTTPRoute)]
    guarded = [
        route
        for route in routes
        if route.path_format not in {p.replace(":str", "") for p in PUBLIC}
    ]
    assert len(guarded) > 3
    for route in guarded:
        path = route.path_format.replace("{", "").replace("}", "")
        for method in route.methods - {"OPTIONS"}:
            answer = await browser.request(method, path, headers={"accept": "application/json"})
            assert answer.status_code == 401, (method, path)
            assert answer.json()["code"] == "not_authenticated"


async def test_people_without_a_login_are_sent_to_it_and_back(
    world: World, browser: Browser
) -> None:
    """The page that was asked for is kept, and shown after the login."""
    answer = await browser.get("/?app=app_1", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/login?next=%2F%3Fapp%3Dapp_1",
    )
    page = await browser.get(answer.headers["location"], headers=PAGE)
    assert 'name="next" value="/?app=app_1"' in page.text


async def test_a_panel_that_asks_without_a_session_takes_the_whole_page_to_the_login(
    browser: Browser,
) -> None:
    """A login page never appears inside a card."""
    answer = await browser.get("/overview/stats?app=a", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


@pytest.mark.parametrize(
    ("scopes", "read", "create"),
    [
        (["read"], 200, 403),
        (["write"], 403, 403),
        (["admin"], 403, 201),
        (["read", "admin"], 200, 201),
    ],
)
async def test_a_token_may_do_what_its_scopes_say(
    world: World, browser: Browser, scopes: list[str], read: int, create: int
) -> None:
    """Scopes are exact: none includes another."""
    services = world.services
    token = await services.configdb.run(create_token, services.vault, services.clock, "ci", scopes)
    assert (await browser.get("/api/v1/apps", headers=bearer(token))).status_code == read
    made = await browser.post("/api/v1/apps", headers=bearer(token), json=NEW_APP)
    assert made.status_code == create


@pytest.mark.parametrize("token", ["", "wrong", LOCAL_TOKEN + "x", LOCAL_TOKEN[:-1], "ü"])
async def test_a_token_that_is_not_ours_opens_nothing(browser: Browser, token: str) -> None:
    """Neither an empty token nor one that is nearly right."""
    headers = [(b"authorization", f"Bearer {token}".encode())]
    assert (await browser.get("/api/v1/apps", headers=headers)).status_code == 401


async def test_a_bad_token_is_not_saved_by_a_good_session(world: World, browser: Browser) -> None:
    """Who sends a token is judged by the token alone."""
    await log_in(browser)
    assert (await browser.get("/api/v1/apps")).status_code == 200
    assert (await browser.get("/api/v1/apps", headers=bearer("wrong"))).status_code == 401


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 201),
        ({"origin": OWN_SITE}, 201),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"x-csrf-token": ""}, 403),
        ({"x-csrf-token": "wrong"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_a_session_changes_things_only_from_our_own_pages(
    world: World, browser: Browser, changed: dict[str, str], status: int
) -> None:
    """The cookie alone is worth nothing to another site."""
    headers = {"x-csrf-token": await log_in(browser), **changed}
    answer = await browser.post("/api/v1/apps", headers=headers, json=NEW_APP)
    assert answer.status_code == status, answer.text


async def test_a_viewer_looks_and_changes_nothing(world: World, browser: Browser) -> None:
    """The role decides what a session may do."""
    world.add_login("vic@example.com", "viewer")
    csrf = await log_in(browser, "vic@example.com")
    assert (await browser.get("/api/v1/apps")).status_code == 200
    answer = await browser.post("/api/v1/apps", headers={"x-csrf-token": csrf}, json=NEW_APP)
    assert answer.status_code == 403


async def test_a_logout_ends_the_session_for_good(world: World, browser: Browser) -> None:
    """A copy of the cookie is worthless afterwards, and a logout without its token does nothing."""
    csrf = await log_in(browser)
    copied = dict(browser.cookies)
    refused = await browser.post("/logout", headers=PAGE, data={"csrf_token": "wrong"})
    assert refused.status_code == 403
    assert (await browser.get("/api/v1/apps")).status_code == 200
    done = await browser.post("/logout", headers=PAGE, data={"csrf_token": csrf})
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    browser.cookies.update(copied)
    assert (await browser.get("/api/v1/apps")).status_code == 401


async def test_the_cookie_is_out_of_reach_and_changes_with_each_login(
    world: World, browser: Browser
) -> None:
    """Scripts cannot read it, other sites cannot send it, a planted one is not taken over."""
    browser.cookies.set("headwater", "session_planted_by_somebody", "testserver.local")
    await log_in(browser)
    first = browser.cookies["headwater"]
    assert first != "session_planted_by_somebody"
    browser.cookies.clear()
    await log_in(browser)
    assert browser.cookies["headwater"] != first


async def test_over_https_the_cookie_is_bound_to_the_host(
    tmp_path: Path, store: EventStore
) -> None:
    """Secure, with the __Host- prefix, and browsers are told to stay on https."""
    async with open_world(tmp_path, store, public_url="https://headwater.example") as world:
        world.add_login()
        async with browse(world) as browser:
            page = await browser.get("/login", headers=PAGE)
            assert "max-age=" in page.headers["strict-transport-security"]
            fields = {
                "email": "ann@example.com",
                "password": PASSWORD,
                "form_token": field_of(page.text, "form_token"),
            }
            headers = {
                **PAGE,
                "origin": "https://headwater.example",
                "cookie": page.headers["set-cookie"].split(";")[0],
            }
            answer = await browser.post("/login", headers=headers, data=fields)
            cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-headwater=session_")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"))
    assert "Domain" not in cookie
