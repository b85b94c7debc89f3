"""Say what one run is about: which users are due, and which window of each.

In: an app, its connection and one moment, the same for the whole run. Out: pages of user ids, and
the id of each user's message. Reads profiles; writes nothing.
"""

from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from headwater.base.ids import stable_id
from headwater.profiles import Person, Profiles, day_window
from headwater.workspace import App

PAGE_USERS = 7_500
"""Each page looks through the calls of two days: fewer cost less, larger ones take more memory."""


ProfileOf = Literal["now", "then"]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every user of a run."""

    app: App
    connection_id: str
    target: str
    """Recognises address, shape and secret, without revealing them."""
    now: datetime
    upto: int
    """The log offset up to which everything is stored."""
    day: str
    """The last complete day in the app's zone."""
    after: int
    """The log offset up to which the last run saw everything."""
    after_day: str
    """The last complete day of the last run; empty before the first."""
    full: bool = False
    """Look at every user, not only at changed ones."""
    watches_lifecycle: bool = False
    """Users are due, too, when time alone changed how they stand to the API."""
    watches_companies: bool = False
    """Users are due, too, when something else was said of their company."""
    standing: bool = True
    """Lifecycles and silences are told, or asked about."""
    profile: ProfileOf = "now"
    """Whether people are told as they are, or as they were at `now`, which is past."""
    salt: str = ""
    """Tells the messages of a backfill apart from all others."""

    def id_of(self, person: Person, *more: str) -> str:
        """Return the id of the message that this window of the person gives.

        A window is the state after the person's newest change, with the numbers of `day`. `more`
        tells further messages about the same window apart.
        """
        # What is newer than `upto` may be stored by half: it gets another id once it is whole.
        offset = min(person.changed_offset, self.upto)
        salted = (self.salt, *more) if self.salt else more
        return message_id(self.connection_id, self.target, person.id, self.day, offset, *salted)

    def newly_complete(self) -> tuple[datetime, datetime] | None:
        """Return the days that ended since the last run; None when none did."""
        if self.full or not self.after_day or self.after_day >= self.day:
            return None
        first = (date.fromisoformat(self.after_day) + timedelta(days=1)).isoformat()
        zone = self.app.timezone
        return day_window(zone, first)[0], day_window(zone, self.day)[1]


class Page(msgspec.Struct, frozen=True):
    """Some of the users who are due."""

    user_ids: list[str]
    is_last: bool


def subject_of(user_id: str) -> str:
    """Return the subject of a user's own window; see `contract.Item`."""
    return f"user:{user_id}"


def message_id(
    connection_id: str, target: str, user_id: str, day: str, offset: int, *more: str
) -> str:
    """Return the id of a window's message: the same window has the same id, for ever."""
    return f"hw-{stable_id(connection_id, target, user_id, day, str(offset), *more)}"


async def read_due_users(
    profiles: Profiles, window: Window, *, above: str = ""
) -> AsyncGenerator[Page]:
    """Yield pages of users that changed since the watermark, called in a day that ended, or aged.

    And those whose company changed; all beyond an id.
    There is always a last page; it is empty when nobody is due.
    """
    ended = window.newly_complete()
    companies = await _changed_companies(profiles, window)
    page = Page([above] if above else [], is_last=False)
    while not page.is_last:
        user_ids = await profiles.touched_users(
            window.app.id,
            after=0 if window.full else window.after,
            active=ended,
            passed=ended if window.watches_lifecycle else None,
            companies=companies,
            above=page.user_ids[-1] if page.user_ids else "",
            limit=PAGE_USERS,
        )
        page = Page(user_ids, is_last=len(user_ids) < PAGE_USERS)
        yield page


async def _changed_companies(profiles: Profiles, window: Window) -> list[str]:
    if window.full or not window.after or not window.watches_companies:
        return []  # before the first run everybody is due
    return await profiles.changed_companies(window.app.id, after=window.after)
