"""Connect the rooms of a demo, as a newcomer would by hand: login, source, warehouse, webhook.

In: the services of a running server, the demo's plan. Out: the same things, made where missing, so
a start that broke off is completed by the next. The Segment extension comes last, when the history
is in: each user's window is sent once, so it must be whole.
"""

import asyncio
from dataclasses import dataclass

import sqlalchemy as sa

from headwater.cli.demo_plan import Plan
from headwater.configdb import read_position
from headwater.destinations import add_destination, list_destinations
from headwater.eventlog import Stream
from headwater.sources import Source, add_source, list_sources
from headwater.warehouse import Warehouse
from headwater.web import Services
from headwater.workspace import (
    App,
    check_password,
    collector_key,
    create_login,
    has_logins,
    list_apps,
)

EMAIL = "demo@headwater.example"
_SOURCE_NAME = "Headwater API analytics"
_EXTENSION = "segment"
_POLL_S = 0.1


@dataclass(frozen=True)
class Wired:
    """What a demo runs on."""

    app: App
    collector_key: str
    source: Source
    warehouse: Warehouse
    can_log_in: bool
    """With the demo's own login."""


async def wire(services: Services, plan: Plan, receiver_url: str) -> Wired:
    """Make sure of everything but the extension."""
    app, source = await services.configdb.run(_wire_configuration, services, plan, receiver_url)
    key = await services.configdb.run(collector_key, services.vault, app.id)
    login = await asyncio.to_thread(check_password, services.configdb, EMAIL, plan.password)
    known = await services.warehouses.list()
    return Wired(
        app=app,
        collector_key=key,
        source=source,
        warehouse=known[0] if known else await services.warehouses.add(type_="duckdb", settings={}),
        can_log_in=login is not None,
    )


def _wire_configuration(
    connection: sa.Connection, services: Services, plan: Plan, receiver_url: str
) -> tuple[App, Source]:
    if not has_logins(connection):
        create_login(connection, services.clock, EMAIL, plan.password)
    named = [source for source in list_sources(connection) if source.name == _SOURCE_NAME]
    source = (
        named[0] if named else add_source(connection, services.clock, "api-analytics", _SOURCE_NAME)
    )
    if not any(known.source_id == source.id for known in list_destinations(connection)):
        add_destination(
            connection,
            services.vault,
            services.clock,
            services.egress,
            source_id=source.id,
            kind="webhook",
            values={
                "url": f"{receiver_url}/hook",
                "secret": plan.webhook_secret,
                "batch_size": "100",
            },
            name="Demo receiver",
        )
    return list_apps(connection)[0], source


async def settle(services: Services) -> None:
    """Wait until everything that was acknowledged can be asked for."""
    goal = (await services.log.state(Stream.CALLS)).last_offset
    while True:
        position = await services.configdb.run(read_position, "ingest")
        if position is not None and position.pending is None and position.next_offset > goal:
            return
        await asyncio.sleep(_POLL_S)


async def sync(services: Services, wired: Wired) -> int:
    """Connect the Segment extension, send what is due, load the warehouse; count identifies."""
    if not any(known.app_id == wired.app.id for known in await services.extensions.connections()):
        await services.extensions.connect(
            wired.app,
            _EXTENSION,
            {
                "partner_key": wired.source.write_key,
                "payload_version": wired.source.payload_version,
            },
        )
    await services.extensions.sync(wired.app, _EXTENSION)
    await services.warehouses.sync(wired.warehouse.id)
    return (await services.extensions.status(wired.app, _EXTENSION)).messages["delivered"]
