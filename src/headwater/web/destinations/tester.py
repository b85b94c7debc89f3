"""Send one message to a destination for real, and show every request and answer.

In: a message that was loaded from the source, generated or pasted. Out: the page with what was sent
and answered. Filters are passed by, and nothing is counted.
"""

import json
from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from headwater.base.errors import HeadwaterError, InvalidInputError
from headwater.destinations import (
    MESSAGE_TYPES,
    Trial,
    as_test_message,
    recent_messages,
    sample_body,
    try_message,
)
from headwater.model import Message
from headwater.web.auth import needs
from headwater.web.destinations.place import Place, fault_of, find_place, may
from headwater.web.pages import AnyRequest, page
from headwater.web.services import Services

_MOST_RECENT = 10


class TesterController(Controller):
    """`/destinations/{id}/tester`."""

    path = "/destinations/{destination_id:str}/tester"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        message: FromQuery[str] = "",
        sample: FromQuery[str] = "",
    ) -> Template:
        """Show the form, with the message that was chosen."""
        place = await find_place(services, destination_id)
        recent = await recent_messages(
            services.log, services.forgotten, place.source.id, most=_MOST_RECENT
        )
        chosen = next((one.body for one in recent if one.message_id == message), None)
        if chosen is None:
            chosen = sample_body(sample or place.declared.message_types[0])
        return _page(request, place, recent, shown(chosen))

    @post(guards=[needs("write")])
    async def send(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
    ) -> Template:
        """Send what stands in the form."""
        place = await find_place(services, destination_id)
        recent = await recent_messages(
            services.log, services.forgotten, place.source.id, most=_MOST_RECENT
        )
        text = str((await request.form()).get("message", ""))
        try:
            now = services.clock.now()
            message = as_test_message(read_message(text), place.source.id, now)
            trial = await try_message(
                services.egress, services.vault, services.clock, place.instance, message,
                services.settings.federation.timeout_s,
            )  # fmt: skip
        except HeadwaterError as err:
            return _page(request, place, recent, text, err=err)
        return _page(request, place, recent, text, trial=trial)


def read_message(text: str) -> dict[str, Any]:
    """Return the JSON object that somebody pasted."""
    try:
        found = json.loads(text)
    except ValueError as err:
        raise InvalidInputError(f"The message is not JSON: {err}.", field="message") from err
    if not isinstance(found, dict):
        raise InvalidInputError("The message is no JSON object.", field="message")
    return found


def shown(body: Mapping[str, Any]) -> str:
    """Return a message as people read it."""
    return json.dumps(body, indent=2, ensure_ascii=False)


def _page(
    request: AnyRequest,
    place: Place,
    recent: list[Message],
    text: str,
    *,
    err: HeadwaterError | None = None,
    trial: Trial | None = None,
) -> Template:
    types = [one for one in MESSAGE_TYPES if one in place.declared.message_types]
    return page(
        request,
        "destinations/tester.html",
        status=int(err.status) if err else 200,
        place=place,
        recent=recent,
        types=types,
        body=text,
        error=fault_of(err),
        trial=trial,
        may_send=may(request, "write"),
        shown=shown,
    )
