"""Cohorts over HTTP and in the browser: kept, looked at, sent; deleted when nobody sends them."""

from html import unescape
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.extensions import add_cohort, list_cohorts, read_condition
from tests.support.calls import make_call
from tests.support.web import LOCAL_TOKEN, PAGE, World, browse, log_in

Browser = AsyncTestClient[Litestar]
KEY = "wk0123456789abcdef0123456789abcdef"
IS_ANN = {"field": "id", "op": "is", "value": "ann"}


@pytest.fixture
async def api(world: World) -> Any:
    async with browse(world) as client:
        client.headers["authorization"] = f"Bearer {LOCAL_TOKEN}"
        yield client


async def test_a_cohort_lives_by_http(world: World, api: Browser) -> None:
    """Made, changed, listed with its members and who sends it; gone only when nobody does."""
    app = world.add_app().id
    now = world.services.clock.now()
    await world.store(
        [make_call(f"{app}_{u}", app_id=app, user_id=u, time=now, received_at=now) for u in "abc"]
    )
    root = f"/api/v1/apps/{app}/cohorts"
    some = {"name": "Some", "conditions": [{"field": "id", "op": "is_not", "value": "b"}]}
    made = (await api.post(root, json=some)).json()
    one = f"{root}/{made['id']}"
    assert (made["name"], made["used_by"]) == ("Some", [])
    assert (await api.post(root, json=some)).status_code == 409
    first = (await api.get(f"{root}/Some/members?limit=1")).json()
    assert ([user["user_id"] for user in first["items"]], first["next_cursor"]) == (["a"], "a")
    rest = (await api.get(f"{one}/members?cursor=a")).json()
    assert ([user["user_id"] for user in rest["items"]], rest["next_cursor"]) == (["c"], None)
    assert (await api.get(f"{one}/count")).json() == {"members": 2}
    changed = await api.put(one, json={"name": "Ann", "conditions": [IS_ANN]})
    assert changed.json()["conditions"] == [IS_ANN]
    segment = f"/api/v1/apps/{app}/extensions/segment"
    await api.put(f"{segment}?check=false", json={"partner_key": KEY})
    status = (await api.put(f"{segment}/audience", json={"cohort": "Ann"})).json()
    assert (status["cohort"], status["audience"]) == ("Ann", [IS_ANN])
    [listed] = (await api.get(root)).json()["items"]
    assert listed["used_by"] == ["segment"]
    refused = await api.delete(one)
    assert (refused.status_code, "segment" in refused.json()["message"]) == (409, True)
    await api.put(f"{segment}/audience", json={"conditions": []})
    assert (await api.delete(one)).status_code == 204
    assert (await api.get(one)).status_code == 404


async def test_what_is_wrong_is_named(world: World, api: Browser) -> None:
    """And nothing is kept."""
    root = f"/api/v1/apps/{world.add_app().id}/cohorts"
    for body, field in (
        ({"name": "", "conditions": [IS_ANN]}, "name"),
        ({"name": "x", "conditions": []}, "conditions"),
        ({"name": "x", "conditions": [{"field": "age", "op": "is", "value": 9}]}, "audience"),
    ):
        answer = await api.post(root, json=body)
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await api.get(root)).json()["items"] == []


async def test_an_audience_is_a_cohort_or_conditions(world: World, api: Browser) -> None:
    """Both would leave open which counts; a cohort that is not there is not found."""
    app = world.add_app().id
    segment = f"/api/v1/apps/{app}/extensions/segment"
    await api.put(f"{segment}?check=false", json={"partner_key": KEY})
    both = {"cohort": "Some", "conditions": [IS_ANN]}
    assert (await api.put(f"{segment}/audience", json=both)).status_code == 400
    missing = await api.put(f"{segment}/audience", json={"cohort": "Some"})
    assert (missing.status_code, missing.json()["field"]) == (404, "cohort")


class Ann:
    """The owner at the pages of one app."""

    def __init__(self, browser: Browser, app: str, token: str) -> None:
        self.browser, self.app, self.token = browser, app, token

    async def get(self, path: str, **more: str) -> str:
        params = {"app": self.app, **more}
        found = await self.browser.get(path, headers=PAGE, params=params)
        assert found.status_code == 200, found.text
        return unescape(found.text)

    async def post(self, path: str, **fields: str) -> Any:
        data = {"csrf_token": self.token, **fields}
        mark = "&" if "?" in path else "?"
        return await self.browser.post(f"{path}{mark}app={self.app}", headers=PAGE, data=data)


@pytest.fixture
async def ann(world: World, browser: Browser) -> Ann:
    """With three users."""
    app = world.add_app().id
    now = world.services.clock.now()
    await world.store(
        [make_call(f"{app}_{u}", app_id=app, user_id=u, time=now, received_at=now) for u in "abc"]
    )
    return Ann(browser, app, await log_in(browser))


async def test_a_cohort_is_made_and_changed_in_the_browser(world: World, ann: Ann) -> None:
    """What is wrong is said beside what was typed; its people are listed and counted."""
    assert "There is no cohort yet" in await ann.get("/cohorts")
    wrong = await ann.post("/cohorts", name="Some", conditions="shoes is red")
    assert (wrong.status_code, 'id="conditions-error"' in wrong.text) == (400, True)
    assert ">shoes is red</textarea>" in wrong.text
    typed = "id is_not b\n\ncreated within_days 2"
    made = await ann.post("/cohorts", name="Some", conditions=typed)
    [one] = await world.services.configdb.run(list_cohorts, ann.app)
    assert made.headers["location"] == f"/cohorts/one?app={ann.app}&id={one.id}"
    page = await ann.get("/cohorts/one", id=one.id)
    assert page.count("/users/one?") == 2
    assert "2 users now" in await ann.get("/cohorts/one/count", id=one.id)
    wrong = await ann.post(f"/cohorts/one?id={one.id}", name=" ", conditions="id is a")
    assert (wrong.status_code, 'id="name-error"' in wrong.text) == (400, True)
    saved = await ann.post(f"/cohorts/one?id={one.id}", name="Only a", conditions="id is a")
    assert saved.headers["location"].endswith("said=saved")
    page = await ann.get("/cohorts/one", id=one.id, said="saved")
    assert ("Saved." in page, page.count("/users/one?")) == (True, 1)
    assert "Only a" in await ann.get("/cohorts")


async def test_a_cohort_is_chosen_in_the_browser(world: World, ann: Ann) -> None:
    """Instead of conditions; while it is sent it cannot be deleted."""
    services = world.services
    read = [read_condition("id is a")]
    one = await services.configdb.run(add_cohort, services.clock, ann.app, "Some", read)
    key = {"setting.partner_key": KEY, "unchecked": "true"}
    spikes = {f"setting.spike_{name}": "5" for name in ("calls", "percent", "times")}
    await ann.post("/extensions/segment/settings", **key, **spikes)
    choose = "/extensions/segment/set/audience"
    both = await ann.post(choose, cohort=one.id, audience="id is a")
    assert (both.status_code, "not both" in both.text) == (400, True)
    await ann.post(choose, cohort=one.id, audience="")
    assert f'<option value="{one.id}" selected>Some</option>' in await ann.get(
        "/extensions/segment"
    )
    page = await ann.get("/cohorts/one", id=one.id)
    assert "Delete this cohort" not in page
    assert f"/extensions/segment?app={ann.app}" in page
    kept = await ann.post(f"/cohorts/one/delete?id={one.id}")
    assert (kept.status_code, "sent by: segment" in kept.text) == (409, True)
    await ann.post(choose, cohort="", audience="")
    assert (await ann.post(f"/cohorts/one/delete?id={one.id}")).status_code == 303
    assert "There is no cohort yet" in await ann.get("/cohorts")


async def test_a_viewer_looks_at_cohorts_and_changes_none(world: World, browser: Browser) -> None:
    """Who changes one may change whom an extension sends."""
    app, services = world.add_app().id, world.services
    read = [read_condition("id is ann")]
    cohort = await services.configdb.run(add_cohort, services.clock, app, "Some", read)
    world.add_login("vic@example.com", "viewer")
    vic = Ann(browser, app, await log_in(browser, "vic@example.com"))
    page = await vic.get("/cohorts/one", id=cohort.id)
    assert ("id is ann" in page, "Save" in page) == (True, False)
    one = f"?id={cohort.id}"
    for path in ("/cohorts", f"/cohorts/one{one}", f"/cohorts/one/delete{one}"):
        answer = await vic.post(path, name="x", conditions="id is bo")
        assert answer.status_code == 403
    assert await services.configdb.run(list_cohorts, app) == [cohort]
