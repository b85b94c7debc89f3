"""An extension in a real browser: connected, looked at, run; users looked up on the way."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import event, log_in, send
from tests.browser.test_looks import violations
from tests.browser.test_overview import FAILED_REQUEST, STICKING_OUT
from tests.support.browser import PHONE, WIDE, allow_trouble, open_page
from tests.support.server import Server

pytestmark = pytest.mark.browser
VIEWS = [("light", WIDE), ("dark", PHONE)]


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    """The write key of a source of this server."""
    source = server.cli("sources", "add", "--type", "api-analytics", "--name", "API activity")
    return str(source["write_key"])


def look(page: Page, what: str) -> None:
    """Nothing scrolls sideways, nothing leaves its card, and axe finds nothing."""
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth") == page.evaluate(f"{root}.clientWidth"), what
    assert page.evaluate(STICKING_OUT) == [], what
    assert violations(page) == [], what


def test_the_segment_extension_is_connected_seen_and_run(
    server: Server, browser: Browser, key: str
) -> None:
    """From Settings to a delivered run, as a person does it; a wrong key is said beside it."""
    app = server.cli("apps", "create", "Connected in the browser")["app_id"]
    known = next(one for one in server.cli("apps", "list") if one["app_id"] == app)
    call = event(datetime.now(UTC), "/v1/items", 200, "user_1")
    send(server, known["collector_application_id"], [call])
    server.settle()
    with open_page(browser) as page:
        log_in(page, server)
        page.get_by_role("link", name="Extensions").click()
        page.goto(f"{page.url}?app={app}")
        page.get_by_role("link", name="Connect Segment").click()
        allow_trouble(page.context, *FAILED_REQUEST)
        page.get_by_label("Partner key").fill("not a key")
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_label("Partner key")).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label("Partner key")).to_be_empty()
        page.get_by_label("Partner key").fill(key)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("status")).to_contain_text("Connected")
        assert key not in page.content() + page.url
        page.get_by_role("link", name="Preview and test").click()
        page.get_by_label("User id").fill("user_1")
        page.keyboard.press("Enter")
        expect(page.locator(".message pre")).to_contain_text('"userId": "user_1"')
        page.get_by_role("button", name="Send it now").click()
        expect(page.get_by_text("accepted", exact=True)).to_be_visible()
        page.get_by_role("link", name="Segment", exact=True).click()
        page.get_by_role("button", name="Sync now").click()
        expect(page.get_by_text("Healthy:")).to_be_visible(timeout=15_000)
        with page.expect_response("**/extensions/segment/live?*", timeout=12_000) as answer:
            page.mouse.move(5, 5)
        assert answer.value.status == 200


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_every_new_page_can_be_read_everywhere(
    server: Server, browser: Browser, key: str, scheme: str, viewport: dict[str, int]
) -> None:
    """Users, one user, a connection and its messages: light and dark, wide and on a phone."""
    app = server.cli("apps", "list")[0]["app_id"]
    server.api("PUT", f"/api/v1/apps/{app}/extensions/segment?check=false", {"partner_key": key})
    cohorts = f"/api/v1/apps/{app}/cohorts"
    known = server.api("GET", cohorts)["items"]
    some = {"name": "Some", "conditions": [{"field": "calls", "op": "at_least", "value": 0}]}
    [cohort] = known or [server.api("POST", cohorts, some)]
    paths = [
        "/users", "/users?q=nobody", "/users/one?id=user_1", "/companies", "/extensions",
        "/cohorts", f"/cohorts/one?id={cohort['id']}",
        "/extensions/segment", "/extensions/segment/settings", "/extensions/webhook/settings",
        f"/extensions/segment/preview?app={app}&user=user_1", f"/extensions/segment/runs?app={app}",
        f"/extensions/segment/dead?app={app}",
    ]  # fmt: skip
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        log_in(page, server)
        for path in paths:
            page.goto(server.url + path)
            look(page, path)


def test_users_are_found_by_keyboard_without_scripts(server: Server, browser: Browser) -> None:
    """A search is a form, sorting a link, the timeline is in the page."""
    with open_page(browser, java_script_enabled=False) as page:
        log_in(page, server, "/users")
        page.get_by_role("searchbox").fill("USER_3")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name="user_3", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("user_3")
        assert page.locator(".timeline li").count() == 30
        page.get_by_role("link", name="Older").click()
        expect(page.locator(".timeline li").first).to_be_visible()
