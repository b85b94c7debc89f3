"""Keep the totals of each destination, and whether a person has to mend it first.

In: a connection to the configuration database. Out: the one row of a destination.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from headwater.configdb.tables import delivery_counts

_NOTHING = {"delivered": 0, "delivered_first_try": 0, "filtered": 0, "unreadable": 0}


def add_totals(
    connection: sa.Connection, destination_id: str, now: datetime, tally: Mapping[str, int]
) -> None:
    """Add what was counted to the totals of all time."""
    table = delivery_counts.c
    added = {
        "delivered": tally.get("delivered", 0),
        "delivered_first_try": tally.get("first_try", 0),
        "filtered": sum(n for what, n in tally.items() if what.startswith("filtered.")),
        "unreadable": tally.get("unreadable", 0),
    }
    values: dict[str, object] = {name: table[name] + n for name, n in added.items() if n}
    if added["delivered"]:
        values["last_delivered_at"] = now
    if values:
        _change(connection, destination_id, values)


def pause(connection: sa.Connection, destination_id: str, why: str) -> None:
    """Note that nothing is sent, and why."""
    _change(connection, destination_id, {"paused": why})


def resume(connection: sa.Connection, destination_id: str) -> None:
    """Let a paused destination be tried again."""
    _change(connection, destination_id, {"paused": ""})


def paused_destinations(connection: sa.Connection) -> dict[str, str]:
    """Return why destinations are paused, by id."""
    table = delivery_counts.c
    rows = connection.execute(
        sa.select(table.destination_id, table.paused).where(table.paused != "")
    )
    return {row.destination_id: row.paused for row in rows}


def _change(connection: sa.Connection, destination_id: str, values: dict[str, object]) -> None:
    mine = delivery_counts.c.destination_id == destination_id
    update = delivery_counts.update().where(mine).values(values)
    if connection.execute(update).rowcount == 0:
        row = {"destination_id": destination_id, **_NOTHING}
        connection.execute(delivery_counts.insert().values(row))
        connection.execute(update)
