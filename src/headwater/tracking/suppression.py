"""Keep out messages of suppressed users: nothing behind the door ever sees them.

In: normalised messages. Out: those that may enter. Answers come from memory; who was suppressed or
allowed is noticed within `SUPPRESSED_WITHIN_S`. Clients are not told: they would only try again.
"""

from collections.abc import Sequence

from headwater.base.clock import Clock
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.model import Message
from headwater.sources import SUPPRESSED_WITHIN_S, mark_of, suppressed_marks


class Suppression:
    """The door's memory of whom nothing may enter for."""

    def __init__(self, configdb: ConfigDb, vault: Vault, clock: Clock) -> None:
        self._configdb = configdb
        self._vault = vault
        self._clock = clock
        self._marks: frozenset[str] = frozenset()
        self._read_at_s: float | None = None

    async def keep_allowed(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages that name no suppressed user."""
        await self._refresh()
        if not self._marks:
            return list(messages)  # nearly always: no fingerprint is made for nothing
        return [message for message in messages if not self._names_suppressed(message)]

    async def _refresh(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._read_at_s is None or now_s - self._read_at_s >= SUPPRESSED_WITHIN_S:
            self._marks = await self._configdb.look(suppressed_marks)
            self._read_at_s = now_s

    def _names_suppressed(self, message: Message) -> bool:
        names = (message.user_id, message.body.get("previousId"))
        return any(
            mark_of(self._vault, name) in self._marks
            for name in names
            if isinstance(name, str) and name
        )
