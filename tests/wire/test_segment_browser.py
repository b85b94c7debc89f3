"""The real `@segment/analytics-next`, unmodified, in real Chromium, against the Tracking API.

The page has an origin of its own, so that each request is a cross-origin one with a preflight. It
fails its test on any error in the console: a refused preflight is one.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.support.browser import allow_trouble, open_chromium, open_page
from tests.support.eventually import eventually
from tests.support.npm import NODE
from tests.support.site import serving_site
from tests.support.tracking_server import Fault, TrackingServer, tracking_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
BATCHING = {"strategy": "batching", "config": {"size": 6, "timeout": 300}}
STRATEGIES: list[dict[str, Any]] = [{"strategy": "standard"}, BATCHING]
SIX = ["identify", "track", "page", "screen", "group", "alias"]
LOAD = """async ({key, cdn, deliveryStrategy}) => {
    window.analytics = AnalyticsNext.AnalyticsBrowser.load(
        {writeKey: key, cdnURL: cdn}, {integrations: {"Segment.io": {deliveryStrategy}}}
    );
    await window.analytics;
}"""
CALL_SIX = """async () => {
    await analytics.identify("u1", {plan: "pro"});
    await analytics.track("Paid", {value: 4.5});
    await analytics.page("Docs", "Home");
    await analytics.screen("Main");
    await analytics.group("g-1", {name: "Parcel"});
    await analytics.alias("u1", "old");
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    with tracking_server(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def origin(node_modules: Path) -> Iterator[str]:
    """A customer's site that serves the library as npm delivers it."""
    folder = node_modules / "@segment" / "analytics-next" / "dist" / "umd"
    scripts = {f"/umd/{path.name}": path for path in folder.glob("*.js")}
    pages = {name: ("text/javascript", path.read_bytes()) for name, path in scripts.items()}
    html = (NODE / "segment.html").read_bytes()
    with serving_site({**pages, "/": ("text/html", html)}) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with open_chromium(chromium) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    with open_page(browser) as opened:
        opened.goto(f"{origin}/?utm_source=newsletter&utm_campaign=spring")
        yield opened


def load(page: Page, server: TrackingServer, strategy: dict[str, Any], key: str = "") -> None:
    """Start the library as a customer's page does: all it knows is the key and where to ask."""
    asked = {"key": key or server.source.write_key, "cdn": server.url}
    page.evaluate(LOAD, {**asked, "deliveryStrategy": strategy})


def wait_for_six(server: TrackingServer) -> None:
    eventually(lambda: len(server.messages()) >= len(SIX), within_s=30)
    assert Counter(message.type for message in server.messages()) == Counter(SIX)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=["standard", "batching"])
def test_all_six_calls_arrive_whole(
    page: Page, server: TrackingServer, strategy: dict[str, Any]
) -> None:
    """One by one or together; with the page, the campaign and the visitor's address."""
    load(page, server, strategy)
    page.evaluate(CALL_SIX)
    wait_for_six(server)
    by_type = {message.type: message.body for message in server.messages()}
    assert by_type["identify"]["traits"] == {"plan": "pro"}
    assert by_type["track"]["event"] == "Paid"
    context = by_type["track"]["context"]
    assert context["campaign"] == {"source": "newsletter", "name": "spring"}
    assert (context["library"]["name"], context["ip"]) == ("analytics.js", "127.0.0.1")
    assert all(body["anonymousId"] for body in by_type.values())
    for body in by_type.values():
        assert not {"_metadata", "writeKey"} & set(body)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=["standard", "batching"])
@pytest.mark.parametrize(
    "fault", [Fault(500, stored=True), Fault(429, {"retry-after": "1"})], ids=["500", "429"]
)
def test_after_trouble_every_message_is_there_once(
    page: Page, server: TrackingServer, strategy: dict[str, Any], fault: Fault
) -> None:
    """The library sends again with the same `messageId`."""
    allow_trouble(page.context, f"status of {fault.status}", "blocked by CORS", "net::ERR_FAILED")
    load(page, server, strategy)
    server.faults.append(fault)
    page.evaluate(CALL_SIX)
    wait_for_six(server)


def test_a_wrong_key_is_told_when_the_library_starts(page: Page, server: TrackingServer) -> None:
    """The only client that finds out; nothing is stored."""
    allow_trouble(page.context, "status of 404", "no enabled source")
    with pytest.raises(Error, match="There is no enabled source with this write key"):
        load(page, server, STRATEGIES[0], key="nobodys-key")
    assert server.messages() == []
