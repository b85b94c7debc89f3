"""Warehouses in a real browser: every page can be read everywhere."""

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
