"""Say what one run is about: which users are due, and which window of each.

In: an app, its connection and one moment, the same for the whole run. Out: pages of user ids, and
the id of each user's message. Reads profiles; writes nothing.
"""

from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta

import msgspec

from headwater.extensions.segment.connection import Connection
from headwater.extensions.segment.identify import message_id
from headwater.profiles import Person, Profiles, day_window
from headwater.workspace import App

PAGE_USERS = 1_000


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every user of a run."""

    app: App
    connection: Connection
    target: str
    """Recognises endpoint, key and payload version, without revealing them."""
    now: datetime
    upto: int
    """The log offset up to which everything is stored."""
    day: str
    """The last complete day in the app's zone."""
    full: bool = False

    def id_of(self, person: Person) -> str:
        """Return the id of the message that this window of the person gives."""
        # What is newer than `upto` may be stored by half: it gets another id once it is whole.
        offset = min(person.changed_offset, self.upto)
        return message_id(self.connection.id, self.target, person.id, self.day, offset)

    def newly_complete(self) -> tuple[datetime, datetime] | None:
        """Return the days that ended since the last run; None when none did."""
        known = self.connection.watermark_day
        if self.full or not known or known >= self.day:
            return None
        first = (date.fromisoformat(known) + timedelta(days=1)).isoformat()
        zone = self.app.timezone
        return day_window(zone, first)[0], day_window(zone, self.day)[1]


class Page(msgspec.Struct, frozen=True):
    """Some of the users who are due."""

    user_ids: list[str]
    is_last: bool


async def read_due_users(profiles: Profiles, window: Window) -> AsyncGenerator[Page]:
    """Yield pages of users that changed since the watermark, or called in a day that ended.

    There is always a last page; it is empty when nobody is due.
    """
    page = Page([], is_last=False)
    while not page.is_last:
        user_ids = await profiles.touched_users(
            window.app.id,
            after=0 if window.full else window.connection.watermark,
            active=window.newly_complete(),
            above=page.user_ids[-1] if page.user_ids else "",
            limit=PAGE_USERS,
        )
        page = Page(user_ids, is_last=len(user_ids) < PAGE_USERS)
        yield page
