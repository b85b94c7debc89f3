"""Remember whose old messages a warehouse must not load again.

In: users that somebody asked to delete. Out: a question that loading asks of each message. The log
holds what was received for some days: without this, the next load or a backfill would bring deleted
people back. Only keyed fingerprints are kept, and only while the log may still hold the messages.
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from headwater.base.vault import Vault
from headwater.configdb.tables import warehouse_forgotten


def remember_forgotten(
    connection: sa.Connection,
    vault: Vault,
    warehouse_id: str,
    user_ids: Sequence[str],
    last_offset: int,
) -> None:
    """Let nothing of these users in that the log holds by now."""
    for mark in {vault.fingerprint(user_id) for user_id in user_ids}:
        row = {"warehouse_id": warehouse_id, "user_mark": mark}
        connection.execute(
            warehouse_forgotten.delete().where(
                warehouse_forgotten.c.warehouse_id == warehouse_id,
                warehouse_forgotten.c.user_mark == mark,
            )
        )
        connection.execute(warehouse_forgotten.insert().values(**row, last_offset=last_offset))


def read_forgotten(
    connection: sa.Connection, vault: Vault, warehouse_id: str, first_offset: int
) -> Callable[[int, str], bool]:
    """Return the question; what the log has lost by now is no longer kept."""
    mine = warehouse_forgotten.c.warehouse_id == warehouse_id
    connection.execute(
        warehouse_forgotten.delete().where(mine, warehouse_forgotten.c.last_offset < first_offset)
    )
    rows = connection.execute(sa.select(warehouse_forgotten).where(mine))
    until = {row.user_mark: row.last_offset for row in rows}
    last = max(until.values(), default=-1)

    def is_forgotten(offset: int, user_id: str) -> bool:
        return offset <= last and offset <= until.get(vault.fingerprint(user_id), -1)

    return is_forgotten
