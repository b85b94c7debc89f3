"""Make guessing of passwords slow, without locking anybody out.

In: who tries (an address, an account at an address). Out: seconds to wait first. The wait doubles
with each try beyond the free ones and ends after `LONGEST_WAIT_S`, so that a stranger cannot keep
the owner out for long. Memory of this process only: behind many processes the wait is shorter.
"""

from collections import OrderedDict
from collections.abc import Mapping
from math import ceil

from headwater.base.clock import Clock
from headwater.base.errors import TooManyError

LONGEST_WAIT_S = 60.0
FORGET_AFTER_S = 900.0
_MOST_REMEMBERED = 10_000


class MustWaitError(TooManyError):
    """Too many tries; says how long to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("Too many tries.", hint=f"Wait {ceil(wait_s)} seconds, then try again.")
        self.wait_s = wait_s


class Throttle:
    """Counts the tries since the last success, by name of who tries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def take(self, free_tries: Mapping[str, int]) -> None:
        """Count one try for each name, or raise `MustWaitError` when one has to wait first.

        Counted before the password is looked at, so that guesses in parallel gain nothing.
        """
        wait_s = max(self._wait_s(name, free) for name, free in free_tries.items())
        if wait_s > 0:
            raise MustWaitError(wait_s)
        for name in free_tries:
            self._tries[name] = (self._count(name) + 1, self._clock.monotonic_s())
            self._tries.move_to_end(name)
        while len(self._tries) > _MOST_REMEMBERED:
            self._tries.popitem(last=False)

    def forget(self, name: str) -> None:
        """Start anew after a success."""
        self._tries.pop(name, None)

    def _count(self, name: str) -> int:
        count, last_s = self._tries.get(name, (0, 0.0))
        return count if self._clock.monotonic_s() - last_s < FORGET_AFTER_S else 0

    def _wait_s(self, name: str, free: int) -> float:
        over = self._count(name) - free
        if over < 0:
            return 0.0
        _, last_s = self._tries[name]
        return float(min(LONGEST_WAIT_S, 2.0**over) - (self._clock.monotonic_s() - last_s))
