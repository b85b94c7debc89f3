"""Manage sources by HTTP: the catalogue, add, list, switch, rotate, look at what comes.

In: JSON. Out: JSON. Write keys are shown to those who may write: clients carry them in the open.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.destinations import MOST_RECENT, recent_messages
from headwater.sources import (
    CATALOG,
    Source,
    SourceType,
    add_source,
    get_source,
    list_sources,
    rename_source,
    revoke_old_write_key,
    rotate_write_key,
    set_source_enabled,
)
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services


class NewSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/sources`."""

    type: str
    name: str
    payload_version: str = ""
    """Empty: the type's newest."""


class SourceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PATCH /api/v1/sources/{source}`."""

    name: str


class ReceivedMessages(msgspec.Struct, frozen=True, kw_only=True):
    """The newest messages, newest first."""

    messages: list[dict[str, Any]]


class SourceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One source."""

    id: str
    slug: str
    type: str
    name: str
    payload_version: str
    enabled: bool
    created_at: datetime


class SourceDetail(SourceItem, frozen=True, kw_only=True):
    """One source with its live write keys, the newest first."""

    write_key: str
    write_keys: tuple[str, ...]


class SourcesController(Controller):
    """`/api/v1/sources`."""

    path = "/api/v1/sources"
    tags = ("Sources",)

    @get("/catalog", guards=[needs("read")])
    async def catalog(self) -> list[SourceType]:
        """List the types of source that can be added."""
        return list(CATALOG)

    @get(guards=[needs("read")])
    async def list_all(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[SourceItem]:
        """List the sources, oldest first, without their keys."""
        found = [_item(source) for source in await services.configdb.run(list_sources)]
        return page_of(found, lambda source: source.id, limit, cursor)

    @post(guards=[needs("admin")])
    async def create(
        self, services: NamedDependency[Services], data: JSONBody[NewSource]
    ) -> SourceDetail:
        """Add a source; it is live at once."""
        source = await services.configdb.run(
            add_source, services.clock, data.type, data.name, data.payload_version
        )
        return _detail(source)

    @get("/{source:str}", guards=[needs("write")])
    async def show(
        self, services: NamedDependency[Services], source: FromPath[str]
    ) -> SourceDetail:
        """Show one source, by slug or id, with its write keys."""
        return _detail(await services.configdb.run(get_source, source))

    @post("/{source:str}/rotate", guards=[needs("admin")])
    async def rotate(
        self, services: NamedDependency[Services], source: FromPath[str]
    ) -> SourceDetail:
        """Make a new write key; the newest earlier one goes on working."""
        return _detail(await services.configdb.run(rotate_write_key, services.clock, source))

    @post("/{source:str}/revoke-old-key", guards=[needs("admin")], status_code=200)
    async def revoke(
        self, services: NamedDependency[Services], source: FromPath[str]
    ) -> SourceDetail:
        """Stop the older of two live write keys."""
        return _detail(await services.configdb.run(revoke_old_write_key, services.clock, source))

    @patch("/{source:str}", guards=[needs("admin")])
    async def rename(
        self,
        services: NamedDependency[Services],
        source: FromPath[str],
        data: JSONBody[SourceChange],
    ) -> SourceDetail:
        """Give a source another name; the slug stays."""
        return _detail(await services.configdb.run(rename_source, source, data.name))

    @get("/{source:str}/messages", guards=[needs("read")])
    async def messages(
        self,
        services: NamedDependency[Services],
        source: FromPath[str],
        type: FromQuery[str] = "",  # noqa: A002 - the name in the address
        search: FromQuery[str] = "",
        limit: FromQuery[int] = 100,
    ) -> ReceivedMessages:
        """Show the newest messages of a source, as the log has them: a sample, not the archive."""
        if not 1 <= limit <= MOST_RECENT:
            raise InvalidInputError(f"A limit is 1 to {MOST_RECENT}.", field="limit")
        found = await services.configdb.run(get_source, source)
        recent = await recent_messages(
            services.log, services.forgotten, found.id, type_=type, holding=search, most=limit
        )
        return ReceivedMessages(messages=[message.body for message in recent])

    @post("/{source:str}/enable", guards=[needs("admin")])
    async def enable(
        self, services: NamedDependency[Services], source: FromPath[str]
    ) -> SourceDetail:
        """Let a source receive."""
        return _detail(await services.configdb.run(set_source_enabled, source, enabled=True))

    @post("/{source:str}/disable", guards=[needs("admin")])
    async def disable(
        self, services: NamedDependency[Services], source: FromPath[str]
    ) -> SourceDetail:
        """Refuse what is sent to a source."""
        return _detail(await services.configdb.run(set_source_enabled, source, enabled=False))


def _item(source: Source) -> SourceItem:
    return msgspec.convert(source, SourceItem, from_attributes=True)


def _detail(source: Source) -> SourceDetail:
    return msgspec.convert(source, SourceDetail, from_attributes=True)
