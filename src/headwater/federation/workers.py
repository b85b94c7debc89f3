"""Keep one courier at work for each enabled destination.

In: the destinations of the configuration database, looked at every second. Out: couriers started,
stopped and replaced as people add, switch and change destinations.
"""

import asyncio
from datetime import timedelta

import msgspec

from headwater.base.clock import Clock
from headwater.base.egress import Egress
from headwater.base.settings import FederationSettings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, read_position
from headwater.destinations import Instance, get_destination, list_destinations
from headwater.eventlog import EventLog, Stream
from headwater.federation.counts import paused_destinations, resume
from headwater.federation.courier import Courier
from headwater.federation.deliveries import prune_dead_letters
from headwater.federation.figures import forget_hours
from headwater.federation.replays import Replays
from headwater.federation.view import DeliveryStatus, delivery_status
from headwater.sources import Forgotten

_LOOK_EVERY_S = 1.0
_PRUNE_EVERY_S = 3600.0
_KEEP_HOURS = timedelta(days=90)
_logger = get_logger("federation")


class FederationWorkers:
    """The worker `federation`; one process runs it."""

    name = "federation"

    def __init__(
        self,
        configdb: ConfigDb,
        log: EventLog,
        vault: Vault,
        egress: Egress,
        clock: Clock,
        settings: FederationSettings,
    ) -> None:
        self._configdb = configdb
        self._log = log
        self._vault = vault
        self._egress = egress
        self._clock = clock
        self._settings = settings
        self._couriers: dict[str, Courier] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._has_looked = False
        self._pruned_at_s = clock.monotonic_s()
        self._forgotten = Forgotten(configdb, vault, clock)
        self.replays = Replays(configdb, log, clock, self._forgotten)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                await self.refresh()
                await self._prune()
                if not await self._replay():
                    await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await self._stop(list(self._tasks))

    async def refresh(self) -> None:
        """Bring the couriers in line with the configuration."""
        await self._forgotten.refresh()
        found = await self._configdb.run(list_destinations)
        kept = {name for name, courier in self._couriers.items() if courier.is_pause_kept}
        paused = await self._configdb.look(paused_destinations)
        wanted = {instance.id: instance for instance in found if instance.enabled}
        await self._stop(
            [name for name, one in self._couriers.items() if wanted.get(name) != one.instance]
        )
        for name, instance in wanted.items():
            if name not in self._couriers:
                self._start(instance, paused.get(name, ""))
                if self._has_looked and name in paused:
                    # Somebody switched or changed it: what it was paused for may be mended.
                    await self._configdb.run(resume, name)
                    self._couriers[name].resume()
            elif name in kept and name not in paused:
                self._couriers[name].resume()
        self._has_looked = True

    async def _replay(self) -> int:
        """Put more in line where a replay is on its way; whatever goes wrong stops nothing else."""
        try:
            return await self.replays.step()
        except Exception:
            _logger.exception("replay_failed")
            return 0

    def _start(self, instance: Instance, paused: str) -> None:
        courier = Courier(
            instance,
            self._configdb,
            self._log,
            self._vault,
            self._egress,
            self._clock,
            self._settings,
            self._forgotten,
            paused=paused,
        )
        self._couriers[instance.id] = courier
        self._tasks[instance.id] = asyncio.create_task(courier.run(), name=instance.reader)
        _logger.info("courier_started", destination=instance.id)

    async def status(self, destination_id: str) -> DeliveryStatus:
        """Return a destination's totals, and how far behind the log it is."""
        totals = await self._configdb.look(delivery_status, destination_id)
        instance = await self._configdb.run(get_destination, destination_id)
        position = await self._configdb.run(read_position, instance.reader)
        state = await self._log.state(Stream.MESSAGES)
        courier = self._couriers.get(destination_id)
        return msgspec.structs.replace(
            totals,
            rests_s=round(courier.breaker.rest_s, 1) if courier else 0.0,
            behind_entries=state.last_offset + 1 - position.next_offset if position else None,
        )

    async def _stop(self, names: list[str]) -> None:
        tasks = [self._tasks.pop(name) for name in names]
        for name in names:
            del self._couriers[name]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _prune(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._pruned_at_s > _PRUNE_EVERY_S:
            self._pruned_at_s = now_s
            keep = timedelta(seconds=self._settings.keep_dead_s)
            await self._configdb.run(prune_dead_letters, self._clock, keep)
            await self._configdb.run(forget_hours, self._clock.now(), _KEEP_HOURS)
