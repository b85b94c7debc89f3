"""The sampling policy over HTTP: shown, replaced, refused with the place of the fault."""

from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.web import LOCAL_TOKEN, World

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}
RULE = {"conditions": [{"path": "request.route", "value": "^/health"}], "sample_rate": 0}


async def test_a_policy_is_replaced_as_a_whole(world: World, browser: Browser) -> None:
    """What is left out is 100 % again; warnings do not refuse."""
    path = f"/api/v1/apps/{world.add_app().id}/sampling"
    everything = {
        "sample_rate": 100, "user_sample_rate": {}, "company_sample_rate": {}, "regex_config": [],
    }  # fmt: skip
    fresh = (await browser.get(path, headers=OWNER)).json()
    assert fresh == {"policy": everything, "warnings": []}

    policy = {"user_sample_rate": {"u-81": 60}, "regex_config": [RULE]}
    answer = await browser.put(path, headers=OWNER, json=policy)
    assert answer.status_code == 200, answer.text
    assert answer.json()["policy"] == {**everything, **policy}
    assert len(answer.json()["warnings"]) == 1
    assert (await browser.get(path, headers=OWNER)).json() == answer.json()

    again = await browser.put(path, headers=OWNER, json={"sample_rate": 10})
    assert again.json() == {"policy": {**everything, "sample_rate": 10}, "warnings": []}


async def test_a_wrong_policy_changes_nothing(world: World, browser: Browser) -> None:
    """400 with the path in the document; 404 for an app that is not there."""
    path = f"/api/v1/apps/{world.add_app().id}/sampling"
    await browser.put(path, headers=OWNER, json={"sample_rate": 10})
    wrong = await browser.put(path, headers=OWNER, json={"user_sample_rate": {"u-81": 60.5}})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_input")
    assert wrong.json()["field"] == "$.user_sample_rate['u-81']"
    assert (await browser.get(path, headers=OWNER)).json()["policy"]["sample_rate"] == 10
    nobody = await browser.put("/api/v1/apps/app_x/sampling", headers=OWNER, json={})
    assert nobody.status_code == 404


async def test_without_a_login_nothing_is_shown_or_changed(world: World, browser: Browser) -> None:
    """The policy names users."""
    path = f"/api/v1/apps/{world.add_app().id}/sampling"
    assert (await browser.get(path)).status_code == 401
    assert (await browser.put(path, json={})).status_code in {401, 403}
