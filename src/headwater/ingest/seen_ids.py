"""Remember which calls were stored, well enough to ask the store only about the suspicious ones.

In: keys of calls. Out: yes ("perhaps") or no ("certainly not"). Nothing here decides that a call is
a repeat: the store does. Forgets nothing until it is made anew; holds some 2.4 bytes a key.
"""

from collections.abc import Iterable

from rbloom import Bloom

Key = tuple[str, str]
"""App and call id."""

_FIRST_FILTER_KEYS = 1_000_000
_FALSE_ALARMS = 1e-4


class SeenIds:
    """Bloom filters, each twice as large as the one before."""

    def __init__(self) -> None:
        self._room = _FIRST_FILTER_KEYS
        self._newest = Bloom(self._room, _FALSE_ALARMS)
        self._filters = [self._newest]

    def __contains__(self, key: Key) -> bool:
        return any(key in one for one in self._filters)

    def update(self, keys: Iterable[Key]) -> None:
        """Remember keys."""
        for key in keys:
            if self._room == 0:
                self._grow()
            self._newest.add(key)
            self._room -= 1

    def _grow(self) -> None:
        self._room = _FIRST_FILTER_KEYS * 2 ** len(self._filters)
        self._newest = Bloom(self._room, _FALSE_ALARMS)
        self._filters.append(self._newest)
