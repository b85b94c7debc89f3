"""The invented history: the same each time, believable, and with the reasons that were planted."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from statistics import mean
from typing import Any

import pytest

from headwater.demo import Demo
from headwater.demo.history import company_profiles, user_profiles
from headwater.demo.people import BY_HAND, User

END = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)  # a Friday
DOCUMENTATION = [
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]


@pytest.fixture(scope="module")
def demo() -> Demo:
    """A quarter of the real one."""
    return Demo(seed=2026, end=END, users=500, days=90)


@pytest.fixture(scope="module")
def calls(demo: Demo) -> list[dict[str, Any]]:
    """Everything that happened, oldest first."""
    return [call for day in reversed(demo.days) for call in demo.calls_of(day)]


def test_the_same_seed_and_end_give_the_same_history(demo: Demo) -> None:
    """Whatever day is asked for first; another seed gives another history."""
    again = Demo(seed=2026, end=END, users=500, days=90)
    other = Demo(seed=7, end=END, users=500, days=90)

    for day in (demo.days[40], demo.days[3]):
        assert again.calls_of(day) == demo.calls_of(day)
        assert other.calls_of(day) != demo.calls_of(day)


def test_every_call_has_an_id_of_its_own(calls: list[dict[str, Any]]) -> None:
    """So that a load that is repeated adds nothing, and one that is not loses nothing."""
    assert len({call["transaction_id"] for call in calls}) == len(calls)


def test_the_default_history_is_of_the_promised_size(calls: list[dict[str, Any]]) -> None:
    """200,000 to 300,000 calls of 2,000 users: here a quarter of it."""
    assert 50_000 < len(calls) < 75_000


def test_nothing_happens_after_the_end(demo: Demo) -> None:
    """The newest day stops at the present, in time order."""
    times = [call["request"]["time"] for call in demo.calls_of(demo.days[0])]

    assert times
    assert times == sorted(times)
    assert times[-1] <= "2026-11-20T17:30:00.000Z"


def test_nobody_real_is_in_it(demo: Demo, calls: list[dict[str, Any]]) -> None:
    """Domains end in `.example`, addresses are those of documentation."""
    profiles = user_profiles(demo.users)
    companies = company_profiles(demo.users)
    addresses = {call["request"]["ip_address"] for call in calls}

    assert all(profile["metadata"]["email"].endswith(".example") for profile in profiles)
    assert all(company["company_domain"].endswith(".example") for company in companies)
    assert all(".example/" in call["request"]["uri"] for call in calls)
    assert all(
        any(ipaddress.ip_address(address) in network for network in DOCUMENTATION)
        for address in addresses
    )


def test_every_caller_has_a_profile(demo: Demo, calls: list[dict[str, Any]]) -> None:
    """Users and their companies are described before they call."""
    known = {profile["user_id"]: profile["company_id"] for profile in user_profiles(demo.users)}
    companies = {company["company_id"] for company in company_profiles(demo.users)}

    assert {(call["user_id"], call["company_id"]) for call in calls} <= known.items()
    assert set(known.values()) <= companies
    assert len(known) == 500
    assert len(companies) == 100


def test_weekends_are_quieter(demo: Demo) -> None:
    """Less than half of a weekday's calls."""
    days = {day: len(demo.calls_of(day)) for day in demo.days[1:36]}

    weekend = mean(count for day, count in days.items() if day.weekday() > 4)
    weekdays = mean(count for day, count in days.items() if day.weekday() < 5)

    assert weekend < weekdays / 2


def test_an_incident_is_seen_in_its_hours(calls: list[dict[str, Any]]) -> None:
    """An hour of 503 nine days before the end, and hardly a 503 otherwise."""
    unavailable = Counter(
        call["request"]["time"][:10] for call in calls if call["response"]["status"] == 503
    )

    assert unavailable.most_common(1)[0][0] == "2026-11-11"
    assert unavailable["2026-11-11"] > sum(unavailable.values()) / 2


def test_reports_are_slow(calls: list[dict[str, Any]]) -> None:
    """The slow endpoint takes ten times as long as reading a charge."""

    def typical_ms(part: str) -> float:
        return mean(
            _duration_ms(call)
            for call in calls
            if part in call["request"]["uri"] and call["request"]["verb"] == "GET"
        )

    assert typical_ms("/v1/reports/") > 10 * typical_ms("/v1/customers/cus_")


@pytest.mark.parametrize(
    ("stays_longer", "sign"),
    [
        (lambda user: user.has_webhook, 1.8),
        (lambda user: user.sdk not in BY_HAND, 1.5),
        (lambda user: not user.rough_start, 1.5),
    ],
    ids=["webhook", "official SDK", "smooth first hour"],
)  # fmt: skip
def test_the_planted_reasons_keep_people(stays_longer: Callable[[User], bool], sign: float) -> None:
    """Those with a reason to stay do so clearly longer, on average over many."""
    users = Demo(seed=2026, end=END, users=6_000, days=90).users

    def stay_days(chosen: Iterable[User]) -> float:
        return mean((user.left - user.signed_up).days for user in chosen)

    longer = stay_days(user for user in users if stays_longer(user))
    shorter = stay_days(user for user in users if not stays_longer(user))
    assert longer > sign * shorter


def test_a_rough_start_shows_in_the_calls(demo: Demo, calls: list[dict[str, Any]]) -> None:
    """Most of the first calls of such a user fail."""
    rough = {user.id for user in demo.users if user.rough_start and user.signed_up in demo.days}
    first: dict[str, list[int]] = {}
    for call in calls:
        first.setdefault(call["user_id"], []).append(call["response"]["status"])

    def failing(users: Iterable[str]) -> float:
        return mean(status >= 400 for user in users for status in first.get(user, [])[:6])

    assert failing(rough) > 0.5
    assert failing(set(first) - rough) < 0.2


def test_people_come_all_the_time_and_leave(demo: Demo) -> None:
    """Sign-ups in every fortnight of the history, and churn: not all are there at the end."""
    assert 50 < len(demo.present_users()) < 350
    edges = [demo.days[n] for n in range(0, 90, 14)]
    for newer, older in pairwise(edges):
        assert any(older < user.signed_up <= newer for user in demo.users)


def _duration_ms(call: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(call[side]["time"]) for side in ("request", "response"))
    return (ended - began).total_seconds() * 1_000
