"""Remember which calls were stored, well enough to ask the store only about the suspicious ones.

In: keys of calls. Out: yes ("perhaps") or no ("certainly not"). Nothing here decides that a call is
a repeat: the store does. Forgets what the store forgets too; holds some 2.4 bytes a key.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import chain

from rbloom import Bloom

from headwater.base.clock import Clock

Key = tuple[str, str]
"""App and call id."""

_FIRST_FILTER_KEYS = 1_000_000
_FALSE_ALARMS = 1e-4


class _Filter:
    """Room for so many keys; known by when the last one came."""

    def __init__(self, room: int, now: datetime) -> None:
        self.keys = Bloom(room, _FALSE_ALARMS)
        self.room = room
        self.last_at = now


class SeenIds:
    """Bloom filters, each twice as large as the one before; those of long ago are dropped."""

    def __init__(self, clock: Clock, keep: timedelta) -> None:
        self._clock = clock
        self._keep = keep
        self._filters = [_Filter(_FIRST_FILTER_KEYS, clock.now())]

    def suspects(self, keys: Collection[Key]) -> set[Key]:
        """Return the keys that came before, perhaps; the others certainly did not."""
        return set(
            chain.from_iterable(filter(one.keys.__contains__, keys) for one in self._filters)
        )

    def update(self, keys: Iterable[Key]) -> None:
        """Remember keys."""
        now = self._clock.now()
        self._forget(now - self._keep)
        self._filters[-1].last_at = now
        left = list(keys)
        while left:
            newest = self._with_room(now)
            some, left = left[: newest.room], left[newest.room :]
            newest.keys.update(some)
            newest.room -= len(some)

    def _with_room(self, now: datetime) -> _Filter:
        if self._filters[-1].room == 0:
            room = _FIRST_FILTER_KEYS * 2 ** len(self._filters)
            self._filters.append(_Filter(room, now))
        return self._filters[-1]

    def _forget(self, before: datetime) -> None:
        """Drop filters whose keys are all older; a filter in use never is."""
        self._filters[:-1] = [one for one in self._filters[:-1] if one.last_at >= before]
