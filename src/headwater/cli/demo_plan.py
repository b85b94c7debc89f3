"""Remember between starts what a demo invented.

In: a data directory. Out: the same end, size and secrets as the last time, so that a load that
broke off goes on with the very same calls. Written down before anything is made of it.
"""

import base64
import os
import secrets
from datetime import datetime
from pathlib import Path

import msgspec

from headwater.base.errors import InvalidInputError, MisconfiguredError
from headwater.demo import Loaded

USERS = 2_000
DAYS = 90
_FILE = "demo.json"
_OF_ANY_HEADWATER = "master.key"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One invented history, and what its parts agreed on."""

    end: datetime
    users: int
    days: int
    password: str
    webhook_secret: str
    receiver_port: int = 0
    loaded: Loaded | None = None
    """None: not yet, or not to its end."""


def open_plan(data: Path, now: datetime, users: int | None, days: int | None) -> Plan:
    """Return the plan of this directory; a new one that ends now when there is none."""
    file = data / _FILE
    if not file.exists():
        return _make_plan(data, now, users or USERS, days or DAYS)
    try:
        plan = msgspec.json.decode(file.read_bytes(), type=Plan)
    except msgspec.DecodeError as err:
        raise MisconfiguredError(f"{file} cannot be read: {err}") from err
    if users not in {None, plan.users} or days not in {None, plan.days}:
        raise InvalidInputError(
            f"{data} holds a demo of {plan.users} users and {plan.days} days.",
            hint="Give one of another size another directory with --data.",
        )
    return plan


def _make_plan(data: Path, now: datetime, users: int, days: int) -> Plan:
    if (data / _OF_ANY_HEADWATER).exists():
        raise InvalidInputError(
            f"{data} holds a Headwater that is no demo.",
            hint="Invented calls do not belong there: choose another directory with --data.",
        )
    plan = Plan(
        end=now,
        users=users,
        days=days,
        password=secrets.token_urlsafe(12),
        webhook_secret=f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
    )
    write_plan(data, plan)
    return plan


def write_plan(data: Path, plan: Plan) -> None:
    """Remember the plan, whole or not at all; only its owner can read it: it holds a password."""
    draft = data / f"{_FILE}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(plan)))
    draft.replace(data / _FILE)
