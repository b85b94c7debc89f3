"""Post messages to a webhook.

In: checked settings and a parcel. Out: one outcome for each message. A body that is too large for
the receiver is halved; nothing else is tried twice here.
"""

import re
from collections.abc import Sequence

import msgspec

from headwater.base.egress import Egress
from headwater.base.errors import HeadwaterError
from headwater.base.ids import stable_id
from headwater.base.signing import sign
from headwater.destinations.contract import (
    Outcome,
    Parcel,
    Setting,
    Values,
    judge_error,
    judge_reply,
)
from headwater.destinations.webhook.settings import SETTINGS, check

_TOO_LARGE = 413
_SAFE_IN_HEADER = re.compile(r"[!-~]+")


class Webhook:
    """The type `webhook`."""

    type = "webhook"
    title = "Webhook"
    settings: tuple[Setting, ...] = SETTINGS

    def check(self, values: Values, egress: Egress) -> dict[str, str]:
        return check(values, egress)

    def batch_size(self, values: Values) -> int:
        return int(values["batch_size"])

    async def deliver(self, egress: Egress, values: Values, parcel: Parcel) -> list[Outcome]:
        outcome = await self._post(egress, values, parcel)
        count = len(parcel.messages)
        if outcome.status != _TOO_LARGE or count == 1:
            return [outcome] * count
        halves = (parcel.messages[: count // 2], parcel.messages[count // 2 :])
        return [
            one
            for half in halves
            for one in await self.deliver(
                egress, values, msgspec.structs.replace(parcel, messages=half)
            )
        ]

    async def _post(self, egress: Egress, values: Values, parcel: Parcel) -> Outcome:
        bodies = [message.body for message in parcel.messages]
        is_single = self.batch_size(values) == 1
        body = msgspec.json.encode(bodies[0] if is_single else bodies)
        request_id = _request_id([message.message_id for message in parcel.messages])
        headers = {
            "content-type": "application/json",
            **sign(values["secret"], request_id, parcel.sent_at, body),
        }
        try:
            reply = await egress.send(
                "POST", values["url"], body=body, headers=headers, timeout_s=parcel.timeout_s
            )
        except HeadwaterError as err:
            return judge_error(err)
        return judge_reply(reply)


def _request_id(message_ids: Sequence[str]) -> str:
    """Return a message's own id where a header can hold it: clients choose it freely."""
    if len(message_ids) == 1 and _SAFE_IN_HEADER.fullmatch(message_ids[0]):
        return message_ids[0]
    return stable_id(*message_ids)
