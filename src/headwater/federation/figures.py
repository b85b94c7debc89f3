"""Count what became of messages, by the hour.

In: counts by what they count: `delivered`, `first_try`, `dead`, `retried`, `unreadable`,
`filtered.REASON`, `error.CLASS`, and `age.N`: delivered messages by their age, in steps of a
seventh. Out: rows of `delivery_hours`, and ages again. Counts of the last second are lost with the
process; messages are not.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import delivery_hours

_STEPS_A_DOUBLING = 5
_LEAST_S = 0.001
_AGE = "age."
_ERROR = "error."
_NAMES = tuple(f"{_AGE}{number}" for number in range(200))
_ADD = sa.text(
    "INSERT INTO delivery_hours (destination_id, hour, what, count) "
    "VALUES (:destination_id, :hour, :what, :count) "
    "ON CONFLICT (destination_id, hour, what) "
    "DO UPDATE SET count = delivery_hours.count + excluded.count"
).bindparams(sa.bindparam("hour", type_=delivery_hours.c.hour.type))


def age_bucket(age_s: float) -> str:
    """Return the name of the step that an age falls into."""
    number = int(math.log2(max(age_s, _LEAST_S) / _LEAST_S) * _STEPS_A_DOUBLING)
    return _NAMES[min(number, len(_NAMES) - 1)]


def age_at(buckets: Mapping[str, int], share: float) -> float | None:
    """Return the age that this share of the messages did not exceed; None without messages."""
    ages = sorted((int(what[len(_AGE) :]), count) for what, count in buckets.items())
    wanted = share * sum(count for _, count in ages)
    seen = 0
    for number, count in ages:
        seen += count
        if count and seen >= wanted:
            return round(float(_LEAST_S * 2 ** ((number + 0.5) / _STEPS_A_DOUBLING)), 4)
    return None


def add_counts(
    connection: sa.Connection, destination_id: str, now: datetime, tally: Mapping[str, int]
) -> None:
    """Add what was counted since the last time to the present hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    rows = [
        {"destination_id": destination_id, "hour": hour, "what": what, "count": count}
        for what, count in sorted(tally.items())
        if count
    ]
    if rows:
        connection.execute(_ADD, rows)


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """What became of messages in one hour."""

    hour: datetime
    delivered: int = 0
    dead: int = 0
    retried: int = 0
    filtered: int = 0


def read_counts(
    connection: sa.Connection, destination_id: str, since: datetime, until: datetime
) -> dict[datetime, dict[str, int]]:
    """Return all counts of a range, by hour."""
    table = delivery_hours.c
    rows = connection.execute(
        sa.select(table.hour, table.what, table.count)
        .where(table.destination_id == destination_id, table.hour >= since, table.hour < until)
        .order_by(table.hour)
    )
    found: dict[datetime, dict[str, int]] = {}
    for hour, what, count in rows:
        found.setdefault(hour, {})[what] = int(count)
    return found


def add_up(counts: Mapping[datetime, Mapping[str, int]]) -> dict[str, int]:
    """Return the counts of all hours together."""
    total: dict[str, int] = {}
    for by_what in counts.values():
        for what, count in by_what.items():
            total[what] = total.get(what, 0) + count
    return total


def ages_in(total: Mapping[str, int]) -> dict[str, int]:
    """Return those counts that are of ages."""
    return {what: count for what, count in total.items() if what.startswith(_AGE)}


def error_classes(total: Mapping[str, int]) -> dict[str, int]:
    """Return how often each class of error was met, records that are no messages among them."""
    found = {w.removeprefix(_ERROR): n for w, n in total.items() if w.startswith(_ERROR)}
    return found | ({"unreadable": total["unreadable"]} if "unreadable" in total else {})


def as_hour(hour: datetime, counts: Mapping[str, int]) -> Hour:
    """Return one hour's counts for people."""
    return Hour(
        hour=hour,
        delivered=counts.get("delivered", 0),
        dead=counts.get("dead", 0),
        retried=counts.get("retried", 0),
        filtered=sum(n for what, n in counts.items() if what.startswith("filtered.")),
    )


def forget_hours(connection: sa.Connection, now: datetime, keep: timedelta) -> None:
    """Drop counts of long ago."""
    connection.execute(delivery_hours.delete().where(delivery_hours.c.hour < now - keep))
