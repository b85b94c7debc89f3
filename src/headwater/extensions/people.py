"""Gather what messages may say of a page of users: who they are, their companies, their numbers.

In: a window and people. Out: `People`, from which an extension composes. Reads profiles only, and
only what the extension wants.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from headwater.extensions.windows import Window
from headwater.model import Rollup
from headwater.profiles import Company, Person, Profiles, day_window

_ROLLING = timedelta(hours=24)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which numbers an extension needs."""

    day: bool = True
    """Of the window's day."""
    rolling: bool = False
    """Of the 24 hours before the window's moment."""


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


async def gather_people(
    profiles: Profiles, window: Window, users: Sequence[Person], wanted: Wanted
) -> People:
    """Ask for what is wanted about these users."""
    ids = [user.id for user in users]
    companies, days, rolling = await asyncio.gather(
        profiles.companies(window.app.id, sorted({user.company_id for user in users})),
        _read_day(profiles, window, ids if wanted.day else []),
        _read_rolling(profiles, window, ids if wanted.rolling else []),
    )
    return People(window=window, users=users, companies=companies, days=days, rolling=rolling)


async def _read_day(profiles: Profiles, window: Window, ids: Sequence[str]) -> Mapping[str, Rollup]:
    zone = window.app.timezone
    start, end = day_window(zone, window.day)
    return await profiles.rollups(window.app.id, zone, ids, start, end, day=window.day)


async def _read_rolling(
    profiles: Profiles, window: Window, ids: Sequence[str]
) -> Mapping[str, Rollup]:
    start, zone = window.now - _ROLLING, window.app.timezone
    return await profiles.rollups(window.app.id, zone, ids, start, window.now, day=None)
