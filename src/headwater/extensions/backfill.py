"""Send the past: for each day, the state of everybody who called on it, then the present once more.

In: a range of days that are over. Out: messages in the outbox, day by day and user by user, stamped
with the end of their day. Where it stands is written in the same transaction as each page, so it
goes on from there after any death. The present comes last: a receiver that keeps what arrived last
ends up with it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.base.ids import new_id
from headwater.configdb.tables import extension_backfills as backfills
from headwater.extensions import windows
from headwater.extensions.connections import Opened, check_unchanged
from headwater.extensions.contract import Item
from headwater.extensions.outbox import Lot
from headwater.extensions.parts import Parts
from headwater.extensions.sync import make_items, open_window, put_allowed, read_audience
from headwater.extensions.windows import ProfileOf, Window
from headwater.profiles import day_window, last_complete_day
from headwater.workspace import App

State = Literal["running", "done", "cancelled"]
MOST_DAYS = 400
_NO_OFFSET = 2**62
"""No change is this new: only who called counts."""
_INSTANT = timedelta(milliseconds=1)


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """One backfill, and how far it is."""

    id: str
    state: State
    first_day: str
    last_day: str
    day: str
    """The day being made; empty: the present, which comes last."""
    above: str
    """Users up to this id are done with that day."""
    profile: ProfileOf = "now"
    """Whose numbers of a day stand beside the profile as it is, or as it was at the day's end."""
    messages: int
    """Made so far."""
    started_at: datetime
    finished_at: datetime | None
    days: int
    """In all."""
    days_done: int


def begin_backfill(
    connection: sa.Connection,
    clock: Clock,
    connection_id: str,
    app: App,
    first: str,
    last: str,
    profile: ProfileOf = "now",
) -> Backfill:
    """Write down what is to be sent; the worker does it."""
    _check_profile(profile)
    _check_days(first, last, last_complete_day(clock.now(), app.timezone))
    if find_running(connection, connection_id) is not None:
        raise ConflictError("A backfill is on its way.", hint="Wait for it, or cancel it.")
    connection.execute(
        backfills.insert().values(
            id=new_id("bf"),
            connection_id=connection_id,
            state="running",
            first_day=first,
            last_day=last,
            day=first,
            above="",
            profile=profile,
            messages=0,
            started_at=clock.now(),
            finished_at=None,
        )
    )
    return list_backfills(connection, connection_id, 1)[0]


def _check_profile(profile: str) -> None:
    if profile not in get_args(ProfileOf):
        raise InvalidInputError("A profile is told as it is now, or then.", field="profile")


def _check_days(first: str, last: str, newest: str) -> None:
    try:
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    except ValueError as err:
        raise InvalidInputError("A day is written like 2026-11-22.", field="from") from err
    if days < 1:
        raise InvalidInputError("The first day comes after the last.", field="from")
    if days > MOST_DAYS:
        raise InvalidInputError(f"A backfill has {MOST_DAYS} days at most.", field="from")
    if last > newest:
        raise InvalidInputError(
            f"{last} is not over yet.", field="to", hint=f"The last complete day is {newest}."
        )


def list_backfills(connection: sa.Connection, connection_id: str, limit: int) -> list[Backfill]:
    """Return the newest ones."""
    question = _select(connection_id).order_by(backfills.c.id.desc()).limit(limit)
    return [_to_backfill(row) for row in connection.execute(question).mappings()]


def find_running(connection: sa.Connection, connection_id: str) -> Backfill | None:
    """Return the one that is on its way."""
    question = _select(connection_id).where(backfills.c.state == "running")
    row = connection.execute(question).mappings().first()
    return None if row is None else _to_backfill(row)


def cancel_backfill(connection: sa.Connection, clock: Clock, connection_id: str) -> Backfill:
    """Make no more of it; what is in the outbox is still sent."""
    found = find_running(connection, connection_id)
    if found is None:
        raise NotFoundError("No backfill is on its way.")
    _update(connection, found.id, state="cancelled", finished_at=clock.now())
    return msgspec.structs.replace(found, state="cancelled", finished_at=clock.now())


async def make_page(parts: Parts, app: App, opened: Opened, of: Backfill) -> None:
    """Put the next page of a backfill in the outbox, and write down that it is there."""
    window = await _open_window(parts, app, opened, of)
    user_ids = await parts.profiles.touched_users(
        app.id,
        after=_NO_OFFSET,
        active=_days_of(app, of),
        above=of.above,
        limit=windows.PAGE_USERS,
    )
    users = await read_audience(parts, opened, window, user_ids)
    items = await make_items(parts, opened, window, users)
    lot = Lot(connection_id=opened.connection.id, name=f"{of.id}/{of.day}", at=parts.clock.now())
    is_last = len(user_ids) < windows.PAGE_USERS
    above = user_ids[-1] if user_ids else of.above
    await parts.configdb.run(_save, parts, opened, of, lot, items, above, is_last=is_last)
    crash_point("extensions.backfilled")


async def _open_window(parts: Parts, app: App, opened: Opened, of: Backfill) -> Window:
    # The day too: the present has the last complete day's numbers, but is another message.
    salt = f"{of.id}/{of.day}"
    window = msgspec.structs.replace(await open_window(parts, app, opened), salt=salt)
    if not of.day:
        return window
    end = day_window(app.timezone, of.day)[1]
    return msgspec.structs.replace(window, day=of.day, now=end - _INSTANT, profile=of.profile)


def _days_of(app: App, of: Backfill) -> tuple[datetime, datetime]:
    first, last = (of.day, of.day) if of.day else (of.first_day, of.last_day)
    return day_window(app.timezone, first)[0], day_window(app.timezone, last)[1]


def _save(
    connection: sa.Connection,
    parts: Parts,
    opened: Opened,
    of: Backfill,
    lot: Lot,
    items: Sequence[Item],
    above: str,
    *,
    is_last: bool,
) -> None:
    check_unchanged(connection, parts.vault, opened)
    now = find_running(connection, opened.connection.id)
    if now is None or now.id != of.id:
        return  # cancelled meanwhile
    # The newest word about a user stays that of the sync: a backfill sends what it is asked for.
    past = [msgspec.structs.replace(item, subject="") for item in items]
    put = put_allowed(connection, parts, opened, lot, past)
    _update(connection, of.id, messages=of.messages + put.entered, above=above)
    if is_last:
        _go_to_next_day(connection, parts.clock, of)


def _go_to_next_day(connection: sa.Connection, clock: Clock, of: Backfill) -> None:
    if not of.day:
        _update(connection, of.id, state="done", finished_at=clock.now())
        return
    following = (date.fromisoformat(of.day) + timedelta(days=1)).isoformat()
    _update(connection, of.id, day="" if of.day == of.last_day else following, above="")


def _update(connection: sa.Connection, backfill_id: str, **values: object) -> None:
    connection.execute(backfills.update().where(backfills.c.id == backfill_id).values(**values))


def _select(connection_id: str) -> sa.Select[Any]:
    kept = (name for name in Backfill.__struct_fields__ if name in backfills.c)
    columns = [backfills.c[name] for name in kept]
    return sa.select(*columns).where(backfills.c.connection_id == connection_id)


def _to_backfill(row: sa.RowMapping) -> Backfill:
    first, last = (date.fromisoformat(row[name]) for name in ("first_day", "last_day"))
    days = (last - first).days + 1
    done = (date.fromisoformat(row["day"]) - first).days if row["day"] else days
    return Backfill(**row, days=days, days_done=done)
