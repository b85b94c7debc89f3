"""Privacy in a real browser: a regulation asked for and carried out before one's eyes."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import log_in
from tests.browser.test_extensions import VIEWS, look
from tests.support.browser import open_page
from tests.support.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def warehouse(server: Server) -> str:
    """A DuckDB warehouse, and a source whose destination cannot delete."""
    source = server.api("POST", "/api/v1/sources", {"type": "http-api", "name": "Shop"})
    where = {"url": "https://example.com/a-hook"}
    body = {"type": "webhook", "source": source["slug"], "name": "CRM", "settings": where}
    server.api("POST", "/api/v1/destinations", body)
    return str(server.api("POST", "/api/v1/warehouses", {"type": "duckdb"})["name"])


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_a_regulation_is_asked_for_and_watched(
    server: Server, browser: Browser, warehouse: str, scheme: str, viewport: dict[str, int]
) -> None:
    """By its form; the page tells by itself what became of it: light and dark, wide and narrow."""
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        log_in(page, server, "/privacy")
        look(page, "list")
        page.get_by_role("radio", name="Delete and suppress").check()
        page.get_by_label("User ids").fill("usr-1\nusr-2")
        page.get_by_role("button", name="Begin").click()
        look(page, "begun")
        row = page.get_by_role("row", name=warehouse)
        expect(row).to_contain_text("0 rows deleted", timeout=15_000)
        expect(page.get_by_role("row", name="CRM")).to_contain_text("not supported by Webhook")
        expect(page.get_by_text("partly failed")).to_be_visible(timeout=15_000)
        look(page, "over")
        page.goto(f"{server.url}/privacy")
        look(page, "list of some")
