"""Reports can tell of callers as they were when each call came."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.analytics import QueryScope, answer
from headwater.base.clock import SetClock
from tests.rooms.identity.world import Record, World
from tests.rooms.profiles.test_history import HOUR, said
from tests.support.calls import NOON, make_call

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FIELDS = (
    "user.plan",
    "user.metadata.plan",
    "user.tags.0",
    "user.home",
    "user.home.city",
    "user.campaign.utm_source",
    "user.initial_campaign.utm_source",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with closing(World(tmp_path_factory.mktemp("data"))) as world:
        yield world


async def ask(world: World, app_id: str, kind: str, **spec: Any) -> dict[str, Any]:
    body = msgspec.json.encode({"profiles": "then", **spec})
    found = await answer(world.store, QueryScope(app_id, "UTC"), kind, body, SetClock(NOW))
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return decoded


async def by(world: World, app_id: str, *fields: str, **spec: Any) -> dict[str, int]:
    found = await ask(world, app_id, "timeseries", group_by=[*fields], top=100, **spec)
    return {" ".join(line["key"]): line["total"] for line in found["series"]}


async def test_a_call_made_while_on_trial_stays_one(world: World) -> None:
    """By user and by company, in filters and groups; now is told beside it; nothing came before."""
    app_id = "app_then"
    company = {"kind": "company", "id": "acme"}
    caller = {"app_id": app_id, "user_id": "ann", "company_id": "acme"}
    await world.put(
        [
            said(app_id, 1, {"metadata": {"plan": "trial", "seats": 1}}, id="ann"),
            said(app_id, 1, {"metadata": {"tier": "small"}}, **company),
            said(app_id, 5, {"metadata": {"plan": "gold", "seats": 30}}, id="ann"),
            said(app_id, 7, {"metadata": {"tier": "large"}}, **company),
            *(make_call(f"c{h}", **caller, time=NOON + h * HOUR) for h in (0, 1, 2, 4, 6, 8)),
        ]
    )
    assert await by(world, app_id, "user.plan") == {"trial": 3, "gold": 2, "": 1}
    assert await by(world, app_id, "user.plan", profiles="now") == {"gold": 6}
    both = await by(world, app_id, "user.plan", "company.tier")
    assert both == {"trial small": 3, "gold small": 1, "gold large": 1, " ": 1}
    on_trial = {"field": "user.metadata.plan", "value": "trial"}
    few = {"field": "user.seats", "op": "lt", "value": 10}
    counted = await ask(world, app_id, "count", filters={"all": [on_trial, few]})
    assert counted["count"] == 3
    events = await ask(world, app_id, "events", filters={"not": {"any": [on_trial, few]}})
    assert [event["transaction_id"] for event in events["events"]] == ["c8", "c6", "c0"]
    seats = await ask(world, app_id, "timeseries", measure="sum:user.seats")
    assert seats["series"][0]["total"] == 3 * 1 + 2 * 30
    users = await ask(world, app_id, "users", filters=on_trial)
    assert [(user["user_id"], user["calls"]) for user in users["users"]] == [("ann", 3)]


async def test_a_text_that_took_an_objects_place_hides_its_parts(world: World) -> None:
    """And the other way round; of an object said in parts only that it is there is told."""
    app_id = "app_hidden"
    caller = {"app_id": app_id, "user_id": "ann"}
    await world.put(
        [
            said(app_id, 1, {"metadata": {"home": {"city": "Bern"}}}, id="ann"),
            said(app_id, 3, {"metadata": {"home": "flat"}}, id="ann"),
            said(app_id, 5, {"metadata": {"home": {"city": "Rome"}}}, id="ann"),
            *(make_call(f"h{h}", **caller, time=NOON + h * HOUR) for h in (2, 4, 6)),
        ]
    )
    assert await by(world, app_id, "user.home.city") == {"Bern": 1, "": 1, "Rome": 1}
    assert await by(world, app_id, "user.home") == {"{}": 2, "flat": 1}


async def test_what_a_visitor_said_counts_from_when_it_was_said(world: World) -> None:
    """The link came later; what it tells holds for the calls before it, too."""
    app_id = "app_visitor"
    ads = {"campaign": {"utm_source": "ads"}}
    mail = {"campaign": {"utm_source": "mail"}}
    call = {"app_id": app_id, "anonymous_id": "b1"}
    await world.put([said(app_id, 1, ads, anonymous_id="b1")])
    unknown = [make_call(f"v{h}", **call, user_id="", time=NOON + h * HOUR) for h in (0, 2)]
    await world.put(unknown)
    await world.put([said(app_id, 3, mail, anonymous_id="b1")])
    await world.put([make_call("v4", **call, user_id="ann", time=NOON + 4 * HOUR)])
    await world.relink()
    assert await by(world, app_id, "user.campaign.utm_source") == {"": 1, "ads": 1, "mail": 1}
    assert await by(world, app_id, "user.initial_campaign.utm_source") == {"": 1, "ads": 2}
    assert await by(world, app_id, "user_id") == {"ann": 3}


WORDS = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["a", "b"]),
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "plan": st.sampled_from(["c", "d"]),
                "tags": st.lists(st.sampled_from(["x", "y"]), max_size=2),
                "home": st.sampled_from(["flat", {"city": "Bern"}, {"city": "Rome"}]),
            },
        ),
        "campaign": st.fixed_dictionaries({"utm_source": st.sampled_from(["ads", "mail"])}),
    },
)
HOURS = st.integers(0, 4)
HISTORIES = st.tuples(
    st.lists(st.tuples(HOURS, st.booleans(), WORDS), min_size=2, max_size=6),
    st.lists(st.tuples(HOURS, st.booleans()), min_size=1, max_size=4),
)
"""Words, each the user's own or a browser's, and calls, each with the browser or without. Two users
share each browser: it is the one's until the other is seen with it."""


@settings(
    max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
@given(histories=st.lists(HISTORIES, min_size=20, max_size=20))
async def test_each_call_meets_the_profile_of_its_moment(
    world: World, histories: Sequence[tuple[Any, Any]]
) -> None:
    """As the profile itself is read as of that moment, whatever was said of whom in what order."""
    app_id = world.new_app()
    hours: list[tuple[str, int]] = []
    records: list[Record] = []
    for user, (words, calls) in enumerate(histories):
        for hour, by_browser, fields in words:
            who = {"anonymous_id": f"b{user // 2}"} if by_browser else {"id": f"user{user}"}
            records.append(said(app_id, hour, fields, update_id=f"u{len(records)}", **who))
        for hour, with_browser in calls:
            browser = f"b{user // 2}" if with_browser else ""
            caller = {"app_id": app_id, "user_id": f"user{user}", "anonymous_id": browser}
            call_id, time = f"{app_id}_{len(records)}", NOON + hour * HOUR
            records.append(make_call(call_id, **caller, time=time))
            hours.append((f"user{user}", hour))
    await world.put(records)
    await world.relink()
    people = {
        hour: await world.profiles.people_as_of(
            app_id, sorted({user for user, at in hours if at == hour}), NOON + hour * HOUR
        )
        for hour in {hour for _, hour in hours}
    }
    for field in FIELDS:
        path = field.split(".")[1:]
        expected = Counter(f"{user} {_told(people[hour][user].doc, path)}" for user, hour in hours)
        assert (field, await by(world, app_id, "user_id", field)) == (field, expected)


def _told(doc: Any, path: Sequence[str]) -> str:
    """Return the value that a report shows: the user's own first, then the team's."""
    for whole in (doc, doc.get("metadata")):
        value = reduce(_below, path, whole)
        if value is not None:
            return "{}" if isinstance(value, dict) else str(value)
    return ""


def _below(value: Any, name: str) -> Any:
    if isinstance(value, list) and name.isdigit():
        return value[int(name)] if int(name) < len(value) else None
    return value.get(name) if isinstance(value, dict) else None
