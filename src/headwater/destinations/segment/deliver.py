"""Forward messages to a Tracking API.

In: checked settings and a parcel. Out: one outcome for each item. What the receiver rejects of a
batch costs the others nothing; a batch that is too large for it is halved.
"""

import base64
from collections.abc import Sequence
from datetime import datetime

import msgspec

from headwater.destinations.contract import DestinationType, Parcel, Values
from headwater.destinations.packing import Packed, batches
from headwater.destinations.segment.actions import ACTIONS
from headwater.destinations.segment.pack import (
    LARGEST_BATCH_BYTES,
    LARGEST_MESSAGE_BYTES,
    batch_body,
    encode,
)
from headwater.destinations.segment.settings import SETTINGS, batch_url, complete
from headwater.destinations.wire import Answer, Outcome, Wire

_MOST_PER_PARCEL = 500
_TOO_LARGE = 413
_LARGE = Outcome(
    fate="dead", code="TOO_LARGE", error="larger than the 32 KB that a Tracking API takes"
)


class _Rejected(msgspec.Struct):
    index: int
    code: str = "rejected"


class _Said(msgspec.Struct):
    success: bool = True
    rejected: list[_Rejected] = []


class Segment:
    """The type `segment`."""

    declaration = DestinationType(
        type="segment",
        title="Segment",
        description=(
            "Forwards messages to Segment, RudderStack, Jitsu, another Headwater: "
            "whatever speaks Segment's Tracking API."
        ),
        settings=SETTINGS,
        actions=ACTIONS,
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return _MOST_PER_PARCEL

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        packed = [encode(place, item) for place, item in enumerate(parcel.items)]
        fitting = [one for one in packed if len(one.body) <= LARGEST_MESSAGE_BYTES]
        outcomes = [_LARGE] * len(packed)
        for batch in batches(fitting, LARGEST_BATCH_BYTES):
            found = await _post(wire, values, batch, parcel.sent_at)
            for one, outcome in zip(batch, found, strict=True):
                outcomes[one.place] = outcome
        return outcomes


async def _post(
    wire: Wire, values: Values, batch: Sequence[Packed], sent_at: datetime
) -> list[Outcome]:
    key = base64.b64encode(f"{values['write_key']}:".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {key}"}
    answer = await wire.ask(batch_url(values), batch_body(batch, sent_at), headers)
    if answer.outcome.status != _TOO_LARGE or len(batch) == 1:
        return _judge(answer, len(batch))
    middle = len(batch) // 2
    first = await _post(wire, values, batch[:middle], sent_at)
    return first + await _post(wire, values, batch[middle:], sent_at)


def _judge(answer: Answer, count: int) -> list[Outcome]:
    """Read a success: the receiver may have rejected some of the batch, or all."""
    outcomes = [answer.outcome] * count
    if answer.outcome.fate != "delivered" or answer.reply is None:
        return outcomes
    try:
        said = msgspec.json.decode(answer.reply.body, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return outcomes  # receivers may answer 2xx with any body, or none
    if not said.success and not said.rejected:
        return [_but(answer.outcome, "retry", "answered success: false")] * count
    for one in said.rejected:
        if 0 <= one.index < count:
            outcomes[one.index] = _but(answer.outcome, "dead", f"rejected: {one.code}")
    return outcomes


def _but(outcome: Outcome, fate: str, error: str) -> Outcome:
    return msgspec.structs.replace(outcome, fate=fate, error=error)
