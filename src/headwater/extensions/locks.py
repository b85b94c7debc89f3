"""See to it that one connection does one thing at a time.

In: a connection's id. Out: the turn. Within this process, which is the only one on its data.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Locks:
    """One turn for each connection."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def is_busy(self, connection_id: str) -> bool:
        """Tell whether somebody has the turn."""
        return self._locks[connection_id].locked()

    @asynccontextmanager
    async def hold(self, connection_id: str) -> AsyncIterator[None]:
        """Wait for the turn, and have it for a block."""
        async with self._locks[connection_id]:
            yield
