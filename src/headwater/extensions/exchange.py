"""Post one batch, and keep what people may see of question and answer.

In: a body, headers, and how its answers are read. Out: an `Outcome` with its `Exchange`. What every
extension that posts has in common; it sends once and judges nothing but the lack of an answer.
"""

from collections.abc import Callable, Mapping

import msgspec

from headwater.base.egress import EgressRefusedError, Reply, UnreachableError
from headwater.extensions.contract import Exchange, Outcome, Outside, Verdict

_SHOWN_BYTES = 300


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One request, whole."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    masked: Mapping[str, str]
    """Headers that are shown otherwise than they are sent."""


async def ask(outside: Outside, post: Post) -> Reply:
    """Return the answer, whatever it says."""
    return await outside.egress.send(
        "POST", post.url, body=post.body, headers=post.headers, timeout_s=outside.timeout_s
    )


async def deliver(outside: Outside, post: Post, judge: Callable[[Reply], Outcome]) -> Outcome:
    """Return how it went."""
    shown = Exchange(method="POST", url=post.url, headers={**post.headers, **post.masked})
    try:
        reply = await ask(outside, post)
    except UnreachableError as err:
        return Outcome(verdict=Verdict.LATER, reason=err.message, exchange=shown)
    except EgressRefusedError as err:
        return Outcome(verdict=Verdict.HALTED, reason=err.message, exchange=shown)
    answered = msgspec.structs.replace(
        shown, status=reply.status, answer_headers=reply.headers, answer=printable(reply.body)
    )
    return msgspec.structs.replace(judge(reply), exchange=answered)


def said(reply: Reply) -> str:
    """Return an answer as a sentence for people."""
    text = printable(reply.body[:_SHOWN_BYTES]).strip()
    return f"The endpoint answered {reply.status}{f': {text}' if text else ''}."


def printable(body: bytes) -> str:
    """Return text that a terminal can show."""
    text = body.decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in text)
