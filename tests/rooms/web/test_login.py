"""Logging in, and the first set-up."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.workspace import create_setup_link
from tests.support.web import PAGE, PASSWORD, World, field_of, log_in

Browser = AsyncTestClient[Litestar]


async def try_login(
    browser: Browser, email: str, password: str, next_path: str = "/"
) -> tuple[int, str, str]:
    form = field_of((await browser.get("/login", headers=PAGE)).text, "form_token")
    fields = {"email": email, "password": password, "form_token": form, "next": next_path}
    answer = await browser.post("/login", headers=PAGE, data=fields)
    return answer.status_code, answer.headers.get("location", ""), answer.text


async def test_a_wrong_password_and_an_unknown_address_look_the_same(
    world: World, browser: Browser
) -> None:
    """Nobody learns from the answer who has a login."""
    wrong = await try_login(browser, "ann@example.com", "not the password")
    unknown = await try_login(browser, "bob@example.com", "not the password")
    assert wrong[0] == unknown[0] == 401
    assert wrong[2].replace("ann@", "bob@") == unknown[2]
    assert "headwater" not in browser.cookies


async def test_guessing_gets_slow_and_the_right_password_waits_too(
    world: World, browser: Browser
) -> None:
    """After some tries the answer is to wait, whatever the password; another account is free."""
    statuses = [(await try_login(browser, "ann@example.com", f"guess {n}"))[0] for n in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    assert (await try_login(browser, "ann@example.com", PASSWORD))[0] == 429
    world.add_login("bob@example.com")
    assert (await try_login(browser, "bob@example.com", PASSWORD))[0] == 303


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [("/api/docs", "/api/docs"), ("//evil.example/x", "/"), ("https://evil.example", "/")],
)
async def test_after_the_login_comes_the_page_that_was_wanted_if_it_is_ours(
    world: World, browser: Browser, wanted: str, shown: str
) -> None:
    """A link to the login cannot lead to another site."""
    assert (await try_login(browser, "ann@example.com", PASSWORD, wanted))[:2] == (303, shown)


async def test_a_login_form_from_elsewhere_is_refused(world: World, browser: Browser) -> None:
    """Nobody is logged in as somebody else behind his back."""
    await browser.get("/login", headers=PAGE)
    fields = {"email": "ann@example.com", "password": PASSWORD, "form_token": "made up"}
    assert (await browser.post("/login", headers=PAGE, data=fields)).status_code == 403
    assert (await browser.post("/login", headers=PAGE, data={})).status_code == 403


async def test_who_is_in_already_is_not_asked_again(world: World, browser: Browser) -> None:
    """The login page sends on those who have a session."""
    await log_in(browser)
    answer = await browser.get("/login?next=/api/docs", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/api/docs")


async def new_link(world: World) -> str:
    services = world.services
    return await services.configdb.run(create_setup_link, services.vault, services.clock)


async def send_setup(browser: Browser, email: str, password: str) -> tuple[int, str]:
    page = await browser.get("/setup", headers=PAGE)
    form = field_of(page.text, "form_token")
    fields = {"email": email, "password": password, "form_token": form}
    answer = await browser.post("/setup", headers=PAGE, data=fields)
    return answer.status_code, answer.text


async def test_the_set_up_link_makes_one_login_and_leaves_no_token_behind(
    world: World, browser: Browser
) -> None:
    """The token leaves the address bar before a page is shown, and works once."""
    token = await new_link(world)
    first = await browser.get(f"/setup?token={token}", headers=PAGE)
    assert (first.status_code, first.headers["location"]) == (303, "/setup")
    page = await browser.get("/setup", headers=PAGE)
    assert token not in page.text
    assert (await send_setup(browser, "eve@example.com", "too short"))[0] == 400
    assert (await send_setup(browser, "eve@example.com", PASSWORD))[0] == 303
    assert (await browser.get("/api/v1/apps")).status_code == 200
    browser.cookies.set("headwater_setup", token, path="/setup")
    assert (await browser.get("/setup", headers=PAGE)).status_code == 404


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_a_made_up_set_up_link_opens_nothing(browser: Browser, token: str) -> None:
    """No page without a link that the server printed."""
    browser.cookies.set("headwater_setup", token, path="/setup")
    assert (await browser.get("/setup", headers=PAGE)).status_code == 404
    await browser.get("/login", headers=PAGE)
