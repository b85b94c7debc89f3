"""Post messages to a webhook.

In: checked settings and a parcel. Out: one outcome for each item. A body that is too large for the
receiver is halved; nothing else is tried twice here.
"""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from headwater.base.ids import stable_id
from headwater.base.signing import sign
from headwater.destinations.contract import DestinationType, Item, Parcel, Values
from headwater.destinations.webhook.actions import ACTIONS
from headwater.destinations.webhook.settings import SETTINGS, complete, rotate, second_secret
from headwater.destinations.wire import Outcome, Wire

_TOO_LARGE = 413
_SAFE_IN_HEADER = re.compile(r"[!-~]+")


class Webhook:
    """The type `webhook`."""

    declaration = DestinationType(
        type="webhook",
        title="Webhook",
        description="Posts messages as signed JSON to a URL of yours, one by one or in batches.",
        settings=SETTINGS,
        actions=ACTIONS,
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def rotate(self, values: Values, until: datetime) -> dict[str, str]:
        return rotate(values, until)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return int(values["batch_size"])

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        outcome = await self._post(wire, values, parcel)
        count = len(parcel.items)
        if outcome.status != _TOO_LARGE or count == 1:
            return [outcome] * count
        halves = (parcel.items[: count // 2], parcel.items[count // 2 :])
        return [
            one
            for half in halves
            for one in await self.deliver(wire, values, msgspec.structs.replace(parcel, items=half))
        ]

    async def _post(self, wire: Wire, values: Values, parcel: Parcel) -> Outcome:
        bodies = [item.fields["body"] for item in parcel.items]
        is_single = values["batch_size"] == "1"
        body = msgspec.json.encode(bodies[0] if is_single else bodies)
        headers = {
            "content-type": "application/json",
            **sign(
                values["secret"],
                _request_id(parcel.items),
                parcel.sent_at,
                body,
                also=second_secret(values, parcel.sent_at),
            ),
        }
        return (await wire.ask(values["url"], body, headers)).outcome


def _request_id(items: Sequence[Item]) -> str:
    """Return a message's own id where a header can hold it: clients choose it freely."""
    message_ids = [item.message.message_id for item in items]
    if len(message_ids) == 1 and _SAFE_IN_HEADER.fullmatch(message_ids[0]):
        return message_ids[0]
    return stable_id(*message_ids)
