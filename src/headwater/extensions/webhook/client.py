"""Post signed batches to a URL and read what the answer means.

In: packets. Out: an `Outcome`. A batch has the same body and the same id at every try; the time and
the signature are those of the try. Does not wait and does not repeat: `delivery` decides.
The secret signs, and goes nowhere.
"""

import hashlib
from datetime import datetime

from headwater.base.egress import Reply
from headwater.base.errors import InvalidInputError
from headwater.base.retry import retry_after_s
from headwater.base.signing import new_signing_secret, sign
from headwater.extensions.contract import KeyCheck, Outcome, Outside, Verdict
from headwater.extensions.exchange import Post, ask, deliver, said
from headwater.extensions.packet import Limits, Packet, pack

LIMITS = Limits(items=500, size_bytes=475_000)
_CLOSE = b"]}"
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_GONE = 410
_TRY_AGAIN = frozenset({408, 425, 429, *range(500, 600)})
_WRONG_CONNECTION = frozenset({401, 403, 404, 405, 407, _GONE, *_REDIRECT})
"""About the address or the signature, whatever the batch says."""
_UNSIGNED = frozenset({401, 403})
_NOTHING = pack([])


class WebhookClient:
    """Speaks to one URL with one secret."""

    def __init__(self, outside: Outside, url: str, secret: str) -> None:
        self._outside = outside
        self._url = url
        self._secret = secret

    async def send(self, packet: Packet, sent_at: datetime) -> Outcome:
        """Post one batch."""
        return await deliver(self._outside, self._post(packet, sent_at, self._secret), read_reply)

    async def check(self, at: datetime) -> KeyCheck:
        """Post an empty batch well signed, and one signed with a secret that nobody has."""
        reply = await ask(self._outside, self._post(_NOTHING, at, self._secret))
        if reply.status in _WRONG_CONNECTION:
            raise _refuse(reply)
        if reply.status not in _SUCCESS:
            return KeyCheck(checked=False, word=f"not checked: {said(reply)}")
        forged = await ask(self._outside, self._post(_NOTHING, at, new_signing_secret()))
        if forged.status in _SUCCESS:
            word = "not checked: this receiver takes any signature"
            return KeyCheck(checked=False, word=word)
        if forged.status in _TRY_AGAIN:
            return KeyCheck(checked=False, word=f"not checked: {said(forged)}")
        return KeyCheck(checked=True, word="accepted by the receiver, which refuses any other")

    def _post(self, packet: Packet, at: datetime, secret: str) -> Post:
        body = packet.plain(_CLOSE)
        signed = sign(secret, _id_of(body), at, body)
        masked = dict.fromkeys(signed.keys() - {"webhook-id", "webhook-timestamp"}, "••••")
        headers = {"content-type": "application/json", **signed}
        return Post(url=self._url, headers=headers, body=body, masked=masked)


def read_reply(reply: Reply) -> Outcome:
    """Return what a status means; the body of an answer says nothing."""
    status, word = reply.status, said(reply)
    if status in _SUCCESS:
        return Outcome(verdict=Verdict.ACCEPTED)
    if status in _TRY_AGAIN:
        wait_s = retry_after_s(reply.headers)
        return Outcome(verdict=Verdict.LATER, reason=word, wait_s=wait_s)
    if status == _GONE:
        reason = f"{word} The receiver wants no more."
        return Outcome(verdict=Verdict.HALTED, reason=reason)
    if status in _WRONG_CONNECTION:
        return Outcome(verdict=Verdict.HALTED, reason=f"{word} Are URL and signing secret right?")
    return Outcome(verdict=Verdict.REFUSED, reason=word)


def _refuse(reply: Reply) -> InvalidInputError:
    field = "secret" if reply.status in _UNSIGNED else "url"
    return InvalidInputError(
        f"The receiver does not take this. {said(reply)}",
        field=field,
        hint="It gets an empty batch as a check; `--no-check` connects all the same.",
    )


def _id_of(body: bytes) -> str:
    """Return the id of a batch: the same batch has the same id, for ever."""
    return f"hw-batch-{hashlib.blake2b(body, digest_size=16).hexdigest()}"
