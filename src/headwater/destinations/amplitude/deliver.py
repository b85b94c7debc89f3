"""Send events to Amplitude, and delete users there.

In: checked settings and a parcel. Out: one outcome for each item. Amplitude refuses a batch whole
when single events are wrong and names them: those are dead, the others are sent again at once.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from headwater.destinations.amplitude.actions import ACTIONS, IDENTIFY
from headwater.destinations.amplitude.settings import (
    SETTINGS,
    complete,
    deletions_url,
    events_url,
)
from headwater.destinations.contract import DestinationType, Item, Parcel, Values
from headwater.destinations.packing import Outcomes, Packed, send_in_halves, send_packed
from headwater.destinations.wire import Outcome, Wire

_MOST_EVENTS = 1_000
_MOST_BYTES = 950_000
"""Amplitude takes 2,000 events and 1 MB a request."""
_LONGEST_EVENT_BYTES = 900_000
_MOST_USERS = 100
_LISTS = ("events_with_invalid_fields", "events_with_missing_fields",
          "events_with_invalid_id_lengths")  # fmt: skip
_REFUSED, _TOO_LARGE, _TOO_MANY = 400, 413, 429
_THROTTLED_S = 30.0
_JSON = {"content-type": "application/json"}


class _Refusal(msgspec.Struct):
    """Why a batch was not taken: by field, the places of the events that are wrong."""

    error: str = ""
    missing_field: str | None = None
    events_with_invalid_fields: dict[str, list[int]] = {}
    events_with_missing_fields: dict[str, list[int]] = {}
    events_with_invalid_id_lengths: dict[str, list[int]] = {}
    silenced_events: list[int] = []


class Amplitude:
    """The type `amplitude`."""

    declaration = DestinationType(
        type="amplitude",
        title="Amplitude",
        description="Sends track as events and identify as user properties to Amplitude.",
        settings=SETTINGS,
        actions=ACTIONS,
        message_types=("identify", "track", "page", "screen"),
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return _MOST_EVENTS

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        packed = [Packed(place, _encode(item)) for place, item in enumerate(parcel.items)]
        large = Outcome(
            fate="dead", code="TOO_LARGE", error="larger than the 1 MB that Amplitude takes"
        )
        send = partial(_send, wire, values)
        return await send_packed(send, packed, _MOST_BYTES, _LONGEST_EVENT_BYTES, large)

    async def forget(
        self,
        wire: Wire,
        values: Values,
        user_ids: Sequence[str],
        at: datetime,  # noqa: ARG002 - Amplitude deletes all that it has
    ) -> list[Outcome]:
        if not values["secret_key"]:
            missing = Outcome(
                fate="dead",
                code="INVALID_SETTINGS",
                error="the secret key of the project is needed for this",
            )
            return [missing] * len(user_ids)
        keys = f"{values['api_key']}:{values['secret_key']}"
        basic = base64.b64encode(keys.encode()).decode()
        headers = {**_JSON, "authorization": f"Basic {basic}"}
        outcomes: list[Outcome] = []
        for start in range(0, len(user_ids), _MOST_USERS):
            some = user_ids[start : start + _MOST_USERS]
            wanted = {"user_ids": some, "ignore_invalid_id": True, "requester": "Headwater"}
            body = msgspec.json.encode(wanted)
            answer = await wire.ask(deletions_url(values), body, headers)
            outcomes += [answer.outcome] * len(some)
        return outcomes


async def _send(wire: Wire, values: Values, batch: Sequence[Packed]) -> Outcomes | None:
    answer = await wire.ask(events_url(values), _body(values, batch), _JSON)
    outcome = answer.outcome
    if outcome.status == _TOO_LARGE and len(batch) > 1:
        return None
    if outcome.status == _REFUSED and answer.reply is not None:
        return await _without_the_wrong(wire, values, batch, outcome, answer.reply.body)
    if outcome.status == _TOO_MANY and outcome.retry_after_s is None:
        outcome = msgspec.structs.replace(outcome, retry_after_s=_THROTTLED_S)
    return {one.place: outcome for one in batch}


async def _without_the_wrong(
    wire: Wire, values: Values, batch: Sequence[Packed], outcome: Outcome, said: bytes
) -> Outcomes:
    """Send again what was not named as wrong; a key that is wrong is no message's fault."""
    refusal = _read(said)
    wrong = {place: why for place, why in _faults(refusal).items() if 0 <= place < len(batch)}
    if not wrong:
        is_key = refusal.missing_field == "api_key" or "api key" in refusal.error.lower()
        fate = "retry" if is_key else "dead"
        return {one.place: msgspec.structs.replace(outcome, fate=fate) for one in batch}
    found = {
        batch[place].place: msgspec.structs.replace(outcome, error=f"answered 400: {why}")
        for place, why in wrong.items()
    }
    rest = [one for place, one in enumerate(batch) if place not in wrong]
    send = partial(_send, wire, values)
    return found | (await send_in_halves(send, rest) if rest else {})


def _read(said: bytes) -> _Refusal:
    try:
        return msgspec.json.decode(said, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Refusal()  # what it says is in the outcome


def _faults(refusal: _Refusal) -> dict[int, str]:
    """Return what is wrong with which event of the batch."""
    found = dict.fromkeys(refusal.silenced_events, "the device or user is silenced")
    for name in _LISTS:
        fields: Mapping[str, list[int]] = getattr(refusal, name)
        what = name.removeprefix("events_with_").replace("_", " ")
        for field, places in fields.items():
            found |= dict.fromkeys(places, f"{what}: {field}")
    return found


def _body(values: Values, batch: Sequence[Packed]) -> bytes:
    key = msgspec.json.encode(values["api_key"])
    events = b",".join(one.body for one in batch)
    return b'{"api_key":%b,"options":{"min_id_length":1},"events":[%b]}' % (key, events)


def _encode(item: Item) -> bytes:
    told = dict(item.fields)
    at = told.pop("time", None)
    moment = _milliseconds(at) if isinstance(at, str) else None
    event: dict[str, Any] = {
        "event_type": "$identify" if item.action == IDENTIFY.name else told.pop("event_type"),
        "insert_id": f"{item.message.message_id}:{item.mapping}",
        "time": moment or round(item.message.timestamp.timestamp() * 1000),
        **told,
    }
    return msgspec.json.encode(event)


def _milliseconds(text: str) -> int | None:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None
