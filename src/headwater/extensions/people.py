"""Gather what messages may say of a page of users: who they are, their companies, their numbers.

In: a window and people. Out: `People`, from which an extension composes. Reads profiles only, and
only what the extension wants.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from headwater.extensions.windows import Window
from headwater.model import Rollup
from headwater.profiles import CallsAndErrors, Company, Person, Profiles, day_window

_ROLLING = timedelta(hours=24)
_BASELINE = timedelta(days=7)
_NEXT = timedelta(days=1)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which numbers an extension needs."""

    day: bool = True
    """Of the window's day."""
    rolling: bool = False
    """Of the 24 hours before the window's moment."""
    errors: bool = False
    """Of the window's day and of the day after it so far, each with the seven days before."""
    lifecycle: bool = False
    """Who changed by the passing of time is due, too."""
    standing: bool = True
    """Lifecycles and silences are told, or asked about."""
    used: Mapping[str, float] = {}
    """Routes whose use within so many days is asked for."""
    companies: bool = False
    """What is said of a company is in messages: its users are due when that changes."""


class ErrorDay(msgspec.Struct, frozen=True, kw_only=True):
    """A user's errors of one day, beside those of the week before."""

    day: str
    of_day: CallsAndErrors
    before: CallsAndErrors
    """Within the seven days before."""


Used = Mapping[str, Mapping[str, datetime]]
"""By route, then by user id: the last call of it, within the days that were asked for."""


class People(msgspec.Struct, frozen=True, kw_only=True):
    """A page of users and everything that may be said of them."""

    window: Window
    users: Sequence[Person]
    companies: Mapping[str, Company]
    """By id; a company without profile and calls is absent."""
    days: Mapping[str, Rollup]
    """By user id: the last complete day."""
    rolling: Mapping[str, Rollup]
    """By user id: the last 24 hours; empty when not wanted."""
    errors: Mapping[str, Sequence[ErrorDay]] = {}
    """By user id: the window's day and the one that is not over; empty when not wanted."""
    used: Used = {}


async def gather_people(
    profiles: Profiles, window: Window, users: Sequence[Person], wanted: Wanted
) -> People:
    """Ask for what is wanted about these users."""
    ids = [user.id for user in users]
    companies, days, rolling, errors, used = await asyncio.gather(
        _read_companies(
            profiles, window, sorted({user.company_id for user in users}), wanted.standing
        ),
        _read_day(profiles, window, ids if wanted.day else []),
        _read_rolling(profiles, window, ids if wanted.rolling else []),
        _read_errors(profiles, window, ids if wanted.errors else []),
        _read_used(profiles, window, ids, wanted.used),
    )
    return People(
        window=window, users=users, companies=companies, days=days, rolling=rolling, errors=errors,
        used=used,
    )  # fmt: skip


async def _read_companies(
    profiles: Profiles, window: Window, ids: Sequence[str], standing: bool
) -> dict[str, Company]:
    if window.profile == "then":
        return await profiles.companies_as_of(window.app.id, ids, window.now)
    return await profiles.companies(window.app.id, ids, standing=standing)


async def _read_day(profiles: Profiles, window: Window, ids: Sequence[str]) -> Mapping[str, Rollup]:
    zone = window.app.timezone
    start, end = day_window(zone, window.day)
    return await profiles.rollups(window.app.id, zone, ids, start, end, day=window.day)


async def _read_rolling(
    profiles: Profiles, window: Window, ids: Sequence[str]
) -> Mapping[str, Rollup]:
    start, zone = window.now - _ROLLING, window.app.timezone
    return await profiles.rollups(window.app.id, zone, ids, start, window.now, day=None)


async def _read_errors(
    profiles: Profiles, window: Window, ids: Sequence[str]
) -> dict[str, list[ErrorDay]]:
    if not ids:
        return {}
    last = date.fromisoformat(window.day)
    days = [last.isoformat(), (last + _NEXT).isoformat()]
    spans = [span for day in days for span in _with_week_before(window.app.timezone, day)]
    counts = await profiles.errors_within(window.app.id, ids, spans)
    return {
        id_: [
            ErrorDay(day=day, of_day=of_day, before=before)
            for day, of_day, before in zip(days, found[::2], found[1::2], strict=True)
        ]
        for id_, found in counts.items()
    }


def _with_week_before(zone: str, day: str) -> list[tuple[datetime, datetime]]:
    start, end = day_window(zone, day)
    week = (date.fromisoformat(day) - _BASELINE).isoformat()
    return [(start, end), (day_window(zone, week)[0], start)]


async def _read_used(
    profiles: Profiles, window: Window, ids: Sequence[str], routes: Mapping[str, float]
) -> Used:
    return {
        route: await profiles.last_used(
            window.app.id, route, ids, window.now - timedelta(days=days), window.now
        )
        for route, days in routes.items()
    }
