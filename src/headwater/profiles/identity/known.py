"""Say whom a key names at a moment, from all that was seen of it.

In: the days on which a key was seen with a value. Out: the value at any moment. Pure, and the same
in whatever order evidence came: only the earliest moment of each day and value counts.

The rule: a key names what it was last seen with; before its first link, what it was first seen
with. Seen with too many, it names nobody from there on; what it named before stays. A session key
is too many with its second user: a key that several people share must not turn their calls into
those of whoever came last.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from headwater.profiles.identity.links import Kind

MOST_VALUES: dict[Kind, int] = {"session": 1, "anonymous": 16, "user": 16}
NOBODY = ""
_SOME_DAY = 0
"""Before all others: a first moment whose day does not matter."""


class Seen(NamedTuple):
    """A key was seen with `value` on `day`, at `at` for the first time."""

    value: str
    day: int
    at: datetime


class Known(NamedTuple):
    """What is known of one key: names, and from when each holds."""

    starts: tuple[datetime, ...] = ()
    names: tuple[str, ...] = ()
    newest: tuple[Seen, ...] = ()
    """The newest day of each value: nearly all evidence repeats what is known, and ends here."""
    until: datetime | None = None
    """Seen with too many from here on."""
    apart: frozenset[str] = frozenset()
    """Values that somebody ruled are not the key's."""

    def at(self, moment: datetime) -> str:
        """Return whom the key names; empty: nobody."""
        if not self.names:
            return NOBODY
        return self.names[max(bisect_right(self.starts, moment) - 1, 0)]

    def is_news(self, value: str, day: int, at: datetime) -> bool:
        """Tell whether this evidence could change anything."""
        if value in self.apart:
            return False
        for seen in self.newest:
            if seen.value == value:
                if seen.day == day and seen.at <= at:
                    return False
                break
        return self.until is None or at < self.until

    @property
    def evidence(self) -> tuple[Seen, ...]:
        """The least evidence that tells the same, when it is all of one value."""
        first = tuple(Seen(self.names[0], _SOME_DAY, at) for at in self.starts)
        return first + self.newest


def learn(kind: Kind, seen: Iterable[Seen], apart: frozenset[str] = frozenset()) -> Known:
    """Return what evidence tells together; `apart` was ruled out, and counts for nothing."""
    in_order = _first_of_days(s for s in seen if s.value not in apart)
    first: dict[str, datetime] = {}
    newest: dict[str, Seen] = {}
    for s in in_order:
        first.setdefault(s.value, s.at)
        newest[s.value] = max(s, newest.get(s.value, s), key=lambda s: s.day)
    until = sorted(first.values())[MOST_VALUES[kind]] if len(first) > MOST_VALUES[kind] else None
    starts: list[datetime] = []
    names: list[str] = []
    for s in in_order:
        if (until is None or s.at < until) and names[-1:] != [s.value]:
            starts.append(s.at)
            names.append(s.value)
    if until is not None:
        starts.append(until)
        names.append(NOBODY)
    return Known(tuple(starts), tuple(names), tuple(newest.values()), until, apart)


def _first_of_days(seen: Iterable[Seen]) -> list[Seen]:
    """Return the earliest of each value and day, in the order of time."""
    first: dict[tuple[str, int], Seen] = {}
    for s in sorted(seen, key=lambda s: (s.at, s.value)):
        first.setdefault((s.value, s.day), s)
    return list(first.values())
