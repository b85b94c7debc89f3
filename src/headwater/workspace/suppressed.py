"""Remember users who must never be sent to other systems: they asked, or were erased.

In: an app and user ids. Out: which of them are suppressed. Only keyed fingerprints are kept, so the
list itself says nothing about people who were erased.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.configdb.tables import suppressed_users as suppressed

Reason = Literal["asked", "erased"]
_QUERY_KEYS = 500


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """One user who is never sent."""

    fingerprint: str
    reason: Reason
    created_at: datetime


def suppress_user(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    app_id: str,
    user_id: str,
    reason: Reason = "asked",
) -> None:
    """Never send this user again; saying it twice changes nothing but the reason."""
    if not user_id:
        raise InvalidInputError("Whom? A user id is needed.", field="user_id")
    allow_user(connection, vault, app_id, user_id)
    connection.execute(
        suppressed.insert().values(
            app_id=app_id,
            fingerprint=_fingerprint(vault, app_id, user_id),
            reason=reason,
            created_at=clock.now(),
        )
    )


def allow_user(connection: sa.Connection, vault: Vault, app_id: str, user_id: str) -> bool:
    """Send this user again from now on; tell whether that was forbidden."""
    removed = connection.execute(
        suppressed.delete().where(
            suppressed.c.app_id == app_id,
            suppressed.c.fingerprint == _fingerprint(vault, app_id, user_id),
        )
    )
    return bool(removed.rowcount)


def list_suppressed(connection: sa.Connection, app_id: str) -> list[Suppression]:
    """Return an app's suppressed users, oldest first; who they are is not kept."""
    columns = [suppressed.c[name] for name in Suppression.__struct_fields__]
    question = sa.select(*columns).where(suppressed.c.app_id == app_id)
    rows = connection.execute(question.order_by(suppressed.c.created_at, suppressed.c.fingerprint))
    return [Suppression(**row) for row in rows.mappings()]


def suppressed_among(
    connection: sa.Connection, vault: Vault, app_id: str, user_ids: Iterable[str]
) -> set[str]:
    """Return those of the users who must not be sent."""
    any_at_all = sa.select(suppressed.c.app_id).where(suppressed.c.app_id == app_id).limit(1)
    if connection.execute(any_at_all).first() is None:
        return set()  # nearly always: no fingerprint is made for nothing
    by_key = {_fingerprint(vault, app_id, user_id): user_id for user_id in user_ids}
    keys = list(by_key)
    found: set[str] = set()
    for first in range(0, len(keys), _QUERY_KEYS):
        rows = connection.execute(
            sa.select(suppressed.c.fingerprint).where(
                suppressed.c.app_id == app_id,
                suppressed.c.fingerprint.in_(keys[first : first + _QUERY_KEYS]),
            )
        )
        found.update(by_key[key] for key in rows.scalars())
    return found


def _fingerprint(vault: Vault, app_id: str, user_id: str) -> str:
    return vault.fingerprint(f"suppressed\x1f{app_id}\x1f{user_id}")
