"""Send batches of messages to a Tracking API and read what the answer means.

In: packets. Out: an `Outcome`. Only 2xx is success; a redirect never is. Does not wait and does not
repeat: `delivery` decides. The partner key goes into one header and nowhere else.
"""

import base64
from datetime import datetime
from typing import Any

import msgspec

from headwater.base.clock import to_wire_time
from headwater.base.egress import Reply
from headwater.base.ids import new_write_key
from headwater.base.retry import retry_after_s
from headwater.extensions.contract import KeyCheck, Outcome, Outside, Verdict
from headwater.extensions.exchange import Post, ask, deliver, said
from headwater.extensions.packet import Limits, Packet, pack
from headwater.extensions.segment.key_check import KEY_REFUSED, is_page, judge, refuse_wrong

LIMITS = Limits(items=2_500, size_bytes=475_000)
_WRONG_URL = "Is the endpoint the base URL of a Tracking API?"
_TRY_AGAIN = frozenset({408, 425, 429})
_CONTENT_REFUSED = frozenset({400, 413, 422})
_HEADERS = {"content-type": "application/json", "content-encoding": "gzip"}
_NOTHING = pack([])


class _Rejected(msgspec.Struct):
    index: int
    code: str = "rejected"


class _Answer(msgspec.Struct):
    success: bool | None = None
    error: Any = None
    rejected: list[_Rejected] = []


class TrackingClient:
    """Speaks to one endpoint with one key."""

    def __init__(self, outside: Outside, base_url: str, partner_key: str) -> None:
        self._outside = outside
        self._url = f"{base_url.rstrip('/')}/v1/batch"
        self._key = partner_key

    async def send(self, packet: Packet, sent_at: datetime) -> Outcome:
        """Post one batch."""
        return await deliver(self._outside, self._post(packet, sent_at, self._key), read_reply)

    async def check(self, at: datetime) -> KeyCheck:
        """Post an empty batch with the key and one with nobody's; compare the answers."""
        reply = await ask(self._outside, self._post(_NOTHING, at, self._key))
        found = refuse_wrong(reply, said(reply))
        if found is not None:
            return found
        return judge(await ask(self._outside, self._post(_NOTHING, at, new_write_key())))

    def _post(self, packet: Packet, sent_at: datetime, key: str) -> Post:
        sealed = base64.b64encode(f"{key}:".encode()).decode()
        return Post(
            url=self._url,
            headers={**_HEADERS, "authorization": f"Basic {sealed}"},
            body=packet.gzipped(b'],"sentAt":"%b"}' % to_wire_time(sent_at).encode()),
            masked={"authorization": "Basic ••••"},
        )


def read_reply(reply: Reply) -> Outcome:
    """Return what a status and a body mean."""
    word = said(reply)
    if 200 <= reply.status < 300:  # noqa: PLR2004 - the only success there is
        return _read_success(reply, word)
    if reply.status in _TRY_AGAIN or reply.status >= 500:  # noqa: PLR2004 - its own trouble
        wait_s = retry_after_s(reply.headers)
        return Outcome(verdict=Verdict.LATER, reason=word, wait_s=wait_s)
    if reply.status in _CONTENT_REFUSED:
        return Outcome(verdict=Verdict.REFUSED, reason=word)
    if reply.status in KEY_REFUSED:
        reason = f"{word} Is the partner key the write key of an enabled source?"
        return Outcome(verdict=Verdict.HALTED, reason=reason)
    return Outcome(verdict=Verdict.HALTED, reason=f"{word} {_WRONG_URL}")


def _read_success(reply: Reply, word: str) -> Outcome:
    if is_page(reply):
        return Outcome(
            verdict=Verdict.HALTED, reason=f"A web page, not an API: {word} {_WRONG_URL}"
        )
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Receivers may answer 2xx with any body, or none.
        return Outcome(verdict=Verdict.ACCEPTED)
    if not answer.rejected and (answer.success is False or (answer.error and not answer.success)):
        return Outcome(verdict=Verdict.LATER, reason=word)
    return Outcome(
        verdict=Verdict.ACCEPTED, rejected={item.index: item.code for item in answer.rejected}
    )
