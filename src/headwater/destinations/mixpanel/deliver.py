"""Send events and profiles to Mixpanel, and delete users there.

In: checked settings and a parcel. Out: one outcome for each item. Of a batch of events that holds
wrong ones Mixpanel takes the good ones and names the rest. A batch of profiles it takes or leaves
whole, and says so with a status of 200; such a batch is halved, since to set twice changes nothing.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec

from headwater.destinations.contract import DestinationType, Parcel, Values
from headwater.destinations.mixpanel.actions import ACTIONS, EVENT, GROUP, IDENTIFY
from headwater.destinations.mixpanel.entries import entry_of
from headwater.destinations.mixpanel.settings import (
    SETTINGS,
    complete,
    deletions_url,
    ingestion_url,
)
from headwater.destinations.packing import Outcomes, Packed, send_packed
from headwater.destinations.wire import Outcome, Wire

_MOST_ITEMS = 2_000
_MOST_BYTES = 1_000_000
"""Mixpanel takes more, 2 or 10 MB by its references; one request in this size keeps us quick."""
_LONGEST_BYTES = 950_000
_LARGE = Outcome(fate="dead", code="TOO_LARGE", error="larger than the 1 MB that Mixpanel takes")
_MOST_USERS = 1_000
_PARTLY, _TOO_LARGE = 400, 413
T = TypeVar("T")
_JSON = {"content-type": "application/json"}
_PROFILES: Mapping[str, str] = {
    IDENTIFY.name: "/engage?verbose=1",
    GROUP.name: "/groups?verbose=1",
}


class _Failed(msgspec.Struct):
    index: int = -1
    field: str = ""
    message: str = ""


class _Imported(msgspec.Struct):
    failed_records: list[_Failed] = []


class _Set(msgspec.Struct):
    status: int = 1
    error: str | None = None


class Mixpanel:
    """The type `mixpanel`."""

    declaration = DestinationType(
        type="mixpanel",
        title="Mixpanel",
        description="Imports events and sets properties of users and groups at Mixpanel.",
        settings=SETTINGS,
        actions=ACTIONS,
        message_types=("identify", "track", "page", "screen", "group"),
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return _MOST_ITEMS

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        packed = [
            Packed(place, msgspec.json.encode(entry_of(values, item)))
            for place, item in enumerate(parcel.items)
        ]
        send = (
            partial(_import, wire, values)
            if parcel.action == EVENT.name
            else partial(_set, wire, ingestion_url(values, _PROFILES[parcel.action]))
        )
        return await send_packed(send, packed, _MOST_BYTES, _LONGEST_BYTES, _LARGE)

    async def forget(
        self,
        wire: Wire,
        values: Values,
        user_ids: Sequence[str],
        at: datetime,  # noqa: ARG002 - Mixpanel deletes all that it has
    ) -> list[Outcome]:
        if not values["oauth_token"]:
            word = "the OAuth token is needed for this"
            missing = Outcome(fate="dead", code="INVALID_SETTINGS", error=word)
            return [missing] * len(user_ids)
        headers = {**_JSON, "authorization": f"Bearer {values['oauth_token']}"}
        outcomes: list[Outcome] = []
        for start in range(0, len(user_ids), _MOST_USERS):
            some = user_ids[start : start + _MOST_USERS]
            body = msgspec.json.encode({"distinct_ids": some, "compliance_type": "GDPR"})
            answer = await wire.ask(deletions_url(values), body, headers)
            outcomes += [answer.outcome] * len(some)
        return outcomes


async def _import(wire: Wire, values: Values, batch: Sequence[Packed]) -> Outcomes | None:
    basic = base64.b64encode(f"{values['token']}:".encode()).decode()
    headers = {**_JSON, "authorization": f"Basic {basic}"}
    answer = await wire.ask(ingestion_url(values, "/import?strict=1"), _body(batch), headers)
    outcome = answer.outcome
    if outcome.status == _TOO_LARGE and len(batch) > 1:
        return None
    if outcome.status != _PARTLY or answer.reply is None:
        return {one.place: outcome for one in batch}
    failed = {one.index: one for one in _read(answer.reply.body, _Imported).failed_records}
    if not any(0 <= place < len(batch) for place in failed):
        return {one.place: outcome for one in batch}
    taken = msgspec.structs.replace(outcome, fate="delivered", error="")
    return {
        one.place: _refused(outcome, failed[place]) if place in failed else taken
        for place, one in enumerate(batch)
    }


def _refused(outcome: Outcome, failed: _Failed) -> Outcome:
    why = " ".join(part for part in (failed.field, failed.message) if part)
    return msgspec.structs.replace(outcome, error=f"refused: {why}")


async def _set(wire: Wire, url: str, batch: Sequence[Packed]) -> Outcomes | None:
    answer = await wire.ask(url, _body(batch), _JSON)
    outcome = answer.outcome
    if outcome.fate == "delivered" and answer.reply is not None:
        said = _read(answer.reply.body, _Set)
        if said.status != 1:
            outcome = msgspec.structs.replace(outcome, fate="dead", error=f"refused: {said.error}")
    is_about_one = outcome.fate == "dead" and outcome.status in {200, 400, _TOO_LARGE}
    if is_about_one and len(batch) > 1:
        return None
    return {one.place: outcome for one in batch}


def _body(batch: Sequence[Packed]) -> bytes:
    return b"[%b]" % b",".join(one.body for one in batch)


def _read(said: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(said, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return type_()  # what it says is in the outcome
