"""Keep the API tokens of programs, and the one-time link that makes the first login.

In: names and scopes, or a token as sent. Out: what it may do. Tokens are stored as fingerprints and
shown once.
"""

from datetime import timedelta

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id, new_secret
from headwater.base.vault import Vault
from headwater.configdb.tables import setup_links, tokens

SCOPES = ("read", "write", "admin")
SETUP_LINK_LIFE = timedelta(hours=24)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may do."""

    id: str
    name: str
    scopes: frozenset[str]


def create_token(
    connection: sa.Connection, vault: Vault, clock: Clock, name: str, scopes: list[str]
) -> str:
    """Add a token and return it; it cannot be shown again."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise InvalidInputError(
            f"Scopes are {', '.join(SCOPES)}; not {', '.join(unknown) or 'none at all'}.",
            field="scope",
        )
    token = new_secret("hw")
    connection.execute(
        tokens.insert().values(
            id=new_id("token"),
            name=name,
            fingerprint=vault.fingerprint(token),
            scopes=",".join(sorted(set(scopes))),
            created_at=clock.now(),
        )
    )
    return token


def find_token(connection: sa.Connection, vault: Vault, token: str) -> Token | None:
    """Return the live token that was sent, or None."""
    row = connection.execute(
        sa.select(tokens)
        .where(tokens.c.fingerprint == vault.fingerprint(token))
        .where(tokens.c.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    return Token(id=row.id, name=row.name, scopes=frozenset(row.scopes.split(",")))


def create_setup_link(connection: sa.Connection, vault: Vault, clock: Clock) -> str:
    """Return the token of a link that may make one login, once, within a day."""
    token = new_secret("setup")
    connection.execute(
        setup_links.insert().values(fingerprint=vault.fingerprint(token), created_at=clock.now())
    )
    return token


def check_setup_link(connection: sa.Connection, vault: Vault, clock: Clock, token: str) -> bool:
    """Tell whether the link can still be used."""
    return _live_link(connection, vault, clock, token) is not None


def use_setup_link(connection: sa.Connection, vault: Vault, clock: Clock, token: str) -> bool:
    """Use the link up; False when it is unknown, used or too old."""
    fingerprint = _live_link(connection, vault, clock, token)
    if fingerprint is None:
        return False
    connection.execute(
        setup_links.update()
        .where(setup_links.c.fingerprint == fingerprint)
        .values(used_at=clock.now())
    )
    return True


def _live_link(connection: sa.Connection, vault: Vault, clock: Clock, token: str) -> str | None:
    return connection.execute(
        sa.select(setup_links.c.fingerprint)
        .where(setup_links.c.fingerprint == vault.fingerprint(token))
        .where(setup_links.c.used_at.is_(None))
        .where(setup_links.c.created_at > clock.now() - SETUP_LINK_LIFE)
    ).scalar_one_or_none()
