"""Keep live traffic flowing after the history.

In: a demo and a client. Out: some calls a second through the Collector API, for ever. A server
that is away for a while costs nothing but those calls' delay.
"""

import asyncio
import random

from headwater.base.clock import Clock
from headwater.base.errors import UnavailableError
from headwater.demo.history import Demo
from headwater.demo.load import CollectorClient, pack


class LiveTraffic:
    """Sends about `calls_per_s` calls each second."""

    def __init__(
        self,
        demo: Demo,
        client: CollectorClient,
        clock: Clock,
        *,
        calls_per_s: float = 5.0,
        tick_s: float = 1.0,
    ) -> None:
        self._demo = demo
        self._client = client
        self._clock = clock
        self._calls_a_tick = calls_per_s * tick_s
        self._tick_s = tick_s
        self._draw = random.Random()
        self.sent = 0

    async def run(self) -> None:
        users = self._demo.present_users() or self._demo.users
        while True:
            await asyncio.sleep(self._tick_s)
            count = max(1, round(self._draw.gauss(self._calls_a_tick, self._calls_a_tick / 4)))
            now = self._clock.now()
            calls = [
                self._demo.call_now(self._draw, self._draw.choice(users), now) for _ in range(count)
            ]
            try:
                await self._client.post("/v1/events/batch", pack(calls))
            except UnavailableError:
                continue  # the server is stopping or starting: live traffic goes on when it is back
            self.sent += count
