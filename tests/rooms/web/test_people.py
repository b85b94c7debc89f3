"""Users and companies over HTTP: who they are, what they did, and links that can be ruled wrong."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from msgspec import Raw

from headwater.base.clock import SystemClock
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.model import ProfileUpdate
from tests.support.calls import make_call
from tests.support.web import LOCAL_TOKEN, World

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}
NOW = SystemClock().now().replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    """One store a test: each has a log of its own, and tokens are made of offsets."""
    with closing(EventStore.open(EventStoreSettings(), tmp_path / "store")) as opened:
        yield opened


def said(app_id: str, hours_ago: float, fields: Any, **facts: Any) -> ProfileUpdate:
    at = NOW - hours_ago * HOUR
    plain = ProfileUpdate(
        app_id=app_id, kind="user", id="ann", update_id=f"u{hours_ago:06.2f}", time=at,
        received_at=at, fields=Raw(msgspec.json.encode(fields)),
    )  # fmt: skip
    return msgspec.structs.replace(plain, **facts)


async def a_known_user(world: World) -> str:
    app_id = world.add_app().id
    await world.store(
        [
            said(app_id, 9, {"metadata": {"name": "Ann", "plan": "free"}}, company_id="acme"),
            said(app_id, 5, {"metadata": {"plan": "pro"}}, anonymous_id="b1", session_key="k1"),
            make_call(
                f"{app_id}_1", app_id=app_id, user_id="ann", company_id="acme",
                time=NOW - 7 * HOUR, received_at=NOW, status=201, route="/orders", verb="POST",
                request_headers={"user-agent": "acme-sdk/1.2 (Linux)"},
            ),
            make_call(
                f"{app_id}_2", app_id=app_id, user_id="ann", company_id="acme",
                time=NOW - 8 * HOUR, received_at=NOW, status=200,
                request_headers={"user-agent": "acme-sdk/1.1"},
            ),
        ]
    )  # fmt: skip
    return app_id


async def get(browser: Browser, path: str) -> Any:
    answer = await browser.get(path, headers=OWNER)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_user_is_shown_with_companies_and_links(world: World, browser: Browser) -> None:
    """Who it is, from which company since when, by which library, with whom as witness."""
    app_id = await a_known_user(world)
    found = await get(browser, f"/api/v1/apps/{app_id}/users/ann")
    user = found["user"]
    assert (user["name"], user["lifecycle"], user["company_id"]) == ("Ann", "new", "acme")
    assert user["agent"]["library"] == "acme-sdk"
    assert user["agent"]["library_version"] == "1.2"
    assert found["ttfhw_s"] == 3_600
    assert [link["company_id"] for link in found["companies"]] == ["acme"]
    assert [(link["kind"], link["key"], link["said_by"]) for link in found["links"]] == [
        ("anonymous", "b1", "u005.00"),
        ("session", "k1", "u005.00"),
    ]
    company = await get(browser, f"/api/v1/apps/{app_id}/companies/acme")
    assert (company["company"]["lifecycle"], company["ttfhw_s"]) == ("new", 0)
    unknown = await browser.get(f"/api/v1/apps/{app_id}/users/nobody", headers=OWNER)
    assert unknown.status_code == 404


async def test_a_user_is_shown_as_at_a_moment(world: World, browser: Browser) -> None:
    """What was not yet said or done is not told; a moment that is none is refused."""
    app_id = await a_known_user(world)

    async def at(hours_ago: float) -> Any:
        moment = (NOW - hours_ago * HOUR).isoformat()
        asked = urlencode({"id": "ann", "at": moment})
        return await browser.get(f"/api/v1/apps/{app_id}/user?{asked}", headers=OWNER)

    then = (await at(6)).json()
    assert then["user"]["doc"]["metadata"] == {"name": "Ann", "plan": "free"}
    assert [link["company_id"] for link in then["companies"]] == ["acme"]
    assert (await at(8.5)).json()["ttfhw_s"] is None
    assert (await at(10)).status_code == 404
    ends = {"0001-01-01T00:00:00Z": 404, "9999-12-31T23:59:59Z": 200}
    for moment, status in ends.items():
        path = f"/api/v1/apps/{app_id}/user?{urlencode({'id': 'ann', 'at': moment})}"
        assert (await browser.get(path, headers=OWNER)).status_code == status
    for wrong in ("yesterday", "2026-11-22T09:00:00"):
        path = f"/api/v1/apps/{app_id}/user?{urlencode({'id': 'ann', 'at': wrong})}"
        answer = await browser.get(path, headers=OWNER)
        assert (answer.status_code, answer.json()["field"]) == (400, "at")


async def test_the_timeline_is_the_query(world: World, browser: Browser) -> None:
    """Calls, changes and links in one order, newest first, page by page."""
    app_id = await a_known_user(world)
    path = f"/api/v1/apps/{app_id}/users/ann/timeline"
    whole = await get(browser, path)
    told = [item["kind"] for item in whole["items"] if item["kind"] != "link"]
    assert told == ["profile", "call", "call", "profile"]
    links = [item["link"] for item in whole["items"] if item["kind"] == "link"]
    assert [(link["kind"], link["key"]) for link in links] == [
        ("session", "k1"), ("anonymous", "b1"), ("company", "acme"),
    ]  # fmt: skip
    assert whole["items"][0]["fields"] == {"metadata.plan": "pro"}
    assert whole["items"][0]["before"] == {"metadata.plan": "free"}
    first = await get(browser, f"{path}?limit=3")
    rest = await get(browser, f"{path}?limit=3&cursor={first['next_cursor']}")
    assert first["items"] + rest["items"] == whole["items"][:6]


async def test_an_app_says_what_a_success_is(world: World, browser: Browser) -> None:
    """The time to hello world follows at once; a wrong rule is refused with its place."""
    app_id = await a_known_user(world)
    path = f"/api/v1/apps/{app_id}/profiles"
    assert (await get(browser, path))["success"]["statuses"] == ["2xx", "3xx"]
    rules = {"success": {"statuses": ["201"], "verb": "POST", "route": "/orders"}}
    answer = await browser.put(path, headers=OWNER, json=rules)
    assert answer.status_code == 200, answer.text
    assert answer.json()["lifecycle"] == {"new_days": 7, "dormant_days": 28}
    assert (await get(browser, f"/api/v1/apps/{app_id}/users/ann"))["ttfhw_s"] == 7_200
    wrong = await browser.put(path, headers=OWNER, json={"success": {"statuses": ["ok"]}})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "$.success.statuses[0]")
    longer = {"lifecycle": {"new_days": 60, "dormant_days": 30}}
    wrong = await browser.put(path, headers=OWNER, json=longer)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "$.lifecycle.new_days")


async def test_a_link_is_ruled_wrong_and_right_again(world: World, browser: Browser) -> None:
    """By whom and why stays; a link that nothing ever told cannot be ruled about."""
    app_id = await a_known_user(world)
    path = f"/api/v1/apps/{app_id}/identity"
    name = {"user_id": "ann", "kind": "anonymous", "key": "b1", "reason": "a shared tablet"}
    browsers: list[dict[str, Any]] = []
    for command, counts in (("unlink", False), ("link", True)):
        answer = await browser.post(f"{path}/{command}", headers=OWNER, json=name)
        assert answer.status_code == 202, answer.text
        await world.store([])
        browsers = [
            link
            for link in (await get(browser, f"{path}/links?user_id=ann"))["items"]
            if link["kind"] == "anonymous"
        ]
        assert [link["counts"] for link in browsers] == [counts]
    assert [(one["verdict"], one["said_by"], one["reason"]) for one in browsers[0]["rulings"]] == [
        ("apart", "command line", "a shared tablet"),
        ("joined", "command line", "a shared tablet"),
    ]
    nothing = await browser.post(f"{path}/unlink", headers=OWNER, json={**name, "key": "b9"})
    assert nothing.status_code == 404
    assert (await browser.post(f"{path}/unlink", json=name)).status_code == 401


ODD = "a/b?c=1&d#e%2F ü"


@pytest.mark.parametrize(("path", "field"), [("user", "user"), ("company", "company")])
async def test_an_id_can_hold_anything(
    world: World, browser: Browser, path: str, field: str
) -> None:
    """As a query parameter, with its timeline; in a path a slash would part it."""
    app_id = world.add_app().id
    call = make_call(f"{app_id}_1", app_id=app_id, user_id=ODD, company_id=ODD, time=NOW)
    await world.store([call])
    asked = urlencode({"id": ODD})
    found = await get(browser, f"/api/v1/apps/{app_id}/{path}?{asked}")
    assert found[field]["id"] == ODD
    timeline = await get(browser, f"/api/v1/apps/{app_id}/{path}/timeline?{asked}&days=9&kind=call")
    assert [item["kind"] for item in timeline["items"]] == ["call"]
