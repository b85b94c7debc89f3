"""Destinations over HTTP: the catalogue, changes, trials, rotation, removal."""

from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.sources import add_source
from tests.support.web import LOCAL_TOKEN, World

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}
DROP = {"kind": "drop", "when": {"field": "type", "op": "is", "value": "track"}, "name": "No track"}


async def ask(browser: Browser, method: str, path: str, body: object = None) -> Any:
    answer = await browser.request(method, f"/api/v1/destinations{path}", headers=OWNER, json=body)
    return answer.json() if answer.content else answer.status_code


async def add(world: World, browser: Browser, kind: str, **settings: str) -> Any:
    with world.services.configdb.transaction() as connection:
        source = add_source(connection, world.services.clock, "http-api", "Shop")
    body = {"type": kind, "source": source.id, "settings": settings}
    return await ask(browser, "POST", "", body)


async def test_the_catalogue_declares_settings_and_actions(world: World, browser: Browser) -> None:
    """A program can build its forms from it."""
    found = {one["type"]: one for one in await ask(browser, "GET", "/catalog")}
    assert {"webhook", "segment", "filesystem"} <= set(found)
    action = found["webhook"]["actions"][0]
    assert action["fields"][0]["default"] == {"kind": "path", "path": ""}
    assert found["filesystem"]["settings"][1]["choices"][0]["value"] == "jsonl"


async def test_a_destination_is_changed_tried_and_removed(
    world: World, browser: Browser, tmp_path: Path
) -> None:
    """The whole life of one, by its API; the trial goes past the filters and leaves a file."""
    folder = tmp_path / "out"
    folder.mkdir()
    made = await add(world, browser, "filesystem", location=str(folder))
    path = f"/{made['id']}"
    changes = {"name": "Raw", "keeps_order": True, "filters": [DROP]}
    changed = await ask(browser, "PATCH", path, changes)
    assert {name: changed[name] for name in ("name", "keeps_order")} == {
        "name": "Raw", "keeps_order": True,
    }  # fmt: skip
    assert changed["filters"][0]["when"] == DROP["when"]
    assert changed["mappings"] == made["mappings"]
    trial = await ask(browser, "POST", f"{path}/test", {"type": "track"})
    assert trial["delivered"], trial
    assert trial["tried"][0]["exchanges"][0]["method"] == "WRITE"
    assert len([one for one in folder.rglob("*") if one.is_file()]) == 1
    assert (await ask(browser, "GET", f"{path}/recent")) == []
    assert await ask(browser, "DELETE", path) == 204
    assert (await ask(browser, "GET", path))["code"] == "not_found"


async def test_what_is_wrong_is_named_and_changes_nothing(world: World, browser: Browser) -> None:
    made = await add(world, browser, "webhook", url="https://hooks.example.com/in")
    path = f"/{made['id']}"
    for body, field in (
        ({"filters": [{**DROP, "when": {"all": [{"field": "a", "op": "so"}]}}]},
         "filters[0].when.all[0].op"),
        ({"mappings": [{"action": "fly"}]}, "mappings[0].action"),
        ({"settings": {"url": "https://hooks.example.com", "batch_size": "0"}}, "batch_size"),
    ):  # fmt: skip
        answer = await ask(browser, "PATCH", path, {"name": "New", **body})
        assert (answer["code"], answer["field"]) == ("invalid_input", field)
    assert (await ask(browser, "GET", path))["name"] == "Webhook"
    wrong = await ask(browser, "POST", f"{path}/test", {"message": {"userId": "u"}})
    assert wrong["field"] == "message.type"


async def test_a_rotated_secret_is_told_once(world: World, browser: Browser) -> None:
    """The answer holds it in the clear, the next look only its end."""
    made = await add(world, browser, "webhook", url="https://hooks.example.com/in")
    path = f"/{made['id']}"
    turned = await ask(browser, "POST", f"{path}/rotate-secret", {"keep_hours": 1})
    secret = turned["secrets"]["secret"]
    assert secret != made["secrets"]["secret"]
    shown = (await ask(browser, "GET", path))["settings"]
    assert shown["secret"] == f"••••{secret[-4:]}"
    assert shown["previous_secret"] == f"••••{made['secrets']['secret'][-4:]}"


async def test_a_mapping_is_tried_on_a_sample(world: World, browser: Browser) -> None:
    made = await add(world, browser, "webhook", url="https://hooks.example.com/in")
    rule = {"kind": "template", "text": "hi {{traits.name}}"}
    mapping = {"action": "send", "fields": {"body": rule}}
    found = await ask(browser, "POST", f"/{made['id']}/mappings/test", {"mapping": mapping})
    assert found == {"triggered": True, "fields": {"body": "hi Headwater Test"}, "error": ""}
