"""Remember users whom no message may enter for, from any source of the workspace.

In: user ids. Out: the marks that the Tracking API's door compares. Only keyed fingerprints are
kept, so the list says nothing about people who asked to be left alone. What entered before stays.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.configdb.tables import suppressed_ids

MOST_AT_ONCE = 5_000
SUPPRESSED_WITHIN_S = 2.0
"""The door knows of a change after this time at the latest."""
_QUERY_KEYS = 500


class SuppressedId(msgspec.Struct, frozen=True, kw_only=True):
    """One user whom no message may enter for."""

    fingerprint: str
    created_at: datetime


def mark_of(vault: Vault, user_id: str) -> str:
    """Return what is kept instead of a user id."""
    return vault.fingerprint(f"suppressed everywhere\x1f{user_id}")


def suppress_ids(
    connection: sa.Connection, vault: Vault, clock: Clock, user_ids: Sequence[str]
) -> int:
    """Let nothing in for these users; return how many were not suppressed before."""
    marks = _marks(vault, user_ids)
    known: set[str] = set()
    for chosen in _portions(marks):
        among = suppressed_ids.c.fingerprint.in_(chosen)
        known.update(
            connection.execute(sa.select(suppressed_ids.c.fingerprint).where(among)).scalars()
        )
    now = clock.now()
    rows = [{"fingerprint": mark, "created_at": now} for mark in marks if mark not in known]
    if rows:
        connection.execute(suppressed_ids.insert(), rows)
    return len(rows)


def allow_ids(connection: sa.Connection, vault: Vault, user_ids: Sequence[str]) -> int:
    """Let messages of these users in again; return how many were suppressed."""
    removed = 0
    for chosen in _portions(_marks(vault, user_ids)):
        among = suppressed_ids.c.fingerprint.in_(chosen)
        removed += connection.execute(suppressed_ids.delete().where(among)).rowcount
    return removed


def list_suppressed_ids(connection: sa.Connection) -> list[SuppressedId]:
    """Return who is suppressed, oldest first; who they are is not kept."""
    order = (suppressed_ids.c.created_at, suppressed_ids.c.fingerprint)
    rows = connection.execute(sa.select(suppressed_ids).order_by(*order)).mappings()
    return [SuppressedId(**row) for row in rows]


def suppressed_marks(connection: sa.Connection) -> frozenset[str]:
    """Return the marks of all suppressed users."""
    return frozenset(connection.execute(sa.select(suppressed_ids.c.fingerprint)).scalars())


def check_user_ids(user_ids: Sequence[str]) -> list[str]:
    """Return the ids, each once and in order; refuse none at all, empty ones and too many."""
    if not user_ids or not all(user_ids):
        raise InvalidInputError("Whom? User ids are needed, none of them empty.", field="user_ids")
    if len(user_ids) > MOST_AT_ONCE:
        raise InvalidInputError(f"{MOST_AT_ONCE} user ids at most at once.", field="user_ids")
    return sorted(set(user_ids))


def _marks(vault: Vault, user_ids: Sequence[str]) -> list[str]:
    return [mark_of(vault, user_id) for user_id in check_user_ids(user_ids)]


def _portions(marks: Sequence[str]) -> list[Sequence[str]]:
    return [marks[first : first + _QUERY_KEYS] for first in range(0, len(marks), _QUERY_KEYS)]
