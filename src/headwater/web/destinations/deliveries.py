"""Show how the deliveries of a destination fare, and let what it never took be tried again.

In: a destination. Out: its totals, the last day with its errors and samples of them, what is dead,
and replays. The totals ask again by themselves while the page is open.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import ConflictError, InvalidInputError
from headwater.federation import (
    DeadLetter,
    DeliveryStatus,
    cancel_replay,
    delivery_view,
    list_dead_letters,
    list_replays,
    replay_dead_letters,
)
from headwater.web.auth import needs
from headwater.web.destinations.last_day import show_view
from headwater.web.destinations.place import Place, find_place, may
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_SHOWN = 50
_VIEW = timedelta(hours=24)
_NOTICES = {
    "replayed": "They are tried again, as if new.",
    "none": "Nothing was to be replayed.",
    "begun": "The replay has begun; it goes on by itself.",
    "cancelled": "The replay was cancelled. What is in line is delivered.",
}


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One figure."""

    title: str
    figure: str
    bad: bool = False


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as a person reads it."""

    letter: DeadLetter
    raw: str


class DeliveriesController(Controller):
    """`/destinations/{id}/deliveries`."""

    path = "/destinations/{destination_id:str}/deliveries"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        said: FromQuery[str] = "",
        after: FromQuery[str] = "",
    ) -> Template:
        """Show the totals, the last day and the dead letters."""
        place = await find_place(services, destination_id)
        status = await services.federation.status(destination_id)
        counts = _counts(status)
        if "hx-request" in request.headers:
            return page(
                request, "destinations/totals.html", place=place, totals=status, counts=counts
            )
        return await _show(request, services, place, counts, status, after, _NOTICES.get(said, ""))

    @post("/replay", guards=[needs("write")])
    async def replay(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> Redirect:
        """Let every dead letter be tried again."""
        count = await services.configdb.run(replay_dead_letters, services.clock, destination_id)
        said = "replayed" if count else "none"
        return see_other(f"/destinations/{destination_id}/deliveries?said={said}")

    @post("/replays", guards=[needs("write")])
    async def begin(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
    ) -> Redirect | Template:
        """Deliver what the log still holds of a range of time once more."""
        place = await find_place(services, destination_id)
        form = await request.form()
        try:
            since, until = (_moment(str(form.get(name, "")), name) for name in ("from", "to"))
            types = [str(form["type"])] if form.get("type") else []
            await services.federation.replays.begin(destination_id, since, until, types)
        except (InvalidInputError, ConflictError) as err:
            status = await services.federation.status(destination_id)
            counts = _counts(status)
            return await _show(request, services, place, counts, status, "", error=err.message)
        return see_other(place.url("/deliveries", said="begun"))

    @post("/replays/{replay_id:str}/cancel", guards=[needs("write")])
    async def cancel(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        replay_id: FromPath[str],
    ) -> Redirect:
        """Put no more in line."""
        await services.configdb.run(cancel_replay, destination_id, replay_id)
        return see_other(f"/destinations/{destination_id}/deliveries?said=cancelled")


async def _show(
    request: AnyRequest,
    services: Services,
    place: Place,
    counts: list[Count],
    status: DeliveryStatus,
    after: str,
    notice: str = "",
    error: str = "",
) -> Template:
    id_, until = place.instance.id, services.clock.now()
    look = services.configdb.look
    dead = await look(list_dead_letters, id_, limit=_SHOWN + 1, after=after)
    shown = dead[:_SHOWN]
    return page(
        request,
        "destinations/deliveries.html",
        place=place,
        totals=status,
        counts=counts,
        view=show_view(await look(delivery_view, id_, until - _VIEW, until)),
        dead=[Letter(letter=one, raw=_pretty(one)) for one in shown],
        older=shown[-1].message_id if len(dead) > len(shown) else "",
        replays=await look(list_replays, id_),
        span=(_local(until - _VIEW), _local(until)),
        types=place.declared.message_types,
        notice=notice,
        error=error,
        may_replay=may(request, "write"),
        status=400 if error else 200,
    )


def _moment(text: str, name: str) -> datetime:
    """Return what a date-and-time field of a browser holds, as UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as err:
        raise InvalidInputError(f"`{name}` is a day and a time.", field=name) from err


def _local(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def _counts(status: DeliveryStatus) -> list[Count]:
    first = status.delivered_first_try / status.delivered if status.delivered else None
    rate = "none yet" if first is None else f"{first:.1%}"
    return [
        Count(title="Delivered", figure=f"{status.delivered:,}"),
        Count(title="At the first try", figure=rate),
        Count(title="Filtered", figure=f"{status.filtered:,}"),
        Count(title="Waiting for another try", figure=f"{status.waiting:,}"),
        Count(title="Dead", figure=f"{status.dead:,}", bad=status.dead > 0),
        *_unreadable(status.unreadable),
    ]


def _unreadable(records: int) -> list[Count]:
    return [Count(title="Unreadable records", figure=f"{records:,}", bad=True)] if records else []


def _pretty(letter: DeadLetter) -> str:
    return msgspec.json.format(msgspec.json.encode(letter.body), indent=2).decode()
