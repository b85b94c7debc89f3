"""Keep cohorts: conditions on users under a name, to be chosen as the audience of extensions.

In: a name and checked conditions. Out: cohorts, and who uses them. Whoever changes one makes every
connection that uses it look at everybody once more. One in use is not deleted: without it a
connection would send everybody.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.base.ids import new_id
from headwater.configdb.tables import cohorts
from headwater.configdb.tables import extension_connections as connections
from headwater.extensions.audience import Condition, check_condition

MOST_CONDITIONS = 50
LONGEST_NAME = 200
LOOK_AGAIN = {"watermark": 0, "watermark_day": ""}
"""Where a connection stands that has to look at everybody once more."""


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """A set of users, told by what holds of them."""

    id: str
    app_id: str
    name: str
    conditions: tuple[Condition, ...]
    """All must hold."""
    used_by: tuple[str, ...] = ()
    """The types of the extensions that send it."""
    created_at: datetime
    changed_at: datetime


def add_cohort(
    connection: sa.Connection, clock: Clock, app_id: str, name: str, conditions: Sequence[Condition]
) -> Cohort:
    """Keep a cohort under a name that no other of the app has."""
    values = _checked(connection, app_id, name, conditions)
    id_, now = new_id("coh"), clock.now()
    connection.execute(
        cohorts.insert().values(id=id_, app_id=app_id, created_at=now, changed_at=now, **values)
    )
    return get_cohort(connection, app_id, id_)


def change_cohort(
    connection: sa.Connection,
    clock: Clock,
    app_id: str,
    cohort: str,
    name: str,
    conditions: Sequence[Condition],
) -> Cohort:
    """Give a cohort another name, or other conditions."""
    known = get_cohort(connection, app_id, cohort)
    values = _checked(connection, app_id, name, conditions, but=known.id)
    connection.execute(
        cohorts.update().where(cohorts.c.id == known.id).values(changed_at=clock.now(), **values)
    )
    found = get_cohort(connection, app_id, known.id)
    if found.conditions != known.conditions:
        users = connections.update().where(connections.c.cohort_id == known.id)
        connection.execute(users.values(LOOK_AGAIN))
    return found


def delete_cohort(connection: sa.Connection, app_id: str, cohort: str) -> None:
    """Forget a cohort; raise `ConflictError` while an extension sends it."""
    known = get_cohort(connection, app_id, cohort)
    if known.used_by:
        raise ConflictError(
            f"The cohort {known.name!r} is sent by: {', '.join(known.used_by)}.",
            field="cohort",
            hint="Choose another audience there first.",
        )
    connection.execute(cohorts.delete().where(cohorts.c.id == known.id))


def get_cohort(connection: sa.Connection, app_id: str, cohort: str) -> Cohort:
    """Return a cohort of the app by its id or its name, or raise `NotFoundError`."""
    named = sa.or_(cohorts.c.id == cohort, cohorts.c.name == cohort)
    # An id before a name: somebody may call a cohort like the id of another.
    order = (cohorts.c.id != cohort, cohorts.c.id)
    row = connection.execute(_select(app_id).where(named).order_by(*order)).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no cohort {cohort!r} in this app.", field="cohort")
    return _to_cohort(row, _users(connection, app_id))


def list_cohorts(connection: sa.Connection, app_id: str) -> list[Cohort]:
    """Return the app's cohorts by name."""
    rows = connection.execute(_select(app_id).order_by(cohorts.c.name)).mappings()
    users = _users(connection, app_id)
    return [_to_cohort(row, users) for row in rows]


def _checked(
    connection: sa.Connection,
    app_id: str,
    name: str,
    conditions: Sequence[Condition],
    *,
    but: str = "",
) -> dict[str, Any]:
    clean = name.strip()
    if not 1 <= len(clean) <= LONGEST_NAME or not clean.isprintable():
        raise InvalidInputError(f"A name has 1 to {LONGEST_NAME} characters.", field="name")
    if not 1 <= len(conditions) <= MOST_CONDITIONS:
        raise InvalidInputError(
            f"A cohort has 1 to {MOST_CONDITIONS} conditions.", field="conditions"
        )
    taken = _select(app_id).where(cohorts.c.name == clean, cohorts.c.id != but)
    if connection.execute(taken).first() is not None:
        raise ConflictError(f"There is a cohort {clean!r} already.", field="name")
    checked = [check_condition(one) for one in conditions]
    return {"name": clean, "conditions": msgspec.to_builtins(checked)}


def _users(connection: sa.Connection, app_id: str) -> dict[str, list[str]]:
    asked = sa.select(connections.c.cohort_id, connections.c.type)
    using = asked.where(connections.c.app_id == app_id, connections.c.cohort_id != "")
    found: dict[str, list[str]] = {}
    for cohort_id, type_ in connection.execute(using.order_by(connections.c.type)):
        found.setdefault(cohort_id, []).append(type_)
    return found


def _select(app_id: str) -> sa.Select[Any]:
    return sa.select(cohorts).where(cohorts.c.app_id == app_id)


def _to_cohort(row: sa.RowMapping, users: dict[str, list[str]]) -> Cohort:
    conditions = msgspec.convert(row["conditions"], tuple[Condition, ...])
    used_by = tuple(users.get(row["id"], ()))
    return Cohort(**{**row, "conditions": conditions, "used_by": used_by})
