"""Hide the secrets of the calls of one request, all in one go.

In: calls as clients reported them, and the masker of their app. Out: the same calls, masked, with
lower-case header names. Nothing goes to the log that has not been here. One pass over many
documents costs a fraction of many passes, and calls without a secret are left as they are.
"""

from collections.abc import Mapping, Sequence

from ahocorasick_rs import BytesAhoCorasick
from msgspec import Raw

from headwater.collector.bodies import BASE64, MOST_BYTES
from headwater.collector.json_text import write_json
from headwater.collector.masking import Masker
from headwater.model import NO_JSON, ApiCall, note_headers

_LONGEST_SIZE = len(str(MOST_BYTES))
_SIZE = "content-length"
_TEXTS = BytesAhoCorasick((b'\n"',))
"""Finds documents that are texts; Python's own search is many times slower for two bytes."""


def hide_secrets(calls: Sequence[ApiCall], masker: Masker) -> None:
    """Mask calls in place."""
    _hide_headers(calls, masker)
    _hide_documents(calls, masker)
    for call, uri in zip(calls, masker.uris([call.uri for call in calls]), strict=True):
        call.uri = uri
        if call.request_encoding or call.response_encoding:
            _hide_packed(call, masker)
    if masker.cuts_addresses:
        for call in calls:
            call.ip_address = masker.address(call.ip_address)


def _hide_headers(calls: Sequence[ApiCall], masker: Masker) -> None:
    masked = masker.headers([h for c in calls for h in (c.request_headers, c.response_headers)])
    for call, sent, answered in zip(calls, masked[::2], masked[1::2], strict=True):
        call.request_headers, call.response_headers = sent, answered
        note_headers(call)
        if _SIZE in sent:
            call.request_bytes = _announced_bytes(sent) or call.request_bytes
        if _SIZE in answered:
            call.response_bytes = _announced_bytes(answered) or call.response_bytes


def _announced_bytes(headers: Mapping[str, str]) -> int:
    size = headers[_SIZE].strip()
    # Longer numbers are no sizes, and would not fit the store's counter.
    return int(size) if size.isascii() and size.isdigit() and len(size) < _LONGEST_SIZE else 0


def _hide_documents(calls: Sequence[ApiCall], masker: Masker) -> None:
    """Mask what is JSON, and quote what is a text; most requests have neither secrets nor texts."""
    text = b"\n".join([document for call in calls for document in _documents(call)])
    masked = masker.lines(text)
    if masked is text and not text.startswith(b'"') and not _TEXTS.find_matches_as_indexes(text):
        return
    rest = iter(masked.split(b"\n"))
    for call in calls:
        sent, answered, call.metadata, call.extra = (quoted(next(rest)) for _ in range(4))
        call.request_body = call.request_body if call.request_encoding else sent
        call.response_body = call.response_body if call.response_encoding else answered


def _documents(call: ApiCall) -> tuple[Raw, Raw, Raw, Raw]:
    return (
        NO_JSON if call.request_encoding else call.request_body,
        NO_JSON if call.response_encoding else call.response_body,
        call.metadata,
        call.extra,
    )


def _hide_packed(call: ApiCall, masker: Masker) -> None:
    if call.request_encoding:
        call.request_body = quoted(masker.body(bytes(call.request_body), BASE64))
    if call.response_encoding:
        call.response_body = quoted(masker.body(bytes(call.response_body), BASE64))


def quoted(document: bytes) -> Raw:
    """Return a document as the engine must get it: it takes the quotes off a text."""
    if document[:1] == b'"':
        return Raw(write_json(document.decode()))
    return Raw(document) if document else NO_JSON
