"""A profile has a history, and a visitor's profile goes with the link that names the user."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from headwater.analytics import QueryScope, answer
from headwater.base.clock import SetClock
from headwater.model import LinkRuling, ProfileUpdate
from headwater.profiles.fold import fold
from headwater.profiles.merge import merge, to_document
from tests.rooms.identity.world import Record, World, stored_owners
from tests.support.calls import NOON, make_call

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with closing(World(tmp_path_factory.mktemp("data"))) as world:
        yield world


def said(app_id: str, hours: float, fields: Any, **facts: Any) -> ProfileUpdate:
    at = NOON + hours * HOUR
    plain = ProfileUpdate(
        app_id=app_id,
        kind="user",
        id="",
        update_id=f"u{hours:06.2f}",
        time=at,
        received_at=at,
        fields=Raw(msgspec.json.encode(fields)),
    )
    return msgspec.structs.replace(plain, **facts)


def ruled(app_id: str, verdict: Any, number: int = 1, **facts: Any) -> LinkRuling:
    plain = LinkRuling(
        app_id=app_id,
        ruling_id=f"r{number}",
        kind="anonymous",
        key="b1",
        user_id="ann",
        verdict=verdict,
        said_at=NOON + number * HOUR,
        said_by="ops@example.com",
        reason="a shared tablet",
    )
    return msgspec.structs.replace(plain, **facts)


async def document(world: World, app_id: str, user: str = "ann") -> Any:
    people = await world.profiles.people(app_id, [user])
    return people[user].doc if user in people else None


CAMPAIGN = {"campaign": {"utm_source": "ads"}}
FROM_ADS = {"campaign": {"utm_source": "ads"}, "initial_campaign": {"utm_source": "ads"}}


async def test_a_visitors_profile_becomes_the_users(world: World) -> None:
    """Whether the link is learned after the words, or before them; and even without own words."""
    for app_id, order in (("app_a", (0, 1)), ("app_b", (1, 0))):
        records: list[list[Record]] = [
            [said(app_id, 1, CAMPAIGN, anonymous_id="b1")],
            [make_call(f"{app_id}_call", app_id=app_id, user_id="ann", anonymous_id="b1")],
        ]
        for n in order:
            await world.put(records[n])
        await world.relink()
        person = (await world.profiles.people(app_id, ["ann"]))["ann"]
        assert person.doc == FROM_ADS
        assert person.first_touch == person.last_touch == {"utm_source": "ads"}
        assert person.anonymous_ids == ("b1",)
        await world.put([said(app_id, 2, {"metadata": {"email": "a@example.com"}}, id="ann")])
        person = (await world.profiles.people(app_id, ["ann"]))["ann"]
        assert (person.email, person.doc["campaign"]) == ("a@example.com", {"utm_source": "ads"})


async def test_a_wrong_link_can_be_undone_and_put_back(world: World) -> None:
    """Calls and words come apart, evidence that comes later changes nothing, and all is written."""
    app_id = "app_undo"
    unnamed = {"app_id": app_id, "user_id": "", "company_id": "", "anonymous_id": "b1"}
    await world.put([said(app_id, 1, CAMPAIGN, anonymous_id="b1"), make_call("x1", **unnamed)])
    await world.put([said(app_id, 2, {"plan": "pro"}, id="ann", anonymous_id="b1")])
    await world.relink()
    assert (await stored_owners(world.store, app_id))["x1"] == ("ann", "")
    await world.put([ruled(app_id, "apart")])
    await world.relink()
    assert (await stored_owners(world.store, app_id))["x1"] == ("", "")
    assert await document(world, app_id) == {"plan": "pro"}
    again = make_call("x2", **unnamed | {"user_id": "ann"})
    await world.put([again, make_call("x3", **unnamed)])
    await world.relink()
    assert (await stored_owners(world.store, app_id))["x3"] == ("", "")
    assert (await world.profiles.people(app_id, ["ann"]))["ann"].anonymous_ids == ()
    await world.put([ruled(app_id, "joined", 2)])
    await world.relink()
    assert {owner for owner, _ in (await stored_owners(world.store, app_id)).values()} == {"ann"}
    assert await document(world, app_id) == {"plan": "pro", **FROM_ADS}
    (link,) = await world.profiles.links(app_id, "ann")
    assert (link.kind, link.key, link.said_by, link.counts) == (
        "anonymous",
        "b1",
        "u002.00",
        True,
    )
    assert [(r.verdict, r.said_by) for r in link.rulings] == [
        ("apart", "ops@example.com"),
        ("joined", "ops@example.com"),
    ]


async def test_evidence_counts_again_after_the_ruling_is_taken_back(world: World) -> None:
    """What was said while it was ruled out did not count; the same, said once more, does."""
    app_id, later = "app_again", NOON + 72 * HOUR
    ann = {"app_id": app_id, "user_id": "ann", "company_id": "", "anonymous_id": "b1"}
    await world.put([make_call("w1", **ann)])
    await world.put([ruled(app_id, "apart")])
    await world.put([make_call("w2", **ann, time=later)])
    (link,) = await world.profiles.links(app_id, "ann")
    assert (link.counts, link.last_day) == (False, NOON.date())
    await world.put([ruled(app_id, "joined", 2)])
    await world.put([make_call("w3", **ann, time=later + HOUR)])
    (link,) = await world.profiles.links(app_id, "ann")
    assert (link.counts, link.last_day) == (True, later.date())


async def test_who_was_only_a_visitor_is_nobody_again(world: World) -> None:
    """A user of whom nothing else was said has no profile once the link is undone."""
    app_id = "app_only"
    await world.put([said(app_id, 1, CAMPAIGN, anonymous_id="b1")])
    await world.put([make_call("y1", app_id=app_id, user_id="ann", anonymous_id="b1")])
    await world.relink()
    before = (await world.profiles.people(app_id, ["ann"]))["ann"]
    assert before.doc == FROM_ADS
    await world.put([ruled(app_id, "apart")])
    await world.relink()
    person = (await world.profiles.people(app_id, ["ann"]))["ann"]
    assert person.changed_offset > before.changed_offset  # so extensions send the user again
    assert (person.doc, person.created_at, person.modified_at) == ({}, NOON, NOON)


async def test_a_shared_browser_gives_each_their_own_words(world: World) -> None:
    """What was said while it named Ann stays Ann's, also where Bob's words are newer."""
    app_id = "app_shared"
    await world.put(
        [
            said(app_id, 0, {}, id="ann", anonymous_id="b1"),
            said(app_id, 30, {}, id="bob", anonymous_id="b1"),
            said(app_id, 1, {"locale": "de"}, anonymous_id="b1"),
            said(app_id, 31, {"locale": "en"}, anonymous_id="b1"),
        ]
    )
    await world.relink()
    people = await world.profiles.people(app_id, ["ann", "bob"])
    assert (people["ann"].locale, people["bob"].locale) == ("de", "en")


async def test_a_profile_can_be_read_as_it_was(world: World) -> None:
    """Values, campaign, company and first success as of a moment; before all of it, nobody."""
    app_id = "app_then"
    await world.put([said(app_id, 5, {"plan": "pro"}, id="ann", company_id="new")])
    await world.put([said(app_id, 1, {"plan": "free", "x": 1}, id="ann", company_id="old")])
    ann = {"app_id": app_id, "user_id": "ann", "company_id": ""}
    await world.put(
        [
            make_call("z1", **ann, status=500, time=NOON + 2 * HOUR),
            make_call("z2", **ann, time=NOON + 6 * HOUR),
        ]
    )

    async def plan(hours: float) -> Any:
        found = await world.profiles.people_as_of(app_id, ["ann"], NOON + hours * HOUR)
        ann = found.get("ann")
        return ann and (ann.doc["plan"], ann.company_id, ann.last_seen_at, ann.first_success_at)

    assert await plan(0.5) is None
    assert await plan(1) == ("free", "old", None, None)
    assert await plan(4) == ("free", "old", NOON + 2 * HOUR, None)
    assert await plan(9) == ("pro", "new", NOON + 6 * HOUR, NOON + 6 * HOUR)
    now = (await world.profiles.people(app_id, ["ann"]))["ann"]
    assert (now.company_id, now.company_since) == ("new", NOON + 5 * HOUR)
    history = await world.profiles.company_history(app_id, "ann")
    assert [(link.company_id, link.since) for link in history] == [
        ("old", NOON + HOUR),
        ("new", NOON + 5 * HOUR),
    ]


async def test_companies_and_subscriptions_are_told_as_they_were(world: World) -> None:
    """By what was said and seen until then; before the first word or call there was none."""
    app_id = "app_then"
    about = {"kind": "company", "id": "acme"}
    plan = {"kind": "subscription", "id": "sub", "company_id": "acme"}
    await world.put(
        [
            said(app_id, 1, {"metadata": {"name": "Acme", "plan": "free"}}, **about),
            said(app_id, 5, {"metadata": {"plan": "gold"}}, **about),
            said(app_id, 2, {"status": "trialing"}, **plan),
            said(app_id, 6, {"status": "active"}, **plan),
            make_call("t1", app_id=app_id, company_id="acme", time=NOON + 3 * HOUR, status=500),
            make_call("t2", app_id=app_id, company_id="acme", time=NOON + 7 * HOUR, status=200),
        ]
    )
    told: dict[int, Any] = {}
    for hours in (0, 2, 4, 8):
        at = NOON + hours * HOUR
        company = (await world.profiles.companies_as_of(app_id, ["acme"], at)).get("acme")
        sub = (await world.profiles.subscriptions_as_of(app_id, ["sub"], at)).get("sub")
        told[hours] = (
            company and (company.doc["metadata"]["plan"], company.name, company.last_seen_at),
            company and company.first_success_at,
            sub and sub.status,
        )
    assert told == {
        0: (None, None, None),
        2: (("free", "Acme", None), None, "trialing"),
        4: (("free", "Acme", NOON + 3 * HOUR), None, "trialing"),
        8: (("gold", "Acme", NOON + 7 * HOUR), NOON + 7 * HOUR, "active"),
    }
    now = (await world.profiles.companies(app_id, ["acme"], standing=False))["acme"]
    then = (await world.profiles.companies_as_of(app_id, ["acme"], NOON + 9 * HOUR))["acme"]
    assert (then.doc, then.created_at, then.modified_at, then.last_seen_at, then.last_ip) == (
        now.doc, now.created_at, now.modified_at, now.last_seen_at, now.last_ip,
    )  # fmt: skip


async def test_lifecycles_are_told_as_they_were(world: World) -> None:
    """By the calls until then: nothing before the first, resurrected by one after a silence."""
    app_id = "app_life"
    days = (0, 10, 70)
    caller = {"app_id": app_id, "user_id": "ann", "company_id": "acme"}
    await world.put([make_call(f"l{n}", **caller, time=NOON + n * 24 * HOUR) for n in days])
    told = {}
    for day in (-1, 1, 11, 50, 71, 200):
        at = NOON + day * 24 * HOUR
        users = await world.profiles.people_as_of(app_id, ["ann"], at)
        companies = await world.profiles.companies_as_of(app_id, ["acme"], at)
        told[day] = [found.lifecycle for some in (users, companies) for found in some.values()]
    assert told == {
        -1: [],
        1: ["new", "new"],
        11: ["active", "active"],
        50: ["dormant", "dormant"],
        71: ["resurrected", "resurrected"],
        200: ["dormant", "dormant"],
    }


async def test_the_timeline_tells_what_changed(world: World) -> None:
    """Each change with the value before; what is only said again is none; visitors count."""
    app_id = "app_line"
    await world.put([said(app_id, 1, {"a": {"b": 1}, "c": "x"}, anonymous_id="b1")])
    await world.put([said(app_id, 3, {"a": {"b": 2}, "c": "x"}, id="ann", anonymous_id="b1")])
    await world.put([said(app_id, 2, {"c": "x"}, id="ann")])
    await world.relink()
    clock = SetClock(datetime(2027, 1, 1, tzinfo=UTC))
    spec = msgspec.json.encode({"user_id": "ann", "from": "-90d", "kinds": ["profile"]})
    found = await answer(world.store, QueryScope(app_id, "UTC"), "user_timeline", spec, clock)
    items = msgspec.json.decode(msgspec.json.encode(found))["items"]
    assert [(item["id"], item["fields"], item["before"]) for item in items] == [
        ("u003.00", {"a.b": 2}, {"a.b": 1}),
        ("u001.00", {"a.b": 1, "c": "x"}, {}),
    ]


NAMES = st.sampled_from(["ann", "bob", ""])
BROWSERS = st.sampled_from(["b1", "b2"])


@st.composite
def histories(draw: st.DrawFn) -> list[ProfileUpdate]:
    count = draw(st.integers(2, 6))
    return [
        said(
            "",
            30.0 * draw(st.integers(0, 3)) + n / 10,
            draw(st.dictionaries(st.sampled_from(["a", "b", "campaign"]), st.integers(0, 3))),
            id=draw(NAMES),
            anonymous_id=draw(BROWSERS),
        )
        for n in range(count)
    ]


def expected(updates: list[ProfileUpdate], user: str) -> Any:
    """Merge what was said under the user's id, and of visitors while they were the user."""
    links = sorted((u.time, u.anonymous_id, u.id) for u in updates if u.id)
    own = [u for u in updates if u.id == user]
    for u in updates:
        named = [(at, name) for at, browser, name in links if browser == u.anonymous_id]
        if not u.id and named:
            owner = next((name for at, name in reversed(named) if at <= u.time), named[0][1])
            own += [u] if owner == user else []
    document = to_document(reduce(merge, map(fold, own))) if own else None
    return msgspec.json.decode(msgspec.json.encode(document))


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories(), st.randoms(use_true_random=False), st.data())
async def test_a_profile_does_not_depend_on_the_order(
    world: World, updates: list[ProfileUpdate], chance: Any, data: st.DataObject
) -> None:
    """Whatever came first, link or words, and however it was cut into ranges: the same profile."""
    app_id = world.new_app()
    mine = [msgspec.structs.replace(u, app_id=app_id) for u in updates]
    chance.shuffle(mine)
    cut = data.draw(st.integers(0, len(mine)))
    for part in (mine[:cut], mine[cut:], mine[:1]):
        if part:
            await world.put(part)
        if chance.random() < 0.5:
            await world.relink()
    await world.relink()
    for user in ("ann", "bob"):
        assert await document(world, app_id, user) == expected(mine, user), user
