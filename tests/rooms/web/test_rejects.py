"""What could not be understood can be looked at: counted by reason, chosen by kind and reason."""

from datetime import timedelta
from html import unescape
from typing import Any

import msgspec
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.model import Reject
from tests.support.calls import NOON
from tests.support.store import store
from tests.support.web import LOCAL_TOKEN, PAGE, World, log_in

__all__ = ["store"]  # each test its own: a new log reuses the insert tokens of another
Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}


def make_reject(app_id: str, number: int, kind: str = "event", **changes: Any) -> Reject:
    """Return a reject as the door makes them."""
    plain = Reject(
        app_id=app_id,
        reject_id=f"rej_{number}",
        received_at=NOON.replace(year=2020, second=number),
        kind=kind,
        reason="This is required.",
        field="$.request.uri",
        sample='{"request": {"verb": "GET"}}',
    )
    return msgspec.structs.replace(plain, **changes)


async def test_rejects_are_listed_with_reasons(world: World, browser: Browser) -> None:
    """Old ones as well; page by page; those of another app never."""
    app_id = world.add_app().id
    path = f"/api/v1/apps/{app_id}/rejects"
    empty = (await browser.get(path, headers=OWNER)).json()
    assert empty == {"items": [], "reasons": [], "next_cursor": None}

    await world.store(
        [
            *(make_reject(app_id, 1), make_reject(app_id, 2), make_reject(app_id, 3, "action")),
            make_reject("app_other", 4),
        ]
    )
    first = (await browser.get(f"{path}?limit=2", headers=OWNER)).json()
    rest = (await browser.get(f"{path}?cursor={first['next_cursor']}", headers=OWNER)).json()
    assert [item["reject_id"] for item in first["items"] + rest["items"]] == [
        "rej_3", "rej_2", "rej_1",
    ]  # fmt: skip
    assert first["items"][0] == {
        "reject_id": "rej_3", "received_at": "2020-11-20T12:00:03Z", "kind": "action",
        "reason": "This is required.", "field": "$.request.uri",
        "sample": '{"request": {"verb": "GET"}}',
    }  # fmt: skip
    assert [(one["kind"], one["count"]) for one in first["reasons"]] == [
        ("event", 2),
        ("action", 1),
    ]
    chosen = await browser.get(f"{path}?kind=action&reason=This+is+required.", headers=OWNER)
    assert [item["reject_id"] for item in chosen.json()["items"]] == ["rej_3"]
    for limit in (0, 1001, 10**30):
        answer = await browser.get(f"{path}?limit={limit}", headers=OWNER)
        assert (answer.status_code, answer.json()["field"]) == (400, "limit")


async def test_the_page_shows_reasons_and_samples(world: World, browser: Browser) -> None:
    """Chosen by a click on a reason; older ones on the next page; hostile samples stay text."""
    await log_in(browser)
    app_id = world.add_app().id
    now = world.services.clock.now()
    hostile = "<script>alert(1)</script>"
    recent = [
        make_reject(app_id, n, received_at=now - timedelta(minutes=n), field=f"$.f{n}")
        for n in range(30)
    ]
    odd = make_reject(app_id, 40, "user", received_at=now, reason=hostile, sample=hostile * 2)
    await world.store([*recent, odd, make_reject(app_id, 50)])

    html = (await browser.get(f"/rejects?app={app_id}", headers=PAGE)).text
    assert hostile not in html
    assert html.count("<details") == 25
    assert "$.f23" in html
    older = unescape(html.partition('class="button" href="')[2].partition('"')[0])
    rest = (await browser.get(older, headers=PAGE)).text
    assert rest.count("<details") == 6

    one = (await browser.get(f"/rejects?app={app_id}&kind=user", headers=PAGE)).text
    assert one.count("<details") == 1
    assert unescape(one).count(hostile) == 4
    assert "show all" in one
    place = (await browser.get(f"/rejects?app={app_id}&field=$.f7", headers=PAGE)).text
    assert (place.count("<details"), "only $.f7" in place) == (1, True)
    none = (await browser.get(f"/rejects?app={app_id}&reason=x", headers=PAGE)).text
    assert "No item of this kind" in none


async def test_an_empty_page_says_what_it_is_for(world: World, browser: Browser) -> None:
    """Of an app without rejects, of an app that is not there, and before a login."""
    before = await browser.get("/rejects", headers=PAGE)
    assert (before.status_code, before.headers["location"]) == (303, "/login?next=%2Frejects")
    await log_in(browser)
    world.add_app()
    html = (await browser.get("/rejects", headers=PAGE)).text
    assert "Nothing was rejected" in html
    assert (await browser.get("/rejects?app=app_x", headers=PAGE)).status_code == 404
