"""Keep captured bodies: measured, and never larger than the log can carry.

In: raw JSON as the client sent it. Out: the same bytes wherever possible. A body over the limit is
kept as base64 of its beginning, masked before it is cut. Pure.
"""

import base64
from typing import NamedTuple

import msgspec
from msgspec import Raw

from headwater.collector.json_text import check_depth, read_json, write_json
from headwater.collector.masking import Masker
from headwater.collector.wire import RequestIn, ResponseIn
from headwater.model import NO_JSON, ApiCall

BASE64 = "base64"
TRUNCATED = "truncated"
MOST_BYTES = 10**15
"""More than any body has; what is announced beyond it is no size."""
_NULL = b"null"


class Body(NamedTuple):
    """One captured body, its secrets still there."""

    raw: Raw = NO_JSON
    encoding: str = ""
    size_bytes: int = 0
    """Of the body on the client's wire, as far as it is known."""
    is_cut: bool = False


def read_body(message: RequestIn | ResponseIn, path: str, masker: Masker, max_bytes: int) -> Body:
    """Return what is kept of a body."""
    length = message.content_length
    announced_bytes = min(max(length, 0), MOST_BYTES) if length else 0
    sent = b"" if message.body is NO_JSON else clean_json(message.body)
    if not sent:
        return Body(size_bytes=announced_bytes)
    is_base64 = message.transfer_encoding == BASE64 and sent.startswith(b'"')
    size_bytes = announced_bytes or (_unpacked_bytes(sent) if is_base64 else len(sent))
    encoding = BASE64 if is_base64 else ""
    if len(sent) > max_bytes:
        kept = _beginning(sent, encoding, masker, max_bytes // 4)
        return Body(kept, BASE64, size_bytes, is_cut=True)
    check_depth(sent, path)
    return Body(Raw(sent), encoding, size_bytes)


def _unpacked_bytes(quoted_base64: bytes) -> int:
    return max((len(quoted_base64) - 2) * 3 // 4 - quoted_base64[-3:].count(b"="), 0)


def clean_json(raw: Raw) -> bytes:
    """Return JSON as it came, or nothing for null."""
    sent = bytes(raw)
    return b"" if sent == _NULL else sent


def cut_bodies(call: ApiCall, masker: Masker, max_bytes: int) -> ApiCall:
    """Return a call that is too large with no more than the beginning of its bodies."""
    changes: dict[str, object] = {"flags": tuple(dict.fromkeys((*call.flags, TRUNCATED)))}
    for side in ("request", "response"):
        sent = bytes(getattr(call, f"{side}_body"))
        if len(sent) > max_bytes // 4:
            encoding = getattr(call, f"{side}_encoding")
            changes[f"{side}_body"] = _beginning(sent, encoding, masker, max_bytes // 4)
            changes[f"{side}_encoding"] = BASE64
    return msgspec.structs.replace(call, **changes)


def _beginning(sent: bytes, encoding: str, masker: Masker, keep_bytes: int) -> Raw:
    if encoding == BASE64:
        whole_groups = keep_bytes // 4 * 4
        return Raw(masker.body(write_json(read_json(sent)[:whole_groups]), BASE64))
    # Cut where a value ends, so that no half of a secret escapes its mask.
    text = sent[:keep_bytes]
    end = max(text.rfind(b'"'), text.rfind(b",")) + 1
    masked = masker.words(text[: end or keep_bytes].decode("utf-8", "replace"))
    return Raw(write_json(base64.b64encode(masked.encode()).decode()))
