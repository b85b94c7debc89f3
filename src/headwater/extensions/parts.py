"""Hold what the whole room works with.

In: the engines, as `app.py` built them. Out: the same, under one name, and the few things that are
asked of several of them at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from headwater.base.clock import Clock
from headwater.base.egress import Egress
from headwater.base.settings import ExtensionSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, read_position
from headwater.eventlog import EventLog, Stream
from headwater.extensions.contract import Outside
from headwater.profiles import Profiles

_INGEST = "ingest"


@dataclass(frozen=True)
class Parts:
    """The engines behind every connection."""

    profiles: Profiles
    configdb: ConfigDb
    log: EventLog
    vault: Vault
    egress: Egress
    clock: Clock
    settings: ExtensionSettings
    built_in_url: Callable[[], str]

    @property
    def outside(self) -> Outside:
        """What senders need."""
        return Outside(self.egress, self.built_in_url(), self.settings.timeout_s)

    async def stored_offset(self) -> int:
        """Return the log offset up to which the store holds everything."""
        position = await self.configdb.run(read_position, _INGEST)
        if position is None:
            return 0
        first_missing = position.pending[0] if position.pending else position.next_offset
        return first_missing - 1

    async def entries_not_stored(self) -> int:
        """Return how many log entries a run would not see yet."""
        last_offset = (await self.log.state(Stream.CALLS)).last_offset
        return max(0, last_offset - await self.stored_offset())
