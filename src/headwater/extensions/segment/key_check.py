"""Ask an endpoint whether it knows a write key, without sending it anything.

In: two answers to an empty batch: one asked with the key, one with a key that nobody has. Out: what
may be said of the key. Many receivers answer 200 to every key, Segment among them; that is told as
it is.
"""

from headwater.base.egress import Reply
from headwater.base.errors import InvalidInputError
from headwater.extensions.contract import KeyCheck

KEY_REFUSED = frozenset({401, 403})
_JUDGED = frozenset({200, 201, 202, 204, 400, 413, 422})
"""Answers of something that read the batch, and found it good or empty."""


def refuse_wrong(reply: Reply, said: str) -> KeyCheck | None:
    """Raise what is wrong with key or endpoint; None when another question must tell."""
    if reply.status in KEY_REFUSED:
        raise InvalidInputError(
            f"The endpoint does not know this partner key. {said}",
            field="partner_key",
            hint="Use the write key of an enabled source; `--no-check` connects all the same.",
        )
    if reply.status in _JUDGED and not is_page(reply):
        return None
    if reply.status >= 500 or reply.status in {408, 425, 429}:  # noqa: PLR2004 - its own trouble
        return KeyCheck(checked=False, word=f"not checked: {said}")
    raise InvalidInputError(
        f"This is no Tracking API. {said}",
        field="endpoint",
        hint="Use the base URL of one, such as https://api.segment.io.",
    )


def judge(reply_to_nobody: Reply) -> KeyCheck:
    """Tell what the first answer was worth, given the answer to a key that nobody has."""
    if reply_to_nobody.status in KEY_REFUSED:
        return KeyCheck(checked=True, word="accepted by the endpoint")
    return KeyCheck(checked=False, word="not checked: this endpoint answers the same to every key")


def is_page(reply: Reply) -> bool:
    """Tell whether the answer is a web page, as sites give to anything."""
    return reply.headers.get("content-type", "").startswith("text/html")
