"""The masking policy over HTTP: shown, replaced, refused with the place of the fault."""

from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.web import LOCAL_TOKEN, World

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}
DEFAULT = {"mask": [], "keep": [], "fingerprint": [], "emails": False, "ip_addresses": False}


async def test_a_policy_is_replaced_as_a_whole(world: World, browser: Browser) -> None:
    """What is left out has its default again."""
    path = f"/api/v1/apps/{world.add_app().id}/masking"
    assert (await browser.get(path, headers=OWNER)).json() == DEFAULT
    answer = await browser.put(path, headers=OWNER, json={"mask": ["ssn"], "emails": True})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**DEFAULT, "mask": ["ssn"], "emails": True}
    assert (await browser.get(path, headers=OWNER)).json() == answer.json()
    again = await browser.put(path, headers=OWNER, json={"keep": ["page_token"]})
    assert again.json() == {**DEFAULT, "keep": ["page_token"]}


async def test_a_wrong_policy_changes_nothing(world: World, browser: Browser) -> None:
    """400 with the path in the document; 404 for an app that is not there."""
    path = f"/api/v1/apps/{world.add_app().id}/masking"
    await browser.put(path, headers=OWNER, json={"mask": ["ssn"]})
    wrong = await browser.put(path, headers=OWNER, json={"keep": ["page", "password"]})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_input")
    assert wrong.json()["field"] == "$.keep[1]"
    assert (await browser.get(path, headers=OWNER)).json()["mask"] == ["ssn"]
    nobody = await browser.put("/api/v1/apps/app_x/masking", headers=OWNER, json={})
    assert nobody.status_code == 404


async def test_without_a_login_nothing_is_shown_or_changed(world: World, browser: Browser) -> None:
    """Whoever may change the policy could read what comes next."""
    path = f"/api/v1/apps/{world.add_app().id}/masking"
    assert (await browser.get(path)).status_code == 401
    assert (await browser.put(path, json={})).status_code in {401, 403}
