"""Read from calls and profile updates which keys belong together.

In: whatever names a user beside a session key, a browser or a company. Out: links, each with the
moment that it speaks of. Pure.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from headwater.model import ProfileUpdate

Kind = Literal["session", "anonymous", "user"]
"""What a key is: a session key or a browser, which name a user; a user, who names a company."""
Key = tuple[str, Kind, str]
"""App, kind, key."""
_ANY_DAY = 719_163  # 1970-01-01


class Caller(Protocol):
    """What identity looks at: a call or an action."""

    @property
    def app_id(self) -> str: ...
    @property
    def call_id(self) -> str: ...
    @property
    def time(self) -> datetime: ...
    @property
    def user_id(self) -> str: ...
    @property
    def company_id(self) -> str: ...
    @property
    def anonymous_id(self) -> str: ...
    @property
    def session_key(self) -> str: ...


class Owner(NamedTuple):
    """Whose a call is, and how that was found: empty when the call says it, or nobody knows."""

    user_id: str
    user_by: str
    company_id: str
    company_by: str


Fact = tuple[str, str, str, str, str, int]
"""What one call or update says of a day: app, user, company, session key, browser, day.

All but the user may be empty. A plain tuple: one is made for each call.
"""


class Link(NamedTuple):
    """A key names a value on a day."""

    key: Key
    value: str
    day: int
    """Counted as `date.toordinal` does."""


class Source(NamedTuple):
    """When a link was seen, and in which call, action or update."""

    at: datetime
    by: str


Facts = dict[Fact, Source]
"""Each fact with the earliest source of its day."""


def gather_facts(callers: Iterable[Caller], updates: Iterable[ProfileUpdate]) -> Facts:
    """Return what is said, each thing once: thousands of calls say the same."""
    facts: Facts = {}
    for c in callers:
        if c.user_id and (c.company_id or c.session_key or c.anonymous_id):
            at = c.time
            user, company, day = c.user_id, c.company_id, at.toordinal()
            fact = (c.app_id, user, company, c.session_key, c.anonymous_id, day)
            known = facts.get(fact)
            if known is None or (at, c.call_id) < known:
                facts[fact] = Source(at, c.call_id)
    for u in updates:
        if u.kind == "user" and u.id:
            at = min(u.time, u.received_at)  # a clock that is ahead must not win for ever
            fact = (u.app_id, u.id, u.company_id, u.session_key, u.anonymous_id, at.toordinal())
            source = Source(at, u.update_id)
            facts[fact] = min(source, facts.get(fact, source))
    return facts


def to_links(facts: Facts) -> dict[Link, Source]:
    """Return the links that facts hold, each with its earliest source."""
    found: dict[Link, Source] = {}
    for fact, source in facts.items():
        for link in _links_of(fact):
            found[link] = min(source, found.get(link, source))
    return found


def _links_of(fact: Fact) -> Iterator[Link]:
    app_id, user_id, company_id, session_key, anonymous_id, day = fact
    if session_key:
        # A second user makes a session key nobody's: which day it was seen on decides nothing.
        yield Link((app_id, "session", session_key), user_id, _ANY_DAY)
    if anonymous_id:
        yield Link((app_id, "anonymous", anonymous_id), user_id, day)
    if company_id:
        yield Link((app_id, "user", user_id), company_id, day)
