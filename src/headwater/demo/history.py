"""Turn people and a calendar into API calls, as a Moesif client would report them.

In: a seed, an end, numbers. Out: for each day its calls, and the profiles of users and companies;
the same for the same input, in whatever order days are asked for. Pure.
"""

import hashlib
import math
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from headwater.base.clock import to_wire_time
from headwater.demo.calendar import HOUR, WEEKDAY, incidents_before
from headwater.demo.endpoints import (
    ACCOUNT,
    CHARGE,
    ENDPOINTS,
    EVENTS,
    SHARES,
    WEBHOOKS,
    Endpoint,
    make_bodies,
    make_uri,
)
from headwater.demo.people import User, make_people

_SETTLED_DAYS = 3
_WEBHOOK_WITHIN_DAYS = 7
_ROUGH_CALLS = 6
_ROUGH_FAILURES = 0.7
_POLLING_SDK = ("ternpay-java", "6.0.0")
_REGULARITY = 0.75
"""How likely an active user calls at all on a working day."""


class Demo:
    """The history up to `end` and everybody in it."""

    def __init__(self, *, seed: int, end: datetime, users: int, days: int) -> None:
        self.end = end
        self.days = [end.date() - timedelta(days=back) for back in range(days)]
        """Newest first."""
        self.users = make_people(seed, end.date(), users, days)
        self._seed = seed
        self._incidents = incidents_before(end)

    def calls_of(self, day: date) -> list[dict[str, Any]]:
        """Return the calls of one day up to `end`, in time order."""
        calls = [call for user in self.users for call in self._calls_of_user(user, day)]
        end = to_wire_time(self.end)
        return sorted(
            (call for call in calls if call["request"]["time"] <= end),
            key=lambda call: str(call["request"]["time"]),
        )

    def call_now(self, draw: random.Random, user: User, at: datetime) -> dict[str, Any]:
        """Return one call of the present, for live traffic."""
        return self._make_call(draw, user, self._choose(draw, user), at, rough=False)

    def present_users(self) -> list[User]:
        """Return the users who are still there at the end."""
        return [user for user in self.users if user.left > self.end.date()]

    def _calls_of_user(self, user: User, day: date) -> Iterator[dict[str, Any]]:
        if not user.signed_up <= day < user.left:
            return
        age_days = (day - user.signed_up).days
        draw = random.Random(f"{self._seed}:{user.id}:{day}")
        if age_days == 0:
            yield from self._first_hour(draw, user, day)
        if user.has_webhook and age_days == hash_below(user.id, _WEBHOOK_WITHIN_DAYS):
            yield self._make_call(draw, user, WEBHOOKS, self._moment(draw, user, day), rough=False)
        busy = WEEKDAY[day.weekday()] * min(1.0, (age_days + 1) / _SETTLED_DAYS)
        if draw.random() > _REGULARITY * min(1.0, busy + 0.2):
            return
        for _ in range(_poisson(draw, user.calls_per_day * busy)):
            at = self._moment(draw, user, day)
            yield self._make_call(draw, user, self._choose(draw, user), at, rough=False)

    def _first_hour(self, draw: random.Random, user: User, day: date) -> Iterator[dict[str, Any]]:
        at = self._moment(draw, user, day)
        for number in range(_ROUGH_CALLS):
            endpoint = ACCOUNT if number == 0 else CHARGE
            rough = user.rough_start and draw.random() < _ROUGH_FAILURES
            yield self._make_call(draw, user, endpoint, at, rough=rough)
            at += timedelta(seconds=draw.uniform(20, 500))

    def _moment(self, draw: random.Random, user: User, day: date) -> datetime:
        hour = draw.choices(range(24), weights=HOUR)[0]
        local = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
            hours=hour, seconds=draw.uniform(0, 3_600)
        )
        return local - timedelta(hours=user.company.utc_offset_h)

    def _choose(self, draw: random.Random, user: User) -> Endpoint:
        if (user.sdk, user.sdk_version) == _POLLING_SDK and draw.random() < 0.5:  # noqa: PLR2004
            return EVENTS
        return draw.choices(ENDPOINTS, weights=SHARES)[0]

    def _make_call(
        self, draw: random.Random, user: User, endpoint: Endpoint, at: datetime, *, rough: bool
    ) -> dict[str, Any]:
        status, slower = self._outcome(draw, endpoint, at, rough=rough)
        duration_ms = endpoint.median_ms * slower * draw.lognormvariate(0, 0.45)
        asked, answered = make_bodies(draw, endpoint, status)
        return {
            "transaction_id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            "request": {
                "time": to_wire_time(at),
                "uri": make_uri(draw, endpoint),
                "verb": endpoint.verb,
                "headers": {"user-agent": user.user_agent, "content-type": "application/json"},
                "ip_address": f"{user.company.ip_block}.{1 + hash_below(user.id, 250)}",
                "body": asked,
            },
            "response": {
                "time": to_wire_time(at + timedelta(milliseconds=duration_ms)),
                "status": status,
                "headers": {"content-type": "application/json"},
                "body": answered,
            },
            "user_id": user.id,
            "company_id": user.company.id,
            "direction": "Incoming",
        }

    def _outcome(
        self, draw: random.Random, endpoint: Endpoint, at: datetime, *, rough: bool
    ) -> tuple[int, float]:
        """Return the status, and by how much the call is slower than usual."""
        if rough:
            return draw.choice((400, 401, 402)), 0.5
        for incident in self._incidents:
            if incident.hits(at, endpoint.path) and draw.random() < incident.probability:
                return incident.status or endpoint.ok_status, incident.slower
        luck = draw.random()
        for status, probability in endpoint.failures.items():
            luck -= probability
            if luck < 0:
                return status, 1.0
        return endpoint.ok_status, 1.0


def user_profiles(users: list[User]) -> list[dict[str, Any]]:
    """Return what the invented company's CRM knows of its users, as `/v1/users/batch` takes it."""
    return [
        {
            "user_id": user.id,
            "company_id": user.company.id,
            "modified_time": to_wire_time(_midnight(user.signed_up)),
            "campaign": {"utm_source": user.campaign} if user.campaign else {},
            "metadata": {
                "name": user.name,
                "email": user.email,
                "username": user.email.partition("@")[0],
                "signed_up_at": to_wire_time(_midnight(user.signed_up)),
            },
        }
        for user in users
    ]


def company_profiles(users: list[User]) -> list[dict[str, Any]]:
    """Return the companies of these users, as `/v1/companies/batch` takes them."""
    companies = {user.company.id: user.company for user in users}
    return [
        {
            "company_id": company.id,
            "company_domain": company.domain,
            "modified_time": to_wire_time(_midnight(company.created)),
            "metadata": {"name": company.name, "plan": company.plan, "country": company.country},
        }
        for company in companies.values()
    ]


def hash_below(text: str, limit: int) -> int:
    """Return a number below `limit` that depends on `text` alone."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") % limit


def _poisson(draw: random.Random, mean: float) -> int:
    """Return how many calls come when `mean` are expected."""
    threshold, product, count = math.exp(-min(mean, 50.0)), draw.random(), 0
    while product > threshold:
        product *= draw.random()
        count += 1
    return count


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
