"""Send batches of messages to a Tracking API and read what the answer means.

In: packets. Out: an `Outcome`. Only 2xx is success; a redirect never is. Does not wait and does not
repeat: `delivery` decides. The partner key goes into one header and nowhere else.
"""

import base64
from datetime import datetime

import msgspec

from headwater.base.clock import to_wire_time
from headwater.base.egress import EgressRefusedError, Reply, UnreachableError
from headwater.base.retry import retry_after_s
from headwater.extensions.contract import Outcome, Outside, Verdict
from headwater.extensions.packet import Limits, Packet

LIMITS = Limits(items=2_500, size_bytes=475_000)
_SHOWN_BYTES = 300
_TRY_AGAIN = frozenset({408, 425, 429})
_CONTENT_REFUSED = frozenset({400, 413, 422})
_KEY_REFUSED = frozenset({401, 403})


class _Rejected(msgspec.Struct):
    index: int
    code: str = "rejected"


class _Answer(msgspec.Struct):
    success: bool = True
    rejected: list[_Rejected] = []
    message: str = ""


class TrackingClient:
    """Speaks to one endpoint with one key."""

    def __init__(self, outside: Outside, base_url: str, partner_key: str) -> None:
        self._outside = outside
        self._url = f"{base_url.rstrip('/')}/v1/batch"
        sealed = base64.b64encode(f"{partner_key}:".encode()).decode()
        self._headers = {
            "authorization": f"Basic {sealed}",
            "content-type": "application/json",
            "content-encoding": "gzip",
        }

    async def send(self, packet: Packet, sent_at: datetime) -> Outcome:
        """Post one batch."""
        body = packet.gzipped(b'],"sentAt":"%b"}' % to_wire_time(sent_at).encode())
        try:
            reply = await self._outside.egress.send(
                "POST",
                self._url,
                body=body,
                headers=self._headers,
                timeout_s=self._outside.timeout_s,
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
