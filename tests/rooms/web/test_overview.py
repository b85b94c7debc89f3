"""The first page, on real engines: right numbers, whole, and safe to look at."""

from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.base.clock import SetClock
from headwater.eventlog import MemoryLog
from headwater.eventstore import EventStore
from headwater.model import ApiCall, ProfileUpdate
from headwater.workspace import App
from tests.support.calls import make_call
from tests.support.store import store
from tests.support.web import PAGE, World, browse, log_in, open_world

__all__ = ["store"]  # each test its own: a new log reuses the insert tokens of another
Browser = AsyncTestClient[Litestar]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "</stacked-days><svg onload=alert(1)>",
    "javascript:alert(1)",
)


def calls_of(app: App, count: int, *, name: str = "", **changes: object) -> list[ApiCall]:
    return [
        make_call(f"{name or app.id}_{n}", app_id=app.id, received_at=NOON, **changes)
        for n in range(count)
    ]


class Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


async def test_the_page_shows_the_numbers_of_the_last_thirty_days_beside_those_before(
    tmp_path: Path, store: EventStore
) -> None:
    """Calls, users, error rate and latency, each with its change; other apps are not in them."""
    clock = SetClock(NOON)
    async with open_world(tmp_path, store, clock=clock, log=MemoryLog(clock)) as world:
        world.add_login()
        app, other = world.add_app("Payments"), world.add_app("Other")
        await world.store(
            [
                *calls_of(app, 8, time=NOON - timedelta(days=2), duration_ms=100.0),
                *calls_of(
                    app,
                    2,
                    name="bad",
                    time=NOON - timedelta(days=2),
                    status=503,
                    user_id="user_2",
                    duration_ms=100.0,
                ),
                *calls_of(app, 5, name="old", time=NOON - timedelta(days=40), duration_ms=50.0),
                *calls_of(other, 99, time=NOON - timedelta(days=2)),
            ]
        )
        async with browse(world) as browser:
            await log_in(browser)
            page = Tags((await browser.get(f"/?app={app.id}", headers=PAGE)).text)
    words = " ".join(page.text.split())
    assert "API calls 10 ▲ +100.0% vs 30 days before" in words
    assert "Active users 2 ▲ +100.0%" in words
    assert "Error rate 20.0% ▲ +20.0 points" in words
    assert "P95 latency 100 ms ▲ +100.0%" in words
    assert "GET /items/:id 10 20.0% 100 ms" in words
    assert words.count("UTC") == 1


async def test_the_chart_holds_each_day_by_status_and_as_a_table(
    tmp_path: Path, store: EventStore
) -> None:
    """Days are those of the app's zone; the table says the same as the bars."""
    clock = SetClock(NOON)
    async with open_world(tmp_path, store, clock=clock, log=MemoryLog(clock)) as world:
        world.add_login()
        app = world.add_app("Berlin", "Europe/Berlin")
        late_evening = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # the 19th in Berlin
        await world.store(
            [
                *calls_of(app, 3, time=late_evening),
                *calls_of(app, 1, name="x", time=late_evening, status=0),
            ]
        )
        async with browse(world) as browser:
            await log_in(browser)
            page = Tags((await browser.get(f"/?app={app.id}", headers=PAGE)).text)
    spec = next(attrs["data-spec"] for tag, attrs in page.tags if tag == "stacked-days")
    chart = msgspec.json.decode(spec or "")
    assert len(chart["days"]) == 30
    day = [d["text"] for d in chart["days"]].index("Thu 19 Nov 2026")
    found = {series["name"]: series["values"][day] for series in chart["series"]}
    assert found == {"2xx": 3, "No response": 1}
    assert sum(sum(series["values"]) for series in chart["series"]) == 4
    assert "Thu 19 Nov 2026 3 1" in " ".join(page.text.split())


@pytest.mark.parametrize("evil", HOSTILE)
async def test_what_clients_send_is_shown_as_text(
    world: World, browser: Browser, evil: str
) -> None:
    """User ids, names, companies and routes are anybody's words: never markup, never a template."""
    app = world.add_app(evil)
    now = world.services.clock.now()
    update = ProfileUpdate(
        app_id=app.id, kind="user", id=evil, update_id=app.id, time=now, received_at=now,
        fields=msgspec.Raw(msgspec.json.encode({"metadata": {"name": evil, "email": evil}})),
    )  # fmt: skip
    await world.store(
        [
            *calls_of(app, 2, time=now - timedelta(hours=1), user_id=evil, company_id=evil,
                      verb=evil, uri=f"https://api.example.com/{evil}"),
            update,
        ]
    )  # fmt: skip
    await log_in(browser)
    html = (await browser.get(f"/?app={app.id}", headers=PAGE)).text
    page = Tags(html)
    assert evil in page.text
    assert "49" not in {word for word in page.text.split() if word == "49"}
    assert not [tag for tag, attrs in page.tags if tag == "script" and "src" not in attrs]
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert not [tag for tag, _ in page.tags if tag == "img"]


async def test_an_app_that_is_not_there_is_not_found(world: World, browser: Browser) -> None:
    """Neither its page nor any of its panels."""
    await log_in(browser)
    paths = [
        "/",
        *(f"/overview/{name}" for name in ("stats", "days", "endpoints", "people", "waiting")),
    ]
    for path in paths:
        answer = await browser.get(f"{path}?app=app_of_somebody_else", headers=PAGE)
        assert answer.status_code == 404, path
    assert (await browser.get(f"/overview/nothing?app={world.add_app().id}")).status_code == 404


async def test_before_the_first_call_the_page_says_how_to_send_it(
    world: World, browser: Browser
) -> None:
    """With this app's own id, until the first call is stored; then the page loads anew."""
    app = world.add_app()
    await log_in(browser)
    text = unescape((await browser.get(f"/?app={app.id}", headers=PAGE)).text)
    assert "Waiting for the first call" in text
    assert "X-Moesif-Application-Id: YOUR" not in text
    waiting = await browser.get(f"/overview/waiting?app={app.id}")
    assert (waiting.status_code, "hx-refresh" in waiting.headers) == (204, False)
    await world.store(calls_of(app, 1, time=world.services.clock.now()))
    assert (await browser.get(f"/overview/waiting?app={app.id}")).headers["hx-refresh"] == "true"
    assert "Waiting" not in (await browser.get(f"/?app={app.id}", headers=PAGE)).text


async def test_a_viewer_is_not_shown_a_key_that_writes(world: World, browser: Browser) -> None:
    """Who may only look cannot send in the app's name."""
    world.add_login("vic@example.com", "viewer")
    app = world.add_app()
    await log_in(browser, "vic@example.com")
    text = unescape((await browser.get(f"/?app={app.id}", headers=PAGE)).text)
    assert "X-Moesif-Application-Id: YOUR_COLLECTOR_APPLICATION_ID" in text


async def test_numbers_that_are_not_whole_say_so(world: World, browser: Browser) -> None:
    """Late and sampled calls are counted and named; whole numbers need no remark."""
    whole, partial = world.add_app("Whole"), world.add_app("Partial")
    at = world.services.clock.now() - timedelta(hours=2)
    await world.store(
        [*calls_of(whole, 1, time=at), *calls_of(partial, 1, time=at, weight=10, flags=("late",))]
    )
    await log_in(browser)
    assert "flagged" not in (await browser.get(f"/?app={whole.id}", headers=PAGE)).text
    text = (await browser.get(f"/?app={partial.id}", headers=PAGE)).text
    assert "1 event came late" in text
    assert "sample" in text


async def test_a_store_that_is_away_leaves_the_page_standing(
    world: World, browser: Browser, store: EventStore
) -> None:
    """Each card says what is wrong and offers to try again; a refresh that fails is a 503."""
    app = world.add_app()
    await log_in(browser)
    store.close()
    page = await browser.get(f"/?app={app.id}", headers=PAGE)
    panel = await browser.get(f"/overview/stats?app={app.id}", headers=PAGE)
    assert page.status_code == 200
    assert page.text.count("Try again") == 4
    assert panel.status_code == 503
