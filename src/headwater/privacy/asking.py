"""Begin a regulation: what must be so at once is so when it is kept.

In: what is asked, for whom, and the warehouses and destinations there are. Out: a regulation with
its targets. In the same transaction the door is closed or opened, and what was received before is
hidden from every reader of the log; the rest is the worker's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args

import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.destinations import Forgets, Instance, find_destination, list_destinations
from headwater.privacy.records import Kind, Regulation, Target, insert_regulation
from headwater.sources import (
    FORGOTTEN_WITHIN_S,
    SUPPRESSED_WITHIN_S,
    allow_ids,
    check_user_ids,
    forget_before,
    suppress_ids,
)
from headwater.warehouse import Warehouse

KINDS: Mapping[Kind, str] = {
    "suppress": "Let nothing in for them, and bring nothing of before anywhere.",
    "suppress_with_delete": "Suppress them, and delete what warehouses and destinations have.",
    "delete_only": "Delete what is there; what they do from now on is received as ever.",
    "unsuppress": "Let their new messages in again.",
}
_SETTLE = timedelta(seconds=max(SUPPRESSED_WITHIN_S, FORGOTTEN_WITHIN_S) + 1.0)
"""By then doors and readers know, and what passed them before is written down."""


def begin(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    kind: str,
    user_ids: Sequence[str],
    warehouses: Sequence[Warehouse],
    on_wire: timedelta,
) -> Regulation:
    """Keep a regulation; `on_wire` is how long a request that is on its way may take."""
    wanted, now = _check_kind(kind), clock.now()
    whom = check_user_ids(user_ids)
    if wanted == "unsuppress":
        allow_ids(connection, vault, whom)
    elif wanted == "delete_only":
        forget_before(connection, vault, whom, now)
    else:
        suppress_ids(connection, vault, clock, whom)
        forget_before(connection, vault, whom, now + _SETTLE)
    regulation = Regulation(
        id=new_id("reg"),
        kind=wanted,
        state="finished" if wanted == "unsuppress" else "initialized",
        users=len(whom),
        created_at=now,
        finished_at=now if wanted == "unsuppress" else None,
        targets=tuple(_targets(connection, wanted, warehouses, now + _SETTLE, on_wire)),
    )
    insert_regulation(connection, vault, regulation, whom)
    return regulation


def _check_kind(kind: str) -> Kind:
    for known in get_args(Kind):
        if kind == known:
            return known  # type: ignore[no-any-return]  # get_args forgets what a Literal holds
    raise InvalidInputError(
        f"There is no regulation {kind!r}.", field="kind", hint=f"Kinds are {', '.join(KINDS)}."
    )


def _targets(
    connection: sa.Connection,
    kind: Kind,
    warehouses: Sequence[Warehouse],
    begin_at: datetime,
    on_wire: timedelta,
) -> list[Target]:
    if kind == "unsuppress":
        return []
    messages = Target(kind="messages", name="Messages", next_attempt_at=begin_at)
    if kind == "suppress":
        return [messages]
    tables = [
        Target(kind="warehouse", target_id=one.id, name=one.name, next_attempt_at=begin_at)
        for one in warehouses
    ]
    tools = [_tool(instance, begin_at + on_wire) for instance in list_destinations(connection)]
    return [messages, *tables, *tools]


def _tool(instance: Instance, begin_at: datetime) -> Target:
    target = Target(
        kind="destination", target_id=instance.id, name=instance.name, next_attempt_at=begin_at
    )
    if isinstance(find_destination(instance.type), Forgets):
        return target
    return Target(
        kind="destination",
        target_id=instance.id,
        name=instance.name,
        state="not_supported",
        word=f"Deleting is not supported by {instance.title}. Delete the users there by hand.",
    )
