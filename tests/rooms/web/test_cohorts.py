"""Cohorts over HTTP: kept, looked at, sent; deleted only when nobody sends them."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.calls import make_call
from tests.support.web import LOCAL_TOKEN, World, browse

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


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "conditions": [IS_ANN]}, "name"),
        ({"name": "x", "conditions": []}, "conditions"),
        ({"name": "x", "conditions": [{"field": "age", "op": "is", "value": 9}]}, "audience"),
    ],
)
async def test_what_is_wrong_is_named(
    world: World, api: Browser, body: dict[str, Any], field: str
) -> None:
    """And nothing is kept."""
    root = f"/api/v1/apps/{world.add_app().id}/cohorts"
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
