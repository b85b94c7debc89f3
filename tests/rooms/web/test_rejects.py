"""What could not be understood can be looked at: counted by reason, chosen by kind and reason."""

from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.model import Reject
from tests.support.calls import NOON
from tests.support.web import LOCAL_TOKEN, World

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}


def make_reject(app_id: str, number: int, kind: str = "event") -> Reject:
    """Return a reject as the door makes them."""
    return Reject(
        app_id=app_id,
        reject_id=f"rej_{number}",
        received_at=NOON.replace(year=2020, second=number),
        kind=kind,
        reason="This is required.",
        field="$.request.uri",
        sample='{"request": {"verb": "GET"}}',
    )


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
    assert (await browser.get(f"{path}?limit=0", headers=OWNER)).status_code == 400
