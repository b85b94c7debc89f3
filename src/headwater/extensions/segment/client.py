"""Send batches of messages to a Tracking API and read what the answer means.

In: encoded messages. Out: an `Outcome`. Only 2xx is success; a redirect never is. Does not wait and
does not repeat: `deliver` decides. The partner key goes into one header and nowhere else.
"""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum

import msgspec

from headwater.base.clock import to_wire_time
from headwater.base.egress import Egress, EgressRefusedError, Reply, UnreachableError
from headwater.base.retry import retry_after_s

MOST_BATCH_BYTES = 475_000
MOST_BATCH_ITEMS = 2_500
_ENVELOPE_BYTES = 100
_SHOWN_BYTES = 300
_TRY_AGAIN = frozenset({408, 425, 429})
_CONTENT_REFUSED = frozenset({400, 413, 422})
_KEY_REFUSED = frozenset({401, 403})


class Verdict(Enum):
    """What to do after one batch."""

    ACCEPTED = "accepted"
    """Delivered, but for the rejected ones."""
    REFUSED = "refused"
    """Something in it is wrong: smaller batches find out what."""
    HALTED = "halted"
    """The connection is wrong: a person has to look; the messages wait."""
    LATER = "later"
    """Trouble that passes."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one batch went."""

    verdict: Verdict
    reason: str = ""
    rejected: dict[int, str] = {}
    """Place in the batch, and the endpoint's word."""
    wait_s: float | None = None
    """What the endpoint asked for."""


class _Rejected(msgspec.Struct):
    index: int
    code: str = "rejected"


class _Answer(msgspec.Struct):
    success: bool = True
    rejected: list[_Rejected] = []
    message: str = ""


class TrackingClient:
    """Speaks to one endpoint with one key."""

    def __init__(self, egress: Egress, base_url: str, partner_key: str, timeout_s: float) -> None:
        self._egress = egress
        self._url = f"{base_url.rstrip('/')}/v1/batch"
        sealed = base64.b64encode(f"{partner_key}:".encode()).decode()
        self._headers = {"authorization": f"Basic {sealed}", "content-type": "application/json"}
        self._timeout_s = timeout_s

    async def send(self, messages: Sequence[bytes], sent_at: datetime) -> Outcome:
        """Post one batch."""
        body = b'{"batch":[%b],"sentAt":"%b"}' % (
            b",".join(messages),
            to_wire_time(sent_at).encode(),
        )
        try:
            reply = await self._egress.send(
                "POST", self._url, body=body, headers=self._headers, timeout_s=self._timeout_s
            )
        except UnreachableError as err:
            return Outcome(verdict=Verdict.LATER, reason=err.message)
        except EgressRefusedError as err:
            return Outcome(verdict=Verdict.HALTED, reason=err.message)
        return read_reply(reply)


def read_reply(reply: Reply) -> Outcome:
    """Return what a status and a body mean."""
    said = f"The endpoint answered {reply.status}{_excerpt(reply.body)}."
    if 200 <= reply.status < 300:  # noqa: PLR2004 - the only success there is
        return _read_success(reply, said)
    if reply.status in _TRY_AGAIN or reply.status >= 500:  # noqa: PLR2004 - its own trouble
        wait_s = retry_after_s(reply.headers.get("retry-after"))
        return Outcome(verdict=Verdict.LATER, reason=said, wait_s=wait_s)
    if reply.status in _CONTENT_REFUSED:
        return Outcome(verdict=Verdict.REFUSED, reason=said)
    if reply.status in _KEY_REFUSED:
        reason = f"{said} Is the partner key the write key of an enabled source?"
        return Outcome(verdict=Verdict.HALTED, reason=reason)
    reason = f"{said} Is the endpoint the base URL of a Tracking API?"
    return Outcome(verdict=Verdict.HALTED, reason=reason)


def _read_success(reply: Reply, said: str) -> Outcome:
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Receivers may answer 2xx with any body, or none.
        return Outcome(verdict=Verdict.ACCEPTED)
    if not answer.success and not answer.rejected:
        return Outcome(verdict=Verdict.LATER, reason=said)
    return Outcome(
        verdict=Verdict.ACCEPTED, rejected={item.index: item.code for item in answer.rejected}
    )


def _excerpt(body: bytes) -> str:
    text = body[:_SHOWN_BYTES].decode("utf-8", "replace").strip()
    shown = "".join(character if character.isprintable() else " " for character in text)
    return f": {shown}" if shown else ""


def pack(sizes: Sequence[int]) -> Iterator[slice]:
    """Cut messages of these sizes, in order, into batches that receivers take."""
    first, size_bytes = 0, _ENVELOPE_BYTES
    for place, message_bytes in enumerate(sizes):
        full = place - first == MOST_BATCH_ITEMS
        if place > first and (full or size_bytes + message_bytes + 1 > MOST_BATCH_BYTES):
            yield slice(first, place)
            first, size_bytes = place, _ENVELOPE_BYTES
        size_bytes += message_bytes + 1
    if sizes:
        yield slice(first, len(sizes))
