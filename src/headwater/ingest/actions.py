"""Store actions: what people did beside calling the API.

In: the actions of a range of the log, and the range's token. Out: one insert, each action once.
They go the way of calls and through the same kind of steps; since browsers send few of them, the
store alone is asked which it has.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, cast

import msgspec

from headwater.base.telemetry import CALLS_DROPPED
from headwater.eventstore import EventStore
from headwater.ingest.clients import recognise_client
from headwater.ingest.countries import Countries
from headwater.ingest.drops import DropReason
from headwater.ingest.heads import Call, CallHead
from headwater.ingest.repeats import find_stored
from headwater.ingest.rows import to_call_lines
from headwater.ingest.seen_ids import Key
from headwater.ingest.steps import Step, check_time, put_country

_KNOWN = """
SELECT action_id AS id FROM action_ids
WHERE app_id = {app_id:String} AND action_id IN {ids:Array(String)} AND log_offset < {before:UInt64}
"""
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time without a zone is refused when the record is read, so that it cannot stop a batch."""


class ActionHead(CallHead, frozen=True, kw_only=True, tag="action"):
    """What steps know of an action; a part of `model.Action`, in the words of a call."""

    call_id: str = msgspec.field(name="action_id")
    time: Aware
    received_at: Aware
    user_agent: str = ""


def make_action_steps(countries: Countries, *, late_after_s: int) -> tuple[Step, ...]:
    """Return what is done to every action."""
    return (
        Step("check_time", partial(check_time, late_after=timedelta(seconds=late_after_s))),
        Step("put_client", put_client),
        Step("put_country", partial(put_country, countries=countries)),
    )


def put_client(action: Call) -> None:
    """Which browser or library reported it."""
    client = recognise_client(cast("ActionHead", action.head).user_agent)
    added = action.added
    added.client_name, added.client_version, added.client_kind = client


async def store_actions(
    store: EventStore, actions: Sequence[Call], token: str, *, before: int
) -> int:
    """Insert the actions that are new, and return how many.

    Safe to repeat with the same actions and token. A range that is worked on again passes its first
    offset as `before`: what its first attempt stored is no repeat.
    """
    new = await _drop_repeats(store, actions, before)
    if new:
        # Calls of the same range end up in `people_seen`, too: own tokens keep the two apart.
        await store.insert_lines("actions_landing", to_call_lines(new), token=f"{token}:actions")
    if len(new) < len(actions):
        CALLS_DROPPED.labels(reason=DropReason.DUPLICATE).inc(len(actions) - len(new))
    return len(new)


async def _drop_repeats(store: EventStore, actions: Sequence[Call], before: int) -> list[Call]:
    first: dict[Key, Call] = {}
    for action in actions:
        first.setdefault((action.head.app_id, action.head.call_id), action)
    for key in await find_stored(store, _KNOWN, first, before):
        del first[key]
    return list(first.values())
