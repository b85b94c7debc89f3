"""Connect the demo once, and remember how.

In: an empty Headwater. Out: a source, a warehouse, a webhook, the Segment extension and a login,
made as a newcomer would make them; and `demo.json`, so that a later start finds them again.
"""

import os
import secrets
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from headwater.demo import Loaded
from headwater.destinations import add_destination
from headwater.extensions import segment
from headwater.sources import add_source
from headwater.warehouse import add_warehouse
from headwater.web import Services
from headwater.workspace import create_login, list_apps

_SOURCE_NAME = "Headwater API analytics"
_EMAIL = "demo@headwater.example"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo remembers between starts."""

    end: datetime
    users: int
    days: int
    app_id: str
    email: str
    password: str
    warehouse_path: str
    receiver_port: int
    webhook_secret: str
    loaded: Loaded | None = None


def read_plan(data: Path) -> Plan | None:
    """Return what an earlier start left, if there was one."""
    path = data / "demo.json"
    return msgspec.json.decode(path.read_bytes(), type=Plan) if path.exists() else None


def write_plan(data: Path, plan: Plan) -> None:
    """Remember the plan; only its owner can read it, since it holds a password."""
    fresh = data / "demo.json.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(plan))
    fresh.replace(data / "demo.json")


def connect_demo(
    connection: sa.Connection, services: Services, receiver_port: int, users: int, days: int
) -> Plan:
    """Do what a newcomer would do by hand."""
    s = services
    app = list_apps(connection)[0]
    source = add_source(connection, s.clock, "api-analytics", _SOURCE_NAME)
    file = s.settings.data / "warehouse.duckdb"
    add_warehouse(
        connection,
        s.vault,
        s.clock,
        s.settings.data,
        type_="duckdb",
        settings={"path": str(file)},
        source=source.slug,
    )
    _, made = add_destination(
        connection,
        s.vault,
        s.clock,
        s.egress,
        source_id=source.id,
        kind="webhook",
        values={"url": f"http://127.0.0.1:{receiver_port}/hook", "batch_size": "100"},
    )
    segment.connect(
        connection,
        s.vault,
        s.clock,
        app.id,
        source.write_key,
        payload_version=source.payload_version,
    )
    password = secrets.token_urlsafe(12)
    create_login(connection, s.clock, _EMAIL, password)
    return Plan(
        end=s.clock.now(),
        users=users,
        days=days,
        app_id=app.id,
        email=_EMAIL,
        password=password,
        warehouse_path=str(file),
        receiver_port=receiver_port,
        webhook_secret=made["secret"],
    )
