"""Name what can be done with a connection, by the last part of a form's address.

In: a form. Out: what the room of extensions does. Those that send need the scope `write`, those
that change the connection `admin`.
"""

from collections.abc import Awaitable, Callable, Mapping

from litestar.datastructures import FormMultiDict

from headwater.base.errors import InvalidInputError
from headwater.extensions import Extensions, ProfileOf
from headwater.web.conditions import read_conditions
from headwater.workspace import App

Act = Callable[[Extensions, App, str, FormMultiDict], Awaitable[object]]


async def _sync(extensions: Extensions, app: App, type_: str, form: FormMultiDict) -> None:
    await extensions.begin_sync(app, type_, full=bool(form.get("full")))


async def _resend(extensions: Extensions, app: App, type_: str, form: FormMultiDict) -> object:
    ids = [str(id_) for id_ in form.getall("message_id", [])]
    return await extensions.resend(app, type_, ids)


async def _backfill(extensions: Extensions, app: App, type_: str, form: FormMultiDict) -> object:
    first, last = (str(form.get(name, "")) for name in ("first_day", "last_day"))
    profile: ProfileOf = "then" if form.get("profile") == "then" else "now"
    return await extensions.backfill(app, type_, first, last, profile)


async def _cancel(extensions: Extensions, app: App, type_: str, _: FormMultiDict) -> object:
    return await extensions.cancel_backfill(app, type_)


async def _pause(extensions: Extensions, app: App, type_: str, _: FormMultiDict) -> object:
    return await extensions.pause(app, type_)


async def _resume(extensions: Extensions, app: App, type_: str, _: FormMultiDict) -> object:
    return await extensions.resume(app, type_)


async def _schedule(extensions: Extensions, app: App, type_: str, form: FormMultiDict) -> object:
    return await extensions.schedule(app, type_, str(form.get("schedule", "")))


async def _choose(extensions: Extensions, app: App, type_: str, form: FormMultiDict) -> object:
    audience = read_conditions(str(form.get("audience", "")))
    cohort = str(form.get("cohort", ""))
    if not cohort:
        return await extensions.choose(app, type_, audience)
    if audience:
        raise InvalidInputError("It is a cohort or conditions, not both.", field="audience")
    return await extensions.choose_cohort(app, type_, cohort)


SENDING: Mapping[str, Act] = {
    "sync": _sync,
    "resend": _resend,
    "backfill": _backfill,
    "cancel-backfill": _cancel,
}
STEERING: Mapping[str, Act] = {
    "pause": _pause,
    "resume": _resume,
    "schedule": _schedule,
    "audience": _choose,
}
NOTICES: Mapping[str, str] = {
    "connected": "Connected. The first run begins by itself; “Sync now” does not wait for it.",
    "sync": "Begun: this page shows how far it is.",
    "resend": "Due again: the messages are sent within seconds.",
    "backfill": "Begun: the past is sent day by day, and goes on after a restart.",
    "cancel-backfill": "Cancelled: nothing more is made; what is in the outbox is still sent.",
    "pause": "Paused: nothing is sent until it is resumed.",
    "resume": "Resumed.",
    "schedule": "The schedule is saved.",
    "audience": "Saved: everybody is looked at once more.",
}
"""What to say afterwards; the address holds the name only, so nobody can put words into it."""
