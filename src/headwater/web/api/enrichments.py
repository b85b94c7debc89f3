"""Let a source enrich an app by HTTP: one step for what is a destination of its own.

In: an app and a source. Out: the destination that carries the source's messages to the app.
"""

import msgspec
import sqlalchemy as sa
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.base.errors import ConflictError
from headwater.destinations import add_destination, list_destinations, open_settings
from headwater.sources import get_source
from headwater.web.api.destinations import DestinationItem, show_destination
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import collector_key, get_app

_TYPE = "api-analytics"


class NewEnrichment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/apps/{app_id}/enrichments`."""

    source: str
    """Slug or id."""


class EnrichmentsController(Controller):
    """`/api/v1/apps/{app_id}/enrichments`."""

    path = "/api/v1/apps/{app_id:str}/enrichments"
    tags = ("Apps",)

    @post(guards=[needs("admin")])
    async def create(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[NewEnrichment],
    ) -> DestinationItem:
        """Let what a source receives from now on describe the app's users and companies.

        It is a destination of the source, of type `api-analytics`: filters, mappings, deliveries
        and replay are as with any other, and removing it ends the enrichment.
        """
        return await services.configdb.run(_enrich, services, app_id, data.source)


def _enrich(
    connection: sa.Connection, services: Services, app_id: str, source: str
) -> DestinationItem:
    app, chosen = get_app(connection, app_id), get_source(connection, source)
    settings = {"application_id": collector_key(connection, services.vault, app.id)}
    for one in list_destinations(connection):
        if one.type == _TYPE and one.source_id == chosen.id:
            known = open_settings(services.vault, one)
            if known["application_id"] == settings["application_id"] and not known["url"]:
                raise ConflictError(
                    f"{chosen.slug} enriches {app.name} already, by {one.id}.", field="source"
                )
    instance, _ = add_destination(
        connection,
        services.vault,
        services.clock,
        services.egress,
        source_id=chosen.id,
        kind=_TYPE,
        values=settings,
        name=f"Enrich {app.name}",
    )
    return show_destination(services, instance)
