"""Warehouses, and the deleting of users from them, in a real browser: to be read everywhere."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import log_in
from tests.browser.test_extensions import VIEWS, look
from tests.support.browser import open_page
from tests.support.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def warehouse(server: Server) -> str:
    """A DuckDB warehouse of this server."""
    return str(server.api("POST", "/api/v1/warehouses", {"type": "duckdb"})["id"])


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_every_page_can_be_read_everywhere(
    server: Server, browser: Browser, warehouse: str, scheme: str, viewport: dict[str, int]
) -> None:
    """The list, forms, one with a history, its tables: light and dark, wide and on a phone."""
    one = f"/warehouses/{warehouse}"
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        log_in(page, server)
        page.goto(server.url + one)
        page.get_by_role("button", name="Sync now").click()
        expect(page.get_by_role("status")).to_contain_text("The sync is over")
        look(page, "one")
        for path in ("/warehouses", "/warehouses/add/postgres", f"{one}/settings", f"{one}/tables"):
            page.goto(server.url + path)
            look(page, path)


@pytest.fixture(scope="module")
def crm(server: Server) -> None:
    """A destination that cannot delete."""
    source = server.api("POST", "/api/v1/sources", {"type": "http-api", "name": "Shop"})
    where = {"url": "https://example.com/a-hook"}
    body = {"type": "webhook", "source": source["slug"], "name": "CRM", "settings": where}
    server.api("POST", "/api/v1/destinations", body)


@pytest.mark.usefixtures("warehouse", "crm")
@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_users_are_deleted_before_ones_eyes(
    server: Server, browser: Browser, scheme: str, viewport: dict[str, int]
) -> None:
    """A regulation is asked for by its form, and its page tells by itself what became of it."""
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        log_in(page, server, "/privacy")
        look(page, "list")
        page.get_by_role("radio", name="Delete and suppress").check()
        page.get_by_label("User ids").fill("usr-1\nusr-2")
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("heading", name="At each place")).to_be_visible()
        look(page, "begun")
        row = page.get_by_role("row", name="duckdb")
        expect(row).to_contain_text("rows deleted", timeout=15_000)
        expect(page.get_by_role("row", name="CRM")).to_contain_text("not supported by Webhook")
        expect(page.get_by_text("partly failed")).to_be_visible(timeout=15_000)
        look(page, "over")
        page.goto(f"{server.url}/privacy")
        look(page, "list of some")
