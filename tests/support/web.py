"""Give tests the whole web on real engines, without the server around it.

In: a folder. Out: `Services` with a real store and configuration and the log in memory, and ways to
put calls in and to log in.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.base.clock import Clock, SystemClock
from headwater.base.egress import Egress
from headwater.base.openapi import DoorText
from headwater.base.settings import load_settings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.eventlog import EventLog, MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.extensions import Extensions, Parts
from headwater.federation import FederationWorkers
from headwater.ingest import IngestWorker, open_knowledge
from headwater.model import Record
from headwater.privacy import Regulations
from headwater.sources import Forgotten
from headwater.warehouse import Warehouses
from headwater.web import Services, create_web
from headwater.workspace import App, create_app, create_login, profile_rules_of
from tests.support.calls import encode_entry

PASSWORD = "correct horse battery"
LOCAL_TOKEN = "local_token_of_this_test"
PAGE = {"accept": "text/html"}
OWN_SITE = "http://testserver.local"


@dataclass
class World:
    """Everything behind the web, and a browser before it."""

    services: Services
    ingest: IngestWorker

    def add_app(self, name: str = "Payments", timezone: str = "UTC") -> App:
        with self.services.configdb.transaction() as connection:
            return create_app(connection, self.services.vault, self.services.clock, name, timezone)[
                0
            ]

    def add_login(self, email: str = "ann@example.com", role: str = "owner") -> None:
        with self.services.configdb.transaction() as connection:
            create_login(connection, self.services.clock, email, PASSWORD, role)

    async def store(self, records: Iterable[Record]) -> None:
        """Put records through the log and ingest, as they come in life."""
        await self.services.log.append(Stream.CALLS, encode_entry(records))
        while await self.ingest.step():
            pass


@asynccontextmanager
async def open_world(
    data: Path,
    store: EventStore,
    *,
    clock: Clock | None = None,
    log: EventLog | None = None,
    public_url: str = "",
) -> AsyncIterator[World]:
    """Open everything but the store for a block."""
    settings = load_settings(data, {"server": {"public_url": public_url}}, environ={})
    clock, log = clock or SystemClock(), log or MemoryLog()
    configdb, vault = ConfigDb.open(settings.configdb, data), Vault(b"k" * 32)
    migrate(configdb)
    knowledge = open_knowledge(store, clock, settings, partial(configdb.run, profile_rules_of))
    profiles, egress = knowledge.profiles, Egress()
    warehouses = Warehouses(configdb, log, vault, clock, settings.warehouse, data)
    services = Services(
        settings=settings, clock=clock, vault=vault, configdb=configdb, log=log, store=store,
        forgotten=Forgotten(configdb, vault, clock),
        profiles=profiles, egress=egress, local_token=LOCAL_TOKEN,
        knowledge=knowledge,
        extensions=Extensions(
            Parts(profiles, configdb, log, vault, egress, clock, settings.extensions, lambda: "")
        ),
        federation=FederationWorkers(configdb, log, vault, egress, clock, settings.federation),
        warehouses=warehouses,
        regulations=Regulations(configdb, vault, egress, clock, warehouses, settings),
    )  # fmt: skip
    ingest = IngestWorker(log, store, configdb, services.knowledge, clock, settings.ingest)
    try:
        yield World(services, ingest)
    finally:
        await egress.close()
        configdb.close()


def browse(world: World, doors: Sequence[DoorText] = ()) -> AsyncTestClient[Litestar]:
    """Return a browser that follows nothing by itself."""
    client = AsyncTestClient(create_web(world.services, doors), base_url=OWN_SITE)
    client.follow_redirects = False
    return client


async def log_in(browser: AsyncTestClient[Litestar], email: str = "ann@example.com") -> str:
    """Log in by the form; return the session's CSRF token."""
    form = field_of((await browser.get("/login", headers=PAGE)).text, "form_token")
    fields = {"email": email, "password": PASSWORD, "form_token": form}
    answer = await browser.post("/login", headers=PAGE, data=fields)
    assert answer.status_code == 303, answer.text
    return field_of((await browser.get("/api/docs", headers=PAGE)).text, "csrf_token")


def field_of(html: str, name: str) -> str:
    """Return a hidden field's value."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, f"no field {name}"
    return found[1]
