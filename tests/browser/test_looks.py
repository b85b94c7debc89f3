"""Everybody can read the pages: no violation that axe knows, in light and dark, wide and narrow."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import log_in
from tests.support.browser import PHONE, WIDE, open_page
from tests.support.server import Server

pytestmark = pytest.mark.browser


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {json.dumps([n['html'] for n in item['nodes']][:3])}" for item in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing(
    server: Server, browser: Browser, scheme: str, viewport: dict[str, int]
) -> None:
    """Contrast, names, roles and order, on every page, before and after a login."""
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        for path in ("/login", "/api/docs", "/health"):
            page.goto(server.url + path)
            assert violations(page) == [], path
        log_in(page, server)
        app = server.cli("apps", "create", f"Empty {scheme} {viewport['width']}")
        for path in ("/", "/rejects", "/health", "/api/docs", f"/?app={app['app_id']}"):
            page.goto(server.url + path)
            assert violations(page) == [], path
        page.goto(server.url)
        page.locator("summary").click()
        page.get_by_role("slider").focus()
        page.keyboard.press("ArrowLeft")
        assert violations(page) == [], "chart in use"


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    """The check itself can fail."""
    with open_page(browser) as page:
        page.set_content("<html><body><img src='data:,'><p>hm</p></body></html>")
        assert violations(page)
