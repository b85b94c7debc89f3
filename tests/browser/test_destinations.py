"""A destination in a real browser: added, filtered, mapped, tried."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import log_in
from tests.browser.test_extensions import VIEWS, look
from tests.support.browser import open_page
from tests.support.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A destination with a filter and a message of its source."""
    folder: Path = tmp_path_factory.mktemp("exports")
    source = server.cli("sources", "add", "--type", "http-api", "--name", "Shop")
    body = {"type": "filesystem", "source": source["id"], "settings": {"location": str(folder)}}
    added = server.api("POST", "/api/v1/destinations", body)
    long = {"field": "properties.a_rather_long_name_of_a_property", "op": "is", "value": "x" * 90}
    filters = [{"kind": "drop", "when": {"all": [long, long]}, "name": "Long ones"}]
    server.api("PATCH", f"/api/v1/destinations/{added['id']}", {"filters": filters})
    track = {"userId": "u-1", "event": "Order Placed", "properties": {"total": 99}}
    sent = server.ask("POST", "/v1/track", {**track, "writeKey": source["write_key"]})
    assert sent.status == 200, sent.data
    return f"/destinations/{added['id']}"


def test_a_destination_is_set_up_and_tried(
    server: Server, browser: Browser, made: str, tmp_path: Path
) -> None:
    """From the empty hand to a file that holds the message, as a person does it."""
    del made  # its source is chosen
    with open_page(browser) as page:
        log_in(page, server)
        page.get_by_role("link", name="Destinations", exact=True).click()
        page.get_by_role("link", name="Add destination").click()
        page.get_by_role("link", name="Add Files and S3").click()
        page.get_by_label("Source").select_option("Shop")
        page.get_by_label("Name").fill("Archive")
        page.get_by_label("Location").fill(str(tmp_path))
        page.get_by_label("Compression").select_option("none")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("status")).to_contain_text("Added")
        page.get_by_role("link", name="Filters").click()
        page.get_by_role("link", name="Add filter").click()
        page.get_by_label("Messages that meet").fill("type is track")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Drops type is track")).to_be_visible()
        page.get_by_role("link", name="Event tester").click()
        page.get_by_role("link", name="Load the track").click()
        page.get_by_role("button", name="Send it now").click()
        expect(page.get_by_text("delivered", exact=True).first).to_be_visible()
    (file,) = [one for one in tmp_path.rglob("*.jsonl") if one.is_file()]
    assert json.loads(file.read_text())["event"] == "Order Placed"


@pytest.mark.parametrize(("scheme", "viewport"), VIEWS)
def test_every_page_can_be_read_everywhere(
    server: Server, browser: Browser, made: str, scheme: str, viewport: dict[str, int]
) -> None:
    """Light and dark, wide and on a phone, with nothing for axe to find."""
    paths = [
        "/destinations", "/destinations/catalog", "/destinations/add/webhook", made,
        f"{made}/settings", f"{made}/mappings", f"{made}/mappings/0", f"{made}/filters",
        f"{made}/filters/0", f"{made}/tester", f"{made}/deliveries",
    ]  # fmt: skip
    with open_page(browser, viewport=viewport, color_scheme=scheme) as page:
        log_in(page, server)
        for path in paths:
            page.goto(server.url + path)
            look(page, path)
