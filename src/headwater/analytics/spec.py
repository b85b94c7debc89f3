"""The shapes of questions, as JSON.

In: the body of a query. Out: a typed struct; an unknown or misspelt field is an error that names
it.
"""

from typing import Any, Literal, TypeVar

import msgspec

from headwater.analytics.time_range import Interval
from headwater.base.errors import InvalidInputError, NotFoundError

MOST_ROWS = 1_000
MOST_GROUPS = 3


class Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every question may say."""

    from_: str = msgspec.field(name="from", default="-30d")
    to: str = "now"
    timezone: str = ""
    """Empty: the app's."""
    filters: Any = None
    profiles: Literal["now", "then"] = "now"
    """What `user.…` and `company.…` mean: as these are now, or as they were when each call came."""
    population: Literal["users", "companies"] = "users"
    """Whom a report about people counts; the reports of calls are the same for both."""
    cohort_id: str = ""
    """Reports do not take cohorts yet: they choose people for extensions."""


class CountSpec(Common, frozen=True):
    """How many calls."""


class TimeseriesSpec(Common, frozen=True):
    """A measure over time."""

    measure: str = "calls"
    interval: Interval = "day"
    group_by: list[str] = []
    top: int = 10


class EventsSpec(Common, frozen=True):
    """Single calls, newest first."""

    limit: int = 50
    cursor: str = ""


class ActionsSpec(Common, frozen=True):
    """What people did beside calling the API, newest first."""

    limit: int = 50
    cursor: str = ""


class SubscriptionsSpec(Common, frozen=True):
    """Subscriptions as they were last described; the range is that of their last change."""

    company_id: str = ""
    status: str = ""
    limit: int = 50
    cursor: str = ""


class RejectsSpec(Common, frozen=True):
    """What the Collector API could not understand, newest first, and how often for which reason."""

    kind: str = ""
    """`event`, `action`, `user`, …; empty for all."""
    reason: str = ""
    field: str = ""
    """The place of the fault, such as `$.request.uri`."""
    limit: int = 50
    cursor: str = ""


_Order = Literal[
    "-last_seen_at", "last_seen_at", "-first_seen_at", "first_seen_at", "-calls", "calls"
]


class KnownSpec(Common, frozen=True):
    """Those who are known, with what they did in the range."""

    search: str = ""
    order_by: str = "-last_seen_at"
    limit: int = 50
    cursor: str = ""


class UsersSpec(KnownSpec, frozen=True):
    """Users with what they did in the range."""

    order_by: _Order | Literal["user_id"] = "-last_seen_at"


class CompaniesSpec(KnownSpec, frozen=True):
    """Companies with what their people did in the range."""

    order_by: _Order | Literal["company_id"] = "-last_seen_at"


TimelineKind = Literal["call", "action", "profile", "link"]


class TimelineSpec(Common, frozen=True):
    """What happened, newest first."""

    kinds: list[TimelineKind] = []
    """Only these; empty for all."""
    limit: int = 50
    cursor: str = ""


class UserTimelineSpec(TimelineSpec, frozen=True, kw_only=True):
    """What one user did."""

    user_id: str


class CompanyTimelineSpec(TimelineSpec, frozen=True, kw_only=True):
    """What the people of one company did."""

    company_id: str


S = TypeVar("S", bound=Common)


def read_spec(body: bytes, shape: type[S]) -> S:
    """Decode the body of a query; an empty one asks with defaults."""
    try:
        spec = msgspec.json.decode(body or b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise InvalidInputError(
            f"The query cannot be read: {err}", field=_path_in(str(err)), hint="See the query API."
        ) from err
    if spec.cohort_id:
        raise NotFoundError("Reports do not take cohorts yet.", field="$.cohort_id")
    limit, top = getattr(spec, "limit", 1), getattr(spec, "top", 1)
    if not 1 <= limit <= MOST_ROWS or not 1 <= top <= MOST_ROWS:
        wrong = "$.top" if 1 <= limit <= MOST_ROWS else "$.limit"
        raise InvalidInputError(f"This is a number from 1 to {MOST_ROWS}.", field=wrong)
    return spec


def _path_in(message: str) -> str:
    _, found, path = message.rpartition(" - at `")
    return path.rstrip("`") if found else "$"
