"""Count what became of what clients sent to a source, by the hour.

In: counts by what they count. Out: hours, for people. `received` is every message that came:
`entered` the log, a `duplicate` of one there, `blocked` by a rule, `suppressed` with its user, or
`refused.REASON`. Requests of which nothing could be read count as one refused message.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import source_hours as hours

REFUSED = "refused."
NO_SOURCE = ""
"""Requests whose write key belongs to no source."""
_KEPT = timedelta(days=90)
_ADD = sa.text(
    "INSERT INTO source_hours (source_id, hour, what, count) "
    "VALUES (:source_id, :hour, :what, :count) "
    "ON CONFLICT (source_id, hour, what) DO UPDATE SET count = source_hours.count + excluded.count"
).bindparams(sa.bindparam("hour", type_=hours.c.hour.type))

Tally = Mapping[tuple[str, str], int]
"""By source and what."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages of an hour, or of a range."""

    received: int = 0
    entered: int = 0
    """New ones, in the log: destinations and warehouses get them."""
    duplicate: int = 0
    blocked: int = 0
    suppressed: int = 0
    refused: int = 0
    reasons: dict[str, int] = {}
    """Of the refused ones."""


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour."""

    hour: datetime
    figures: Figures


def count_messages(connection: sa.Connection, now: datetime, tally: Tally) -> None:
    """Add counts to the present hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    rows = [
        {"source_id": source_id, "hour": hour, "what": what, "count": count}
        for (source_id, what), count in sorted(tally.items())
        if count
    ]
    if rows:
        connection.execute(_ADD, rows)


def read_hours(
    connection: sa.Connection, source_id: str, since: datetime, until: datetime
) -> list[Hour]:
    """Return the hours in which something came, oldest first."""
    rows = connection.execute(
        sa.select(hours.c.hour, hours.c.what, hours.c.count)
        .where(hours.c.source_id == source_id, hours.c.hour >= since, hours.c.hour < until)
        .order_by(hours.c.hour)
    )
    found: dict[datetime, dict[str, int]] = {}
    for hour, what, count in rows:
        found.setdefault(hour, {})[what] = int(count)
    return [Hour(hour=hour, figures=_figures(counts)) for hour, counts in found.items()]


def add_hours(some: Iterable[Hour]) -> Figures:
    """Return the figures of all these hours together."""
    total: dict[str, int] = {}
    for hour in some:
        plain = {name: getattr(hour.figures, name) for name in _PLAIN}
        refused = {REFUSED + code: count for code, count in hour.figures.reasons.items()}
        for what, count in {**plain, **refused}.items():
            total[what] = total.get(what, 0) + count
    return _figures(total)


def forget_old_hours(connection: sa.Connection, now: datetime) -> None:
    """Drop what is older than is shown."""
    connection.execute(hours.delete().where(hours.c.hour < now - _KEPT))


_PLAIN = ("entered", "duplicate", "blocked", "suppressed")


def _figures(counts: Mapping[str, int]) -> Figures:
    reasons = {w.removeprefix(REFUSED): n for w, n in counts.items() if w.startswith(REFUSED)}
    plain = {name: counts.get(name, 0) for name in _PLAIN}
    refused = sum(reasons.values())
    return Figures(
        received=sum(plain.values()) + refused, refused=refused, reasons=reasons, **plain
    )
