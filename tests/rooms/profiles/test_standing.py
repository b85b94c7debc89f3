"""How people stand to the API: new, active, resurrected, dormant; and what counts as a success."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.base.clock import SetClock
from headwater.eventstore import EventStore
from headwater.model import LifecycleRule, ProfileRules, SuccessRule
from headwater.profiles import Profiles
from tests.rooms.profiles.history import Call, insert_calls

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
# Days ago on which somebody called, and the word for it.
HISTORIES = {
    "fresh": ([3, 1], "new"),
    "steady": ([60, 40, 20, 1], "active"),
    "young": ([10, 1], "active"),
    "faded": ([90, 40], "dormant"),
    "faded at once": ([29], "dormant"),
    "back": ([70, 5], "resurrected"),
    "back after ages": ([400, 5, 1], "resurrected"),
    "just in time": ([400, 30, 3], "active"),
    "pausing": ([49, 22], "active"),
    "back again": ([51, 22, 1], "resurrected"),
}


def profiles_at(store: EventStore, rules: ProfileRules | None = None) -> Profiles:
    async def rules_of(app_id: str) -> ProfileRules:
        return rules or ProfileRules()

    return Profiles(store, SetClock(NOW), rules_of)


async def test_everybody_stands_somewhere(store: EventStore, app_id: str) -> None:
    """Users and companies alike, by their calls alone, all in one question."""
    await insert_calls(
        store,
        [
            Call(app_id=app_id, user_id=name, company_id=f"of {name}", time=NOW - days * DAY)
            for name, (ago, _) in HISTORIES.items()
            for days in ago
        ],
    )
    people = await profiles_at(store).people(app_id, list(HISTORIES))
    words = {name: word for name, (_, word) in HISTORIES.items()}
    assert {name: person.lifecycle for name, person in people.items()} == words
    companies = await profiles_at(store).companies(app_id, [f"of {name}" for name in HISTORIES])
    assert {id_.removeprefix("of "): one.lifecycle for id_, one in companies.items()} == words


async def test_an_app_sets_its_days(store: EventStore, app_id: str) -> None:
    """With a week of dormancy and a day of newness, others are dormant, and others are new."""
    await insert_calls(
        store,
        [
            Call(app_id=app_id, user_id=name, time=NOW - days * DAY)
            for name, ago in {"a": [3], "b": [8], "c": [12, 4]}.items()
            for days in ago
        ],
    )
    rules = ProfileRules(lifecycle=LifecycleRule(new_days=1, dormant_days=7))
    people = await profiles_at(store, rules).people(app_id, ["a", "b", "c"])
    found = {name: person.lifecycle for name, person in people.items()}
    assert found == {"a": "active", "b": "dormant", "c": "resurrected"}


@pytest.mark.parametrize(
    ("rule", "user_s", "company_s"),
    [
        (SuccessRule(), 60, 60),
        (SuccessRule(statuses=("201",)), 120, 120),
        (SuccessRule(statuses=("2xx",), verb="POST"), 120, 120),
        (SuccessRule(statuses=("4xx", "5xx")), 0, 0),
        (SuccessRule(route="/orders"), 180, 180),
        (SuccessRule(route="/nothing"), None, None),
    ],
)
async def test_an_app_says_what_a_success_is(
    store: EventStore, app_id: str, rule: SuccessRule, user_s: int | None, company_s: int | None
) -> None:
    """By statuses, verb and route; the first such call ends the time to hello world."""
    start = NOW - 5 * DAY
    await insert_calls(
        store,
        [
            Call(
                app_id=app_id,
                company_id="acme",
                time=start + timedelta(minutes=n),
                verb=verb,
                status=status,
                route=route,
            )
            for n, (verb, status, route) in enumerate(
                [
                    ("GET", 404, "/items"),
                    ("GET", 200, "/items"),
                    ("POST", 201, "/items"),
                    ("GET", 302, "/orders"),
                ]
            )
        ],
    )
    profiles = profiles_at(store, ProfileRules(success=rule))
    assert (await profiles.people(app_id, ["ann"]))["ann"].ttfhw_s == user_s
    assert (await profiles.companies(app_id, ["acme"]))["acme"].ttfhw_s == company_s
    then = (await profiles.people_as_of(app_id, ["ann"], NOW))["ann"]
    assert then.ttfhw_s == user_s
