"""Know whose old messages nobody may read any more, wherever the log is read.

In: users whom somebody asked to forget, and a moment. Out: one question that every reader of the
log asks of each message. The log keeps its bytes until they expire; this keeps them unread.
Users are known by keyed fingerprints only, and no longer than the log may hold such messages.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.configdb.tables import forgotten_users
from headwater.model import Message
from headwater.sources.suppressed import mark_of

FORGOTTEN_WITHIN_S = 1.0
"""A reader knows whom to pass over after this time at the latest."""
_PUT = sa.text(
    "INSERT INTO forgotten_users (user_mark, until) VALUES (:user_mark, :until) "
    "ON CONFLICT (user_mark) DO UPDATE SET until = excluded.until"
).bindparams(sa.bindparam("until", type_=forgotten_users.c.until.type))
_NEVER = datetime.min.replace(tzinfo=UTC)


def forget_before(
    connection: sa.Connection, vault: Vault, user_ids: Sequence[str], moment: datetime
) -> None:
    """Let nobody read messages of these users that were received up to a moment."""
    marks = {mark_of(vault, user_id) for user_id in user_ids}
    connection.execute(_PUT, [{"user_mark": mark, "until": moment} for mark in sorted(marks)])


def prune_forgotten(connection: sa.Connection, before: datetime) -> int:
    """Remember no longer whom nobody can read of: the log has nothing older than a moment."""
    expired = forgotten_users.delete().where(forgotten_users.c.until < before)
    return connection.execute(expired).rowcount


class Forgotten:
    """A reader's memory of whom to pass over; `keep_fresh` before each reading."""

    def __init__(self, configdb: ConfigDb, vault: Vault, clock: Clock) -> None:
        self._configdb = configdb
        self._vault = vault
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._last = _NEVER
        self._version: tuple[int, datetime | None] = (0, None)
        self._read_at_s = float("-inf")

    async def keep_fresh(self) -> None:
        """Look again, if the last look is not quite recent."""
        if self._clock.monotonic_s() - self._read_at_s >= FORGOTTEN_WITHIN_S:
            await self.refresh()

    async def refresh(self) -> None:
        """Look again."""
        began_s = self._clock.monotonic_s()
        self._until = await self._configdb.look(self._read)
        self._last = max(self._until.values(), default=_NEVER)
        self._read_at_s = began_s

    def hides(self, message: Message) -> bool:
        """Tell whether a message is of, or names, somebody who was forgotten after it came."""
        if message.received_at > self._last:  # nearly always: no fingerprint is made for nothing
            return False
        return any(
            message.received_at <= self._until.get(mark_of(self._vault, name), _NEVER)
            for name in (message.user_id, message.body.get("previousId"))
            if isinstance(name, str) and name
        )

    def _read(self, connection: sa.Connection) -> dict[str, datetime]:
        table = forgotten_users.c
        count, newest = connection.execute(
            sa.select(sa.func.count(), sa.func.max(table.until))
        ).one()
        if (count, newest) == self._version:
            return self._until
        self._version = (count, newest)
        return {row.user_mark: row.until for row in connection.execute(sa.select(forgotten_users))}
