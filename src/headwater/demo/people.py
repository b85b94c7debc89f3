"""Who uses the invented API: companies, their users, and why some of them stay.

In: a seed, an end and a number of users. Out: people with the days on which they are active. Pure,
and the same for the same seed. The reasons to stay that are planted here are listed in the
docstring of the room.
"""

import math
import random
from collections import Counter
from datetime import date, timedelta

import msgspec

from headwater.demo.names import (
    CAMPAIGNS,
    COMPANY_ENDS,
    COMPANY_STARTS,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
)

USERS_PER_COMPANY = 5
_LONGEST_PAST_DAYS = 300
_WEEKLY_LOSS = 0.14
_PLANS = {"free": 0.55, "growth": 0.32, "scale": 0.13}
_CALLS_PER_DAY = {"free": 3.8, "growth": 8.5, "scale": 19.0}
# SDK, its versions from old to new, its share; curl and Postman are people at a keyboard.
_CLIENTS = (
    ("ternpay-python", ("2.9.4", "3.1.0", "3.2.1"), 28),
    ("ternpay-node", ("8.4.0", "9.0.2", "9.1.0"), 27),
    ("ternpay-java", ("5.6.1", "6.0.0", "6.0.3"), 12),
    ("ternpay-go", ("1.12.0", "1.14.1"), 9),
    ("ternpay-php", ("4.3.0", "4.5.2"), 7),
    ("curl", ("7.88.1", "8.10.1"), 11),
    ("PostmanRuntime", ("7.39.0", "7.42.0"), 6),
)
BY_HAND = {"curl", "PostmanRuntime"}


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of the invented API."""

    id: str
    name: str
    domain: str
    plan: str
    country: str
    utc_offset_h: int
    ip_block: str
    created: date


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One developer or program of a company."""

    id: str
    name: str
    company: Company
    signed_up: date
    left: date
    """The first day on which nothing happens any more."""
    sdk: str
    sdk_version: str
    has_webhook: bool
    rough_start: bool
    """Most calls of the first hour fail."""
    calls_per_day: float
    campaign: str

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@{self.company.domain}"

    @property
    def user_agent(self) -> str:
        return f"{self.sdk}/{self.sdk_version}"


def make_people(seed: int, end: date, users: int, days: int) -> list[User]:
    """Return all users, those who left long ago included."""
    draw = random.Random(f"{seed}:people:{end}")
    companies = [_make_company(draw, n, end) for n in range(max(1, users // USERS_PER_COMPANY))]
    # A few companies are large, most are small.
    sizes = [1 / math.sqrt(n + 1) for n in range(len(companies))]
    teams = [*companies, *draw.choices(companies, weights=sizes, k=users)][:users]
    team_sizes = Counter(company.id for company in teams)
    return [
        _make_user(draw, number, company, team_sizes[company.id], end, days)
        for number, company in enumerate(teams)
    ]


def _make_company(draw: random.Random, number: int, end: date) -> Company:
    start = COMPANY_STARTS[number % len(COMPANY_STARTS)]
    ending = COMPANY_ENDS[(number // len(COMPANY_STARTS)) % len(COMPANY_ENDS)]
    country, offset = draw.choice(COUNTRIES)
    name = f"{start} {ending}"
    return Company(
        id=f"acct_{1000 + number}",
        name=name,
        domain=f"{start.lower()}{ending.lower()}.example",
        plan=draw.choices(list(_PLANS), weights=list(_PLANS.values()))[0],
        country=country,
        utc_offset_h=offset,
        ip_block=draw.choice(("192.0.2", "198.51.100", "203.0.113")),
        created=end - timedelta(days=draw.randrange(_LONGEST_PAST_DAYS)),
    )


def _make_user(
    draw: random.Random, number: int, company: Company, teammates: int, end: date, days: int
) -> User:
    signed_up = end - timedelta(days=_days_since_sign_up(draw, days))
    sdk, versions, _ = draw.choices(_CLIENTS, weights=[share for *_, share in _CLIENTS])[0]
    has_webhook = sdk not in BY_HAND and draw.random() < 0.38  # noqa: PLR2004 - planted
    rough_start = draw.random() < (0.4 if sdk in BY_HAND else 0.15)
    weekly_loss = _weekly_loss(
        by_hand=sdk in BY_HAND,
        has_webhook=has_webhook,
        rough_start=rough_start,
        has_team=teammates > 2,  # noqa: PLR2004 - planted
    )
    return User(
        id=f"usr_{10_000 + number}",
        name=f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}",
        company=company,
        signed_up=signed_up,
        left=signed_up + timedelta(days=1 + int(draw.expovariate(weekly_loss / 7))),
        sdk=sdk,
        sdk_version=draw.choices(versions, weights=range(1, len(versions) + 1))[0],
        has_webhook=has_webhook,
        rough_start=rough_start,
        calls_per_day=_CALLS_PER_DAY[company.plan] * draw.lognormvariate(-0.3, 0.8),
        campaign=draw.choice(CAMPAIGNS),
    )


def _days_since_sign_up(draw: random.Random, days: int) -> int:
    """Two of three signed up within the history, the others before."""
    if draw.random() < 0.65:  # noqa: PLR2004 - planted
        return draw.randrange(days)
    return draw.randrange(days, _LONGEST_PAST_DAYS)


def _weekly_loss(*, by_hand: bool, has_webhook: bool, rough_start: bool, has_team: bool) -> float:
    """Return the planted probability that a user stops within a week."""
    loss = _WEEKLY_LOSS
    for is_so, factor in (
        (by_hand, 1.8),
        (has_webhook, 0.33),
        (rough_start, 2.0),
        (has_team, 0.8),
    ):
        if is_so:
            loss *= factor
    return loss
