"""Try a destination by HTTP: recent messages of its source, samples, real sends, mappings.

In: JSON. Out: JSON: every request and answer, secrets hidden. Nothing here is counted.
"""

from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.destinations import (
    Instance,
    Mapped,
    Trial,
    as_test_message,
    get_destination,
    map_message,
    recent_messages,
    sample_body,
    try_message,
)
from headwater.model import Message
from headwater.web.auth import needs
from headwater.web.services import Services


class NewTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a trial: a message, or the type of a sample."""

    type: str = "identify"
    message: dict[str, Any] | None = None
    """Instead of a sample."""


class MappingTrial(NewTrial, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a mapping's trial."""

    mapping: dict[str, Any]


class TrialsController(Controller):
    """`/api/v1/destinations/{id}`: trials."""

    path = "/api/v1/destinations/{destination_id:str}"
    tags = ("Destinations",)

    @get("/recent", guards=[needs("read")])
    async def recent(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        message_type: FromQuery[str] = "",
    ) -> list[dict[str, Any]]:
        """List the newest messages of the destination's source, newest first."""
        instance = await services.configdb.run(get_destination, destination_id)
        found = await recent_messages(
            services.log, services.forgotten, instance.source_id, type_=message_type
        )
        return [message.body for message in found]

    @post("/test", guards=[needs("write")], status_code=200)
    async def test(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        data: JSONBody[NewTrial],
    ) -> Trial:
        """Send a message or a sample through the enabled mappings, for real and uncounted."""
        instance = await services.configdb.run(get_destination, destination_id)
        timeout_s = services.settings.federation.timeout_s
        message = _message(services, instance, data)
        return await try_message(
            services.egress, services.vault, services.clock, instance, message, timeout_s
        )

    @post("/mappings/test", guards=[needs("read")], status_code=200)
    async def test_mapping(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        data: JSONBody[MappingTrial],
    ) -> Mapped:
        """Show what a mapping makes of a message; nothing is sent, nothing is stored."""
        instance = await services.configdb.run(get_destination, destination_id)
        return map_message(instance, data.mapping, _message(services, instance, data))


def _message(services: Services, instance: Instance, data: NewTrial) -> Message:
    body = sample_body(data.type) if data.message is None else data.message
    return as_test_message(body, instance.source_id, services.clock.now())
