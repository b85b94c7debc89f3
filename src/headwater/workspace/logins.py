"""Keep the people who may look: logins with passwords, and their sessions.

In: e-mail addresses, passwords, session tokens. Out: who it is. Passwords are Argon2id hashes;
session tokens are stored as fingerprints only.
"""

from datetime import datetime, timedelta
from functools import cache

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, InvalidInputError
from headwater.base.ids import new_id, new_secret
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.configdb.tables import logins, sessions

ROLES = ("viewer", "admin", "owner")
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
SESSION_LIFE = timedelta(days=7)

_hasher = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Return what is checked when there is no such login: the answer takes the same time."""
    return _hasher.hash(new_secret("nobody"))


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may look, and in which role."""

    id: str
    email: str
    role: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A person at a browser."""

    login: Login
    csrf_token: str
    expires_at: datetime


def create_login(
    connection: sa.Connection, clock: Clock, email: str, password: str, role: str = "owner"
) -> Login:
    """Add a login."""
    address = _clean_email(email)
    if role not in ROLES:
        raise InvalidInputError(f"A role is one of {', '.join(ROLES)}.", field="role")
    if connection.execute(sa.select(logins.c.id).where(logins.c.email == address)).first():
        raise ConflictError(f"There is a login {address} already.", field="email")
    login = Login(id=new_id("login"), email=address, role=role)
    connection.execute(
        logins.insert().values(
            id=login.id,
            email=login.email,
            role=role,
            password_hash=_hasher.hash(_clean_password(password)),
            created_at=clock.now(),
        )
    )
    return login


def has_logins(connection: sa.Connection) -> bool:
    """Tell whether anybody can log in yet."""
    return connection.execute(sa.select(logins.c.id).limit(1)).first() is not None


def check_password(db: ConfigDb, email: str, password: str) -> Login | None:
    """Return the login if the password is right; equally slow for unknown addresses.

    The hash is computed outside of any transaction: nobody waits for it but the one who logs in.
    """
    with db.transaction() as connection:
        row = connection.execute(
            sa.select(logins).where(logins.c.email == email.strip().lower())
        ).one_or_none()
    try:
        _hasher.verify(_nobodys_hash() if row is None else row.password_hash, password)
    except (VerificationError, InvalidHashError):
        return None
    return None if row is None else Login(id=row.id, email=row.email, role=row.role)


def start_session(
    connection: sa.Connection, vault: Vault, clock: Clock, login_id: str
) -> tuple[str, Session]:
    """Open a session; return the token for the cookie, and the session."""
    connection.execute(sessions.delete().where(sessions.c.expires_at < clock.now()))
    token = new_secret("session")
    connection.execute(
        sessions.insert().values(
            fingerprint=vault.fingerprint(token),
            login_id=login_id,
            csrf_token=new_secret("csrf", 24),
            created_at=clock.now(),
            expires_at=clock.now() + SESSION_LIFE,
        )
    )
    session = find_session(connection, vault, clock, token)
    assert session is not None, "a session just stored can be read"  # noqa: S101 - same transaction
    return token, session


def find_session(
    connection: sa.Connection, vault: Vault, clock: Clock, token: str
) -> Session | None:
    """Return the live session of a cookie."""
    row = connection.execute(
        sa.select(
            sessions.c.csrf_token, sessions.c.expires_at, logins.c.id, logins.c.email, logins.c.role
        )
        .join(logins, logins.c.id == sessions.c.login_id)
        .where(sessions.c.fingerprint == vault.fingerprint(token))
        .where(sessions.c.expires_at > clock.now())
    ).one_or_none()
    if row is None:
        return None
    login = Login(id=row.id, email=row.email, role=row.role)
    return Session(login=login, csrf_token=row.csrf_token, expires_at=row.expires_at)


def end_session(connection: sa.Connection, vault: Vault, token: str) -> None:
    """Log out for good: the token is worth nothing afterwards."""
    connection.execute(sessions.delete().where(sessions.c.fingerprint == vault.fingerprint(token)))


def _clean_email(email: str) -> str:
    text = email.strip().lower()
    name, at, domain = text.partition("@")
    if not (name and at and domain) or len(text) > 320:  # noqa: PLR2004 - RFC 5321's limit
        raise InvalidInputError(f"{email!r} is not an e-mail address.", field="email")
    return text


def _clean_password(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInputError(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
            field="password",
            hint="Four unrelated words make a good one.",
        )
    return password
