"""Send one user's message now, to see what an endpoint makes of it.

In: a connection, a user. Out: the request as it was sent, its secret masked, and the answer. The
message is the very one that a sync would send: accepted here, it is not sent again.
"""

import msgspec

from headwater.extensions import outbox
from headwater.extensions.connections import Opened
from headwater.extensions.contract import Exchange, Verdict
from headwater.extensions.packet import pack
from headwater.extensions.parts import Parts
from headwater.extensions.preview import Json, make_one, read_messages
from headwater.extensions.windows import Window


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent, and what came back."""

    verdict: str
    """accepted, refused, halted (the connection is wrong) or later (trouble that passes)."""
    reason: str
    """In words; empty when all is well."""
    messages: list[Json]
    exchange: Exchange | None
    seconds: float


async def send_test(parts: Parts, opened: Opened, window: Window, user_id: str) -> Trial:
    """Send the message of this user, whether or not it is due."""
    items = await make_one(parts, opened, window, user_id)
    sender = opened.extension.open(opened.settings, opened.secret, parts.outside)
    begun_s = parts.clock.monotonic_s()
    payloads = [item.payload for item in items if item.payload is not None]
    outcome = await sender.send(pack(payloads), parts.clock.now())
    if outcome.verdict is Verdict.ACCEPTED and not outcome.rejected:
        await parts.configdb.run(outbox.remember, opened.connection.id, items)
    return Trial(
        verdict=outcome.verdict.value,
        reason=outcome.reason or ", ".join(outcome.rejected.values()),
        messages=read_messages(items),
        exchange=outcome.exchange,
        seconds=round(parts.clock.monotonic_s() - begun_s, 3),
    )
