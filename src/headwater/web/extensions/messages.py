"""Show messages: those a run would send now, a test with its answer, the history, the refused.

In: an app, a type, a user, a cursor. Out: pages. A preview writes nothing; a test sends one user's
messages for real.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from headwater.base.errors import HeadwaterError
from headwater.extensions import DeadItem, Trial
from headwater.web.auth import needs
from headwater.web.extensions.place import Place, find_place, may
from headwater.web.extensions.telling import tell_run
from headwater.web.figures import show_bytes, show_moment
from headwater.web.pages import AnyRequest, page
from headwater.web.services import Services

_PREVIEWED = 10
_RUNS = 50
_DEAD = 25
Json = Mapping[str, Any]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to read."""

    title: str
    size: str
    text: str


class DeadLine(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was refused for good."""

    id: str
    moment: str
    user: str
    error: str
    text: str
    """Empty: it could not be made small enough, and cannot be sent."""


class MessagesController(Controller):
    """`/extensions/{type}/preview`, `/test`, `/runs` and `/dead`."""

    path = "/extensions/{type_:str}"
    include_in_schema = False
    guards = (needs("read"),)

    @get("/preview")
    async def preview(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str],
        user: FromQuery[str] = "",
    ) -> Template:
        """Show the messages of one user, or the first that are due."""
        place, user = await find_place(services, app, type_), user.strip()
        try:
            found = await services.extensions.preview(place.app, type_, user, limit=_PREVIEWED)
        except HeadwaterError as err:
            return _page(request, place, user, err=err)
        return _page(request, place, user, messages=found)

    @post("/test", guards=[needs("write")], status_code=200)
    async def test(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str],
    ) -> Template:
        """Send one user's messages now; show the request and the answer."""
        place = await find_place(services, app, type_)
        user = str((await request.form()).get("user", "")).strip()
        try:
            trial = await services.extensions.test(place.app, type_, user)
        except HeadwaterError as err:
            return _page(request, place, user, err=err)
        return _page(request, place, user, messages=trial.messages, trial=trial)

    @get("/runs")
    async def runs(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str],
        cursor: FromQuery[str] = "",
    ) -> Template:
        """Show the history, page by page."""
        place = await find_place(services, app, type_)
        found = await services.extensions.runs(place.app, type_, limit=_RUNS, cursor=cursor)
        return page(
            request,
            "extensions/runs.html",
            place=place,
            app=place.app,
            entry=place.entry,
            runs=[tell_run(run, place.app) for run in found],
            newest_url=place.url("/runs") if cursor else "",
            older_url=place.url("/runs", cursor=found[-1].id) if len(found) == _RUNS else "",
        )

    @get("/dead")
    async def dead(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str],
        cursor: FromQuery[str] = "",
    ) -> Template:
        """Show what was refused for good, with the answers and the messages."""
        place = await find_place(services, app, type_)
        found = await services.extensions.dead(place.app, type_, limit=_DEAD, cursor=cursor)
        last = found[-1].message_id if len(found) == _DEAD else ""
        return page(
            request,
            "extensions/dead.html",
            place=place,
            app=place.app,
            entry=place.entry,
            dead=[_to_dead(one, place) for one in found],
            may_send=may(request, "write"),
            newest_url=place.url("/dead") if cursor else "",
            older_url=place.url("/dead", cursor=last) if last else "",
        )


def _page(
    request: AnyRequest,
    place: Place,
    user: str,
    *,
    messages: Sequence[Json] = (),
    trial: Trial | None = None,
    err: HeadwaterError | None = None,
) -> Template:
    return page(
        request,
        "extensions/preview.html",
        status=int(err.status) if err else 200,
        place=place,
        app=place.app,
        entry=place.entry,
        user=user,
        messages=[_to_message(one) for one in messages],
        most=_PREVIEWED,
        trial=trial,
        error=f"{err.message} {err.hint}".strip() if err else "",
        may_send=may(request, "write"),
    )


def _to_message(message: Json) -> Message:
    raw = msgspec.json.encode(message)
    about = (str(message[name]) for name in ("type", "event", "userId") if message.get(name))
    return Message(title=" · ".join(about), size=show_bytes(len(raw)), text=_pretty(raw))


def _to_dead(one: DeadItem, place: Place) -> DeadLine:
    return DeadLine(
        id=one.message_id,
        moment=show_moment(one.created_at, place.app.timezone),
        user=one.user_id,
        error=one.error,
        text=_pretty(msgspec.json.encode(one.message)) if one.message else "",
    )


def _pretty(raw: bytes) -> str:
    return msgspec.json.format(raw, indent=2).decode()
