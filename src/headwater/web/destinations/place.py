"""Find the destination that a page is about.

In: an id in the path. Out: the instance, its type and source, and the addresses of its pages.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import sqlalchemy as sa

from headwater.base.errors import HeadwaterError
from headwater.destinations import (
    Destination,
    DestinationType,
    Instance,
    find_destination,
    get_destination,
)
from headwater.sources import Source, list_sources
from headwater.web.pages import AnyRequest
from headwater.web.services import Services

NOTICES = {
    "added": "Added. It gets what its source receives from now on.",
    "saved": "Saved.",
    "enabled": "Enabled: it gets what its source receives from now on.",
    "disabled": "Disabled: it misses what passes meanwhile.",
    "removed": "Removed.",
}
"""What to say afterwards; the address holds the name only, so nobody can put words into it."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One destination."""

    instance: Instance
    destination: Destination
    source: Source

    @property
    def declared(self) -> DestinationType:
        return self.destination.declaration

    def url(self, page: str = "", **more: str) -> str:
        """Return the address of one of its pages."""
        path = f"/destinations/{self.instance.id}{page}"
        return f"{path}?{urlencode(more)}" if more else path


async def find_place(services: Services, destination_id: str) -> Place:
    """Return the place, or raise `NotFoundError`."""
    return await services.configdb.run(_find, destination_id)


def _find(connection: sa.Connection, destination_id: str) -> Place:
    instance = get_destination(connection, destination_id)
    source = next(one for one in list_sources(connection) if one.id == instance.source_id)
    return Place(instance=instance, destination=find_destination(instance.type), source=source)


def may(request: AnyRequest, scope: str) -> bool:
    """Tell whether who looks may do what needs `scope`; the guards rule, this hides buttons."""
    return scope in request.user.scopes


def fault_of(err: HeadwaterError | None) -> str:
    """Return what to say about an error."""
    return f"{err.message} {err.hint}".strip() if err else ""
