"""A source in a real browser: added, used, looked into."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import log_in
from tests.browser.test_extensions import VIEWS, look
from tests.support.browser import open_page
from tests.support.eventually import eventually
from tests.support.server import Server

pytestmark = pytest.mark.browser


def test_a_source_is_added_and_its_messages_are_seen(server: Server, browser: Browser) -> None:
    """From the empty hand to the message that a client just sent, without reloading the page."""
    with open_page(browser) as page:
        log_in(page, server)
        page.get_by_role("link", name="Sources", exact=True).click()
        page.get_by_role("link", name="Add source").click()
        page.get_by_role("link", name="Add Python").click()
        page.get_by_label("Nickname").fill("Checkout")
        page.get_by_role("button", name="Add source").click()
        expect(page.get_by_role("status")).to_contain_text("It receives from now on")
        key = page.get_by_label("Write key 1").inner_text()
        page.get_by_role("link", name="Debugger").click()
        expect(page.get_by_text("Nothing was received lately")).to_be_visible()
        track = {"userId": "u-1", "event": "Order Placed", "writeKey": key}
        assert server.ask("POST", "/v1/track", track).status == 200
        expect(page.get_by_text("Order Placed", exact=True)).to_be_visible(timeout=15_000)


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_every_page_can_be_read_everywhere(
    server: Server, browser: Browser, scheme: str, viewport: dict[str, int]
) -> None:
    """Light and dark, wide and on a phone, with nothing for axe to find."""
    source = server.cli("sources", "add", "--type", "website", "--name", "A rather long name " * 4)
    server.cli("sources", "rotate", source["slug"])
    track = {"userId": "u" * 120, "event": "E" * 90, "writeKey": source["write_key"]}
    assert server.ask("POST", "/v1/track", track | {"properties": {"p" * 60: 1}}).status == 200
    assert server.ask("POST", "/v1/track", {"writeKey": source["write_key"]}).status == 400
    assert server.ask("POST", "/v1/track", track | {"writeKey": "nobodys"}).status == 401
    server.cli("sources", "block", source["slug"], "--event", "Noise", "--name", "n" * 80)
    here = f"/sources/{source['slug']}"
    paths = ["/sources", "/sources/catalog", "/sources/add/api-analytics"]
    paths += [here, f"{here}/debugger", f"{here}/schema"]
    eventually(lambda: server.cli("sources", "refused") != [], within_s=20)
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        log_in(page, server)
        for path in paths:
            page.goto(server.url + path)
            look(page, path)
