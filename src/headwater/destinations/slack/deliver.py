"""Post texts to a channel of Slack.

In: checked settings and a parcel. Out: one outcome for each item. What users wrote cannot mention
anybody: Slack's control characters are sent as text.
"""

import msgspec

from headwater.destinations.contract import DestinationType, Parcel, Values
from headwater.destinations.slack.actions import ACTIONS
from headwater.destinations.slack.settings import SETTINGS, complete
from headwater.destinations.wire import Outcome, Wire

_LONGEST_TEXT = 4_000
"""Slack recommends no more, and cuts at ten times as much."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NO_SUCH_WEBHOOK = frozenset({403, 404})


class Slack:
    """The type `slack`."""

    declaration = DestinationType(
        type="slack",
        title="Slack",
        description="Posts a text of your making to a channel, for the messages that you choose.",
        settings=SETTINGS,
        actions=ACTIONS,
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return 1

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        return [await _post(wire, values, item.fields["text"]) for item in parcel.items]


async def _post(wire: Wire, values: Values, text: str) -> Outcome:
    body = msgspec.json.encode({"text": text[:_LONGEST_TEXT].translate(_ESCAPES)})
    headers = {"content-type": "application/json"}
    outcome = (await wire.ask(values["webhook_url"], body, headers)).outcome
    if outcome.status in _NO_SUCH_WEBHOOK:
        # The webhook was taken back or forbidden: no message's fault, and a person can mend it.
        return msgspec.structs.replace(outcome, fate="retry")
    return outcome
