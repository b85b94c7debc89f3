"""Show how the deliveries of a destination fare, and let what it never took be tried again.

In: a destination. Out: its totals, why messages are dead, and the dead ones with what was sent. The
totals ask again by themselves while the page is open.
"""

from collections import Counter

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.federation import DeadLetter, DeliveryStatus, list_dead_letters, replay_dead_letters
from headwater.web.auth import needs
from headwater.web.destinations.place import find_place, may
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_GROUPED = 1_000
_SHOWN = 50
_NOTICES = {"replayed": "They are tried again, as if new.", "none": "Nothing was to be replayed."}


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
        """Show the totals, the reasons and the dead letters."""
        place = await find_place(services, destination_id)
        status = await services.federation.status(destination_id)
        counts = _counts(status)
        if "hx-request" in request.headers:
            return page(
                request, "destinations/totals.html", place=place, totals=status, counts=counts
            )
        dead = await services.configdb.run(list_dead_letters, destination_id, limit=_GROUPED)
        start = next((at + 1 for at, one in enumerate(dead) if one.message_id == after), 0)
        shown = dead[start : start + _SHOWN]
        return page(
            request,
            "destinations/deliveries.html",
            place=place,
            totals=status,
            counts=counts,
            reasons=Counter(one.error for one in dead).most_common(),
            grouped=len(dead),
            dead=[Letter(letter=one, raw=_pretty(one)) for one in shown],
            older=shown[-1].message_id if start + _SHOWN < len(dead) else "",
            notice=_NOTICES.get(said, ""),
            may_replay=may(request, "write"),
        )

    @post("/replay", guards=[needs("write")])
    async def replay(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> Redirect:
        """Let every dead letter be tried again."""
        count = await services.configdb.run(replay_dead_letters, services.clock, destination_id)
        said = "replayed" if count else "none"
        return see_other(f"/destinations/{destination_id}/deliveries?said={said}")


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
