"""Let messages to one endpoint wait for their turn: as many at once as it takes.

In: answers and troubles as they come. Out: turns: who wants to send waits for one. Trouble lets
everybody rest; how many turns there are is found out by `Concurrency`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headwater.base.concurrency import Concurrency


class Pace(Concurrency):
    """The turns of one delivery."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._active = 0
        self._rest_until_s = float("-inf")
        self._freed = asyncio.Condition()

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
        """Note an answer to what began then."""
        self.note_answer(began_s, _now_s())

    def went_wrong(self, began_s: float) -> None:
        """Note trouble that passes."""
        self.note_trouble(began_s, _now_s())

    def rest(self, wait_s: float) -> None:
        """Let nobody begin for a while."""
        self._rest_until_s = max(self._rest_until_s, _now_s() + wait_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
