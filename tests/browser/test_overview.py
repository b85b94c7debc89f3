"""The first page in a real browser."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import HOSTILE, HOSTILE_PATH, event, log_in, send
from tests.conftest import require
from tests.support.browser import PHONE, WIDE, allow_trouble, open_page
from tests.support.eventually import eventually
from tests.support.server import Server, serving

pytestmark = pytest.mark.browser
STICKING_OUT = """() => [...document.querySelectorAll(".card")]
    .filter((card) => card.scrollWidth > card.clientWidth)
    .map((card) => card.outerHTML.slice(0, 80))"""
FAILED_REQUEST = ("Failed to load resource", "Response Status Error Code")


def test_the_chart_draws_each_day_and_the_pointer_reads_it(page: Page) -> None:
    """Thirty days of bars; the tooltip's total is the sum of its rows."""
    expect(page.locator("stacked-days g.day")).to_have_count(30)
    assert page.locator("stacked-days path.segment").count() > 60
    page.hover("stacked-days .plot", position={"x": 600, "y": 120})
    rows = page.locator(".tip td.n").all_inner_texts()
    numbers = [int(text.replace(",", "")) for text in rows]
    assert sum(numbers[:-1]) == numbers[-1] > 0
    page.mouse.move(5, 5)
    expect(page.locator(".tip")).to_be_hidden()


def test_the_keyboard_reads_the_chart_and_leaves_it(page: Page) -> None:
    """Arrows go by a day, Home to the first, Escape away; a screen reader hears the same."""
    plot = page.get_by_role("slider", name="API calls per day")
    plot.focus()
    page.keyboard.press("Home")
    expect(plot).to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute("aria-valuenow", "1")
    said = plot.get_attribute("aria-valuetext") or ""
    assert page.locator(".tip strong").inner_text() in said
    page.keyboard.press("End")
    assert "so far" in (plot.get_attribute("aria-valuetext") or "")
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).to_be_hidden()


def test_new_calls_appear_without_loading_the_page(page: Page, server: Server) -> None:
    """The cards ask again by themselves; nothing else moves."""
    figure = page.locator(".figure").first
    before = int(figure.inner_text().replace(",", ""))
    app = server.cli("apps", "list")[0]
    send(
        server,
        app["collector_application_id"],
        [event(datetime.now(UTC), "/v1/new", 200, "user_1")] * 3,
    )
    server.settle()
    page.evaluate("htmx.trigger('#panel-stats', 'retry')")
    expect(figure).to_have_text(f"{before + 3:,}")


def test_a_panel_asks_again_every_ten_seconds(page: Page) -> None:
    """Without anybody's doing."""
    with page.expect_response("**/overview/stats?*", timeout=12_000) as answer:
        pass
    assert answer.value.status == 200


def test_a_failed_refresh_keeps_the_numbers_and_says_so(page: Page) -> None:
    """The old numbers stay, with a remark and a way to try again that works."""
    allow_trouble(page.context, *FAILED_REQUEST)
    page.route("**/overview/stats*", lambda route: route.fulfill(status=503, body="{}"))
    page.evaluate("htmx.trigger('#panel-stats', 'retry')")
    error = page.locator("#panel-stats .panel-error")
    expect(error).to_be_visible()
    expect(page.locator(".figure").first).to_be_visible()
    page.unroute("**/overview/stats*")
    error.get_by_role("button").click()
    expect(error).to_be_hidden()


def test_a_panel_that_is_being_read_is_left_alone(page: Page) -> None:
    """A chart under the pointer is not replaced; once the pointer has left, it is."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    poll = """() => {
        const panel = document.querySelector("#panel-days");
        return htmx.ajax("GET", panel.getAttribute("hx-get"), {source: panel}).catch(() => null);
    }"""
    page.hover("stacked-days .plot", position={"x": 300, "y": 100})
    page.evaluate(poll)
    assert not [url for url in asked if "/overview/days" in url]
    page.mouse.move(5, 5)
    page.evaluate(poll)
    assert [url for url in asked if "/overview/days" in url]


def test_hostile_words_are_shown_and_never_run(page: Page) -> None:
    """A user id and a route that are markup appear as they were sent."""
    expect(page.locator("#panel-people")).to_contain_text(HOSTILE)
    assert HOSTILE_PATH.lower()[:8] in page.locator("#panel-endpoints").inner_text().lower()
    assert page.locator("img").count() == 0


def test_without_scripts_the_page_tells_the_same(server: Server, browser: Browser) -> None:
    """Numbers, tables and the chart's days are in the page itself."""
    with open_page(browser, java_script_enabled=False) as plain:
        log_in(plain, server)
        assert plain.locator(".figure").count() == 4
        plain.locator("summary").click()
        expect(plain.locator("details tbody tr")).to_have_count(30)


def test_the_theme_is_chosen_once_and_kept(page: Page) -> None:
    """The choice rules over the system's and is there before the next page is drawn."""
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(background)
    assert light != dark
    page.reload()
    assert page.evaluate(background) == dark


def test_an_ended_session_leads_to_the_login(page: Page) -> None:
    """A page left open does not fill its cards with login forms."""
    allow_trouble(page.context, *FAILED_REQUEST)
    page.context.clear_cookies()
    page.evaluate("htmx.trigger('#panel-stats', 'retry')")
    page.wait_for_url("**/login*")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_sticks_out_sideways(
    server: Server, browser: Browser, viewport: dict[str, int]
) -> None:
    """No page scrolls sideways, and no text leaves its card, on a phone neither."""
    app = server.cli("apps", "create", f"Nothing yet {viewport['width']}")
    with open_page(browser, viewport=viewport) as page:
        log_in(page, server)
        for path in ("/", "/health", "/api/docs", f"/?app={app['app_id']}"):
            page.goto(server.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"], path
            assert page.evaluate(STICKING_OUT) == [], path


def test_the_copied_command_makes_the_first_call_and_the_page_opens(
    page: Page, server: Server
) -> None:
    """What the empty page offers works as it stands, and the page notices by itself."""
    require(shutil.which("curl"), "curl")
    app = server.cli("apps", "create", "Brand new")
    page.goto(f"{server.url}/?app={app['app_id']}")
    expect(page.get_by_text("Waiting for the first call", exact=True)).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert " 201 " in done.stdout
    expect(page.get_by_text("my-first-user")).to_be_visible(timeout=15_000)


def test_a_new_owner_sets_up_by_the_link_and_lands_on_the_first_page(
    tmp_path: Path, browser: Browser
) -> None:
    """The link that a new server prints works; its token is not in the address of the form."""
    with serving(tmp_path) as new, open_page(browser) as page:
        log = tmp_path / "stderr.log"
        link = eventually(lambda: re.search(r"http\S+/setup\?token=\S+", log.read_text()))
        assert link is not None
        page.goto(link[0])
        assert page.url == f"{new.url}/setup"
        page.fill("[name=email]", "eve@example.com")
        page.fill("[name=password]", "four unrelated little words")
        page.get_by_role("button", name="Create login").click()
        page.wait_for_url(f"{new.url}/")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
