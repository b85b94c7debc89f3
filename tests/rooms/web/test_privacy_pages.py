"""The pages of privacy: asked for, refused with a word, and what became of it."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.destinations import add_destination
from headwater.sources import add_source
from tests.rooms.web.test_destination_pages import Person
from tests.support.web import LOCAL_TOKEN, World, log_in

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}


@pytest.fixture
async def ann(world: World, browser: Browser) -> Person:
    return Person(browser, world, await log_in(browser))


async def test_a_regulation_is_asked_for_and_told_place_by_place(ann: Person) -> None:
    """The empty list says what to do; a fault stands beside its field; ids are never shown."""
    services = ann.world.services
    with services.configdb.transaction() as connection:
        source = add_source(connection, services.clock, "http-api", "Shop")
        add_destination(
            connection, services.vault, services.clock, services.egress,
            source_id=source.id, kind="slack", name="Chat",
            values={"webhook_url": "https://hooks.slack.com/services/T/B/x"},
        )  # fmt: skip
    assert "Nobody asked for anything yet" in await ann.see("/privacy")
    refused = await ann.send("/privacy", 400, kind="suppress", user_ids=" \n")
    assert "User ids are needed" in refused
    assert "There is no regulation" in await ann.send("/privacy", 400, kind="burn", user_ids="u")
    where = await ann.send("/privacy", kind="delete_only", user_ids="usr-1\n usr-2 \n\n")
    page = await ann.see(where)
    assert "2 users" in page
    assert "Deleting is not supported by Slack." in page
    assert "every 2s" in page
    assert "usr-1" not in page + await ann.see("/privacy")
    back = await ann.send("/privacy", kind="unsuppress", user_ids="usr-1")
    assert "Nothing more is to be done" in await ann.see(back)


async def test_regulations_are_asked_for_by_http(world: World, browser: Browser) -> None:
    """Created, shown, and listed page by page; what is wrong is named."""
    where, ids = "/api/v1/regulations", []
    for kind in ("suppress", "unsuppress", "delete_only"):
        body = {"kind": kind, "user_ids": ["usr-9"]}
        answer = await browser.post(where, json=body, headers=OWNER)
        assert (answer.status_code, answer.json()["users"]) == (201, 1)
        ids.append(answer.json()["id"])
    shown = await browser.get(f"{where}/{ids[0]}", headers=OWNER)
    assert [one["name"] for one in shown.json()["targets"]] == ["Messages"]
    first = (await browser.get(f"{where}?limit=2", headers=OWNER)).json()
    rest = (await browser.get(f"{where}?cursor={first['next_cursor']}", headers=OWNER)).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]
    for path, status, field in (
        (f"{where}/reg_none", 404, "regulation"), (f"{where}?cursor=none", 400, "cursor"),
    ):  # fmt: skip
        wrong = await browser.get(path, headers=OWNER)
        assert (wrong.status_code, wrong.json()["field"]) == (status, field)
    suppressed = (await browser.get("/api/v1/suppressed-users", headers=OWNER)).json()
    assert suppressed["items"] == []
