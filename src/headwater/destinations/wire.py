"""Send the requests of a destination, judge their answers, and keep what people may see of both.

In: a request. Out: the answer and an outcome with its fate. Secrets are hidden in all that is kept.
A request is sent once: `federation` decides about another try.
"""

from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import quote, quote_plus

import msgspec

from headwater.base.egress import Egress, Reply, UnreachableError
from headwater.base.errors import HeadwaterError, Terminal
from headwater.base.retry import retry_after_s

ERROR_BYTES = 500
SHOWN_BYTES = 4_000
_HIDDEN = "••••"
_SUCCESS = range(200, 300)
_SERVER_ERRORS = range(500, 600)
_TRY_AGAIN = frozenset({408, 425, 429})


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and answered, for people: secrets hidden, bodies cut."""

    method: str
    url: str
    headers: dict[str, str] = {}
    body: str = ""
    status: int | None = None
    """None: no answer."""
    answer_headers: dict[str, str] = {}
    answer: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item."""

    fate: Literal["delivered", "retry", "dead"]
    status: int | None = None
    code: str = ""
    """Without an answer: a short class of what happened, such as `ETIMEDOUT`."""
    error: str = ""
    """What went wrong, with the beginning of the answer."""
    retry_after_s: float | None = None
    """What the other side asked for."""
    exchanges: tuple[Exchange, ...] = ()
    """The requests that decided, in order; items that travelled together share them."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one request: what its status means, and the reply if there is one."""

    outcome: Outcome
    reply: Reply | None = None


class Wire:
    """The way out for one delivery to one instance."""

    def __init__(self, egress: Egress, timeout_s: float, secrets: Iterable[str] = ()) -> None:
        self._egress = egress
        self._timeout_s = timeout_s
        self._secrets = _spellings(secrets)

    @property
    def own_url(self) -> str:
        """The base URL of this very server."""
        return self._egress.own_url

    async def ask(
        self, url: str, body: bytes, headers: Mapping[str, str], *, method: str = "POST"
    ) -> Answer:
        """Send one request; an error without an answer is an outcome too."""
        asked = Exchange(
            method=method,
            url=self._hide(url),
            headers={name: self._hide_header(name, value) for name, value in headers.items()},
            body=self._show(body),
        )
        try:
            reply = await self._egress.send(
                method, url, body=body, headers=headers, timeout_s=self._timeout_s
            )
        except HeadwaterError as err:
            return Answer(outcome=self._keep(judge_error(err), asked))
        answered = msgspec.structs.replace(
            asked,
            status=reply.status,
            answer_headers={name: self._hide(value) for name, value in reply.headers.items()},
            answer=self._show(reply.body),
        )
        return Answer(outcome=self._keep(judge_reply(reply), answered), reply=reply)

    def _keep(self, outcome: Outcome, exchange: Exchange) -> Outcome:
        error = self._hide(outcome.error)
        return msgspec.structs.replace(outcome, error=error, exchanges=(exchange,))

    def _show(self, body: bytes) -> str:
        # Hidden before it is cut: half a secret is still too much.
        longest = max(map(len, self._secrets), default=0)
        text = body[: SHOWN_BYTES + longest].decode("utf-8", "replace")
        return self._hide(text)[:SHOWN_BYTES]

    def _hide_header(self, name: str, value: str) -> str:
        return _HIDDEN if name.lower() == "authorization" else self._hide(value)

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text


def judge_reply(reply: Reply) -> Outcome:
    """Say what a status means: 2xx done; 408, 425, 429 and 5xx try again; all others never."""
    if reply.status in _SUCCESS:
        return Outcome(fate="delivered", status=reply.status)
    sample = reply.body[:ERROR_BYTES].decode("utf-8", "replace").strip()
    error = f"answered {reply.status}" + (f": {sample}" if sample else "")
    if reply.status in _TRY_AGAIN or reply.status in _SERVER_ERRORS:
        wait_s = retry_after_s(reply.headers)
        return Outcome(fate="retry", status=reply.status, error=error, retry_after_s=wait_s)
    return Outcome(fate="dead", status=reply.status, error=error)


def judge_error(err: HeadwaterError) -> Outcome:
    """Say what an error without an answer means: its own fate."""
    if isinstance(err, UnreachableError):
        return Outcome(fate="retry", code=err.kind, error=err.message)
    fate: Literal["dead", "retry"] = "dead" if isinstance(err, Terminal) else "retry"
    return Outcome(fate=fate, code=err.code.upper(), error=err.message)


def _spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return each secret as it stands in headers, JSON, forms and URLs; the longest first."""
    found = set()
    for secret in filter(None, secrets):
        in_json = msgspec.json.encode(secret)[1:-1].decode()
        found |= {secret, in_json, quote(secret, safe=""), quote_plus(secret)}
    return tuple(sorted(found, key=len, reverse=True))
