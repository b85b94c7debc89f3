"""A real server with some history, and a real browser before it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import open_chromium, open_page
from tests.support.server import Server, run_cli, serving

EMAIL, PASSWORD = "ann@example.com", "correct horse battery"
HOSTILE = '"><img src=x onerror=alert(1)>'
HOSTILE_PATH = "<script>alert(2)</script>"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for a module: while it lives, its driver keeps an event loop in this thread."""
    with open_chromium(chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """A server with one login and the calls of 40 days."""
    del browser  # without one there is nothing to serve
    data = tmp_path_factory.mktemp("data")
    run_cli(data, "users", "create", EMAIL, "--password-stdin", stdin=f"{PASSWORD}\n")
    with serving(data) as running:
        app = running.cli("apps", "list")[0]
        send(running, app["collector_application_id"], history())
        running.settle()
        yield running


@pytest.fixture
def page(server: Server, browser: Browser) -> Iterator[Page]:
    """A page that shows the overview to Ann."""
    with open_page(browser) as opened:
        log_in(opened, server)
        yield opened


def log_in(page: Page, server: Server, path: str = "/") -> None:
    """Log Ann in by the form."""
    page.goto(f"{server.url}/login?next={path}")
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.click("text=Log in >> nth=-1")
    page.wait_for_url(server.url + path)


def event(at: datetime, path: str, status: int, user: str) -> dict[str, Any]:
    """Return one event as SDKs send it."""
    time = at.isoformat().replace("+00:00", "Z")
    return {
        "request": {"time": time, "verb": "GET", "uri": f"https://api.example.com{path}"},
        "response": {"time": time, "status": status},
        "user_id": user,
    }


def history() -> list[dict[str, Any]]:
    """Return some calls of each of the last 40 days, hostile ones among them."""
    now = datetime.now(UTC)
    days = [
        event(
            now - timedelta(days=day, minutes=5 + n),
            f"/v1/items/{n}",
            (200, 200, 201, 404, 500)[n % 5],
            f"user_{n}",
        )
        for day in range(40)
        for n in range(10 + day % 7)
    ]
    hostile = event(now - timedelta(minutes=5), f"/v1/{HOSTILE_PATH}", 200, HOSTILE)
    return [*days, hostile]


def send(server: Server, key: str, events: list[dict[str, Any]]) -> None:
    """Send events as an SDK does."""
    headers = {"x-moesif-application-id": key, "content-type": "application/json"}
    answer = server.ask("POST", "/v1/events/batch", events, headers)
    assert answer.status == 201, answer.data
