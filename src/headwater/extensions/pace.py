"""Find out how much an endpoint takes at once: more while it answers quickly, less in trouble.

In: answers and troubles as they come. Out: turns: who wants to send waits for one. Trouble halves
the number of turns and lets everybody rest; so does an endpoint that becomes slow, by and by.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_FIRST_TURNS = 2.0
_SLOW = 3.0
"""Times the best answer so far."""
_SLOW_LEAST_S = 0.2
_FORGETTING = 1.02
"""How quickly the best answer is forgotten, with each answer."""


class Pace:
    """The turns of one delivery."""

    def __init__(self, most: int) -> None:
        self.troubles = 0
        """In a row; what was on the wire together counts as one."""
        self._most = most
        self._turns = min(_FIRST_TURNS, most)
        self._quickly = True
        self._best_s = float("inf")
        self._active = 0
        self._troubled_at_s = float("-inf")
        self._rest_until_s = float("-inf")
        self._freed = asyncio.Condition()

    @property
    def limit(self) -> int:
        """How many may send at once."""
        return max(1, int(self._turns))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn; give the moment at which it began."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._active < self.limit)
            self._active += 1
        try:
            await self._rested()
            yield _now_s()
        finally:
            self._active -= 1
            async with self._freed:
                self._freed.notify_all()

    async def _rested(self) -> None:
        rest_s = self._rest_until_s - _now_s()
        if rest_s > 0:
            await asyncio.sleep(rest_s)
            await self._rested()  # somebody may have asked for more meanwhile

    def went_well(self, began_s: float) -> None:
        """Note an answer: twice as many turns while nothing ever went wrong, then one by one."""
        took_s = _now_s() - began_s
        self.troubles = 0
        self._best_s = min(took_s, self._best_s * _FORGETTING)
        if took_s > max(_SLOW * self._best_s, _SLOW_LEAST_S):
            self._quickly = False
            self._turns = max(1.0, self._turns - 1 / self._turns)
        else:
            more = 1.0 if self._quickly else 1 / self._turns
            self._turns = min(float(self._most), self._turns + more)

    def went_wrong(self, began_s: float) -> None:
        """Note trouble that passes; what began before the last trouble is the same trouble."""
        if began_s > self._troubled_at_s:
            self.troubles += 1
            self._quickly = False
            self._turns = max(1.0, self._turns / 2)
            self._troubled_at_s = _now_s()

    def rest(self, wait_s: float) -> None:
        """Let nobody begin for a while."""
        self._rest_until_s = max(self._rest_until_s, _now_s() + wait_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
