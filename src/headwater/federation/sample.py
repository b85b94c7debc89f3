"""Send one made-up message to a destination, so that people can see whether it arrives.

In: a destination. Out: what it answered. The message says that it is a test, and is not counted.
"""

import msgspec

from headwater.base.clock import Clock, to_wire_time
from headwater.base.egress import Egress
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.destinations import (
    Instance,
    Outcome,
    divide,
    find_destination,
    open_settings,
    open_wire,
    plan_of,
    prepare,
)
from headwater.model import Message


class SampleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the test showed."""

    delivered: bool
    status: int | None
    error: str
    sent: dict[str, object]


async def send_sample(
    egress: Egress, vault: Vault, clock: Clock, instance: Instance, timeout_s: float
) -> SampleResult:
    """Deliver a sample identify for real, once."""
    message = _sample(clock, instance.source_id)
    found = prepare(plan_of(instance, filtered=False), message)
    items = found if isinstance(found, list) else []
    destination, values = find_destination(instance.type), open_settings(vault, instance)
    wire = open_wire(instance, values, egress, timeout_s)
    outcome = Outcome(fate="dead", error="no mapping is for an identify")
    for parcel in divide(destination, values, items, clock.now()):
        outcome = (await destination.deliver(wire, values, parcel))[0]
    return SampleResult(
        delivered=outcome.fate == "delivered",
        status=outcome.status,
        error=outcome.error,
        sent=message.body,
    )


def _sample(clock: Clock, source_id: str) -> Message:
    now = clock.now()
    wire = to_wire_time(now)
    message_id = new_id("test")
    return Message(
        source_id=source_id,
        message_id=message_id,
        type="identify",
        user_id="headwater-test-user",
        received_at=now,
        timestamp=now,
        body={
            "type": "identify",
            "userId": "headwater-test-user",
            "traits": {"name": "Headwater Test", "isTest": True},
            "context": {"library": {"name": "headwater-test", "version": "1"}},
            "messageId": message_id,
            "timestamp": wire,
            "originalTimestamp": wire,
            "sentAt": wire,
            "receivedAt": wire,
            "version": 2,
        },
    )
