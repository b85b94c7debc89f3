"""What is beside calls: actions, subscriptions, and what could not be understood."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.model import ProfileUpdate, Reject
from tests.rooms.analytics.conftest import Ask, Populate
from tests.support.actions import make_action
from tests.support.calls import NOON, make_call

FIREFOX = "Mozilla/5.0 (X11; Linux) Firefox/130.0"


def _subscription(id_: str, minutes: int = 0, **changes: Any) -> ProfileUpdate:
    at = NOON + timedelta(minutes=minutes)
    plain: dict[str, Any] = {
        "app_id": "app_1", "kind": "subscription", "id": id_, "update_id": f"up_{minutes}",
        "time": at, "received_at": at, "company_id": "c-9",
        "fields": Raw(b'{"status":"active","items":[{"plan_id":"p"}],"metadata":{"seats":4}}'),
    }  # fmt: skip
    return ProfileUpdate(**plain | changes)


def _reject(number: int, kind: str = "event", reason: str = "This is required.") -> Reject:
    return Reject(
        app_id="app_1",
        reject_id=f"r{number}",
        received_at=NOON + timedelta(seconds=number),
        kind=kind,
        reason=reason,
        field="$.request.uri",
        sample='{"request": {"password": "*masked*"}}',
    )


async def test_an_action_shows_what_was_sent(populate: Populate, ask: Ask) -> None:
    """In the names of the filter list, documents as JSON."""
    await populate([make_action("a", session_key="fp", extra=Raw(b'{"novel":[1]}'))])
    answer = await ask("actions")
    (action,) = answer["actions"]
    assert action["request"] == {
        "time": "2026-11-20T12:00:00Z", "uri": "https://parcel.example/keys",
        "ip_address": "192.0.2.9", "country": "", "user_agent_string": FIREFOX,
    }  # fmt: skip
    assert (action["transaction_id"], action["action_name"]) == ("a", "Created Key")
    assert (action["user_id"], action["company_id"]) == ("user_1", "company_1")
    assert (action["client"]["name"], action["session_token"]) == ("Firefox", "fp")
    assert (action["metadata"], action["extra"]) == ({"plan": "trial"}, {"novel": [1]})
    assert answer["next_cursor"] is None


CHOICES: list[tuple[dict[str, Any], str]] = [
    ({"field": "action_name", "value": "Signed In"}, "b"),
    ({"field": "transaction_id", "value": "a"}, "a"),
    ({"field": "user_id", "op": "exists"}, "ab"),
    ({"field": "request.uri", "op": "contains", "value": "keys"}, "abc"),
    ({"field": "metadata.plan", "value": "paid"}, "b"),
    ({"field": "client.name", "value": "Firefox"}, "abc"),
    ({"field": "user.email", "value": "bo@parcel.example"}, "b"),
    ({"any": [{"field": "anonymous_id", "value": "v"}, {"field": "user_id", "value": "bo"}]}, "bc"),
    ({}, "abc"),
]  # fmt: skip


async def test_filters_choose_the_actions(populate: Populate, ask: Ask) -> None:
    """With the fields that actions have, those of profiles and metadata included."""
    bo = ProfileUpdate(
        app_id="app_1", kind="user", id="bo", update_id="u", time=NOON, received_at=NOON,
        fields=Raw(b'{"metadata":{"email":"bo@parcel.example"}}'),
    )  # fmt: skip
    await populate([
        bo, make_action("a"), make_action("c", user_id="", anonymous_id="v"),
        make_action("b", user_id="bo", action_name="Signed In", metadata=Raw(b'{"plan":"paid"}')),
        make_action("z", app_id="app_2"),
    ])  # fmt: skip
    for filters, ids in CHOICES:
        found = (await ask("actions", filters=filters))["actions"]
        assert "".join(sorted(action["transaction_id"] for action in found)) == ids, filters


async def test_a_filter_that_only_calls_have_is_a_fault_in_the_question(ask: Ask) -> None:
    """An empty list would look like an answer."""
    for name in ("response.status", "request.body.a", "request.headers.x", "weight"):
        with pytest.raises(InvalidInputError, match=name) as caught:
            await ask("actions", filters={"field": name, "op": "exists"})
        assert "action_name" in caught.value.hint


async def test_pages_follow_one_another(populate: Populate, ask: Ask) -> None:
    """Cursors walk through all actions, subscriptions and rejects once, equal times included."""
    times = [NOON + timedelta(minutes=n // 2) for n in range(7)]
    await populate([
        record
        for n, at in enumerate(times)
        for record in (
            make_action(f"a{n}", time=at), _reject(n // 2 * 10 + n), _subscription(f"s{n}", n // 2),
        )
    ])  # fmt: skip
    for kind, list_, name in (
        ("actions", "actions", "transaction_id"),
        ("rejects", "items", "reject_id"),
        ("subscriptions", "subscriptions", "subscription_id"),
    ):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await ask(kind, limit=3, cursor=cursor)
            seen += [item[name] for item in page[list_]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == 7, kind


async def test_a_timeline_has_actions_between_calls(populate: Populate, ask: Ask) -> None:
    """In one order, page by page; a filter about calls leaves actions out, and links in."""
    await populate([
        make_action("a1", time=NOON - timedelta(minutes=5)), make_call("c1"),
        make_action("a2", time=NOON + timedelta(minutes=5)), make_action("x", user_id="bo"),
    ])  # fmt: skip
    whole = await ask("user_timeline", user_id="user_1")
    assert [(item["kind"], item["id"]) for item in whole["items"]] == [
        ("action", "a2"), ("call", "c1"), ("link", "link company company_1 user_1"),
        ("action", "a1"),
    ]  # fmt: skip
    assert whole["items"][0]["action"]["action_name"] == "Created Key"
    walked: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask("user_timeline", user_id="user_1", limit=1, cursor=cursor)
        walked += page["items"]
        cursor = page["next_cursor"]
    assert walked == whole["items"]
    good = {"field": "response.status", "value": 200}
    only = await ask("user_timeline", user_id="user_1", filters=good)
    assert [item["kind"] for item in only["items"]] == ["call", "link"]


async def test_actions_are_no_calls(populate: Populate, ask: Ask) -> None:
    """No count knows them, yet their users are listed."""
    await populate([make_action("a", user_id="bo")])
    assert (await ask("count"))["count"] == 0
    (user,) = (await ask("users"))["users"]
    assert (user["user_id"], user["calls"]) == ("bo", 0)
    assert user["first_seen_at"].startswith("2026-11-20T12:00")


async def test_subscriptions_are_merged_and_listed(populate: Populate, ask: Ask) -> None:
    """As users and companies are: recursively, the newest value of each leaf, items as a whole."""
    more = Raw(
        b'{"status":"cancelled","items":[],"metadata":{"by":"ana"},'
        b'"current_period_start":"2026-11-01","current_period_end":"2026-12-01"}'
    )
    await populate([
        _subscription("s-1"), _subscription("s-1", 5, fields=more), _subscription("s-2", 1),
        _subscription("s-3", 2, company_id="c-10"), _subscription("s-4", app_id="app_2"),
    ])  # fmt: skip
    found = (await ask("subscriptions"))["subscriptions"]
    assert [one["subscription_id"] for one in found] == ["s-1", "s-3", "s-2"]
    first = found[0]
    assert (first["company_id"], first["status"]) == ("c-9", "cancelled")
    assert (first["created_at"], first["modified_at"]) == (
        "2026-11-20T12:00:00Z", "2026-11-20T12:05:00Z",
    )  # fmt: skip
    assert first["doc"] == {
        "company_id": "c-9", "status": "cancelled", "items": [],
        "metadata": {"seats": 4, "by": "ana"},
        "current_period_start": "2026-11-01", "current_period_end": "2026-12-01",
    }  # fmt: skip
    for spec, ids in (
        ({"company_id": "c-10"}, ["s-3"]),
        ({"status": "active", "company_id": "c-9"}, ["s-2"]),
        ({"from_": "2026-11-20T12:04:00Z"}, ["s-1"]),
        ({"status": "draft"}, []),
    ):
        found = (await ask("subscriptions", **spec))["subscriptions"]
        assert [one["subscription_id"] for one in found] == ids, spec
    assert (await ask("users"))["users"] == []


async def test_rejects_are_counted_by_reason(populate: Populate, ask: Ask) -> None:
    """The counts are those of the whole range; kind and reason choose among the items."""
    deep = "This nests deeper than 100 levels."
    await populate([_reject(1), _reject(2), _reject(3, "action"), _reject(4, reason=deep)])
    answer = await ask("rejects", limit=1)
    assert [(one["kind"], one["reason"], one["count"]) for one in answer["reasons"]] == [
        ("event", "This is required.", 2),
        ("action", "This is required.", 1),
        ("event", deep, 1),
    ]
    (newest,) = answer["items"]
    assert (newest["reject_id"], newest["field"]) == ("r4", "$.request.uri")
    assert newest["sample"] == '{"request": {"password": "*masked*"}}'
    for spec, ids in (
        ({"kind": "action"}, ["r3"]),
        ({"reason": deep}, ["r4"]),
        ({"kind": "event", "reason": "This is required."}, ["r2", "r1"]),
        ({"to": "2026-11-20T12:00:02Z"}, ["r1"]),
        ({"field": "$.request.uri", "kind": "action"}, ["r3"]),
        ({"field": "$.user_id"}, []),
        ({"kind": "user"}, []),
    ):
        items = (await ask("rejects", **spec))["items"]
        assert [item["reject_id"] for item in items] == ids, spec


async def test_nothing_there_is_no_error(ask: Ask) -> None:
    """Empty lists, and filters that mean nothing are refused."""
    assert (await ask("actions"))["actions"] == []
    assert (await ask("subscriptions"))["subscriptions"] == []
    rejects = await ask("rejects")
    assert (rejects["items"], rejects["reasons"]) == ([], [])
    for kind in ("subscriptions", "rejects"):
        with pytest.raises(InvalidInputError) as caught:
            await ask(kind, filters={"field": "user_id", "value": "x"})
        assert caught.value.field == "$.filters"
