"""Hide the secrets of the calls of one request, all in one go.

In: calls as clients reported them, and the masker of their app. Out: the same calls, masked, with
lower-case header names. Nothing goes to the log that has not been here. One pass over many
documents costs a fraction of many passes.
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from headwater.collector.bodies import BASE64, MOST_BYTES
from headwater.collector.json_text import write_json
from headwater.collector.masking import Masker
from headwater.model import NO_JSON, ApiCall

_LONGEST_SIZE = len(str(MOST_BYTES))


def hide_secrets(calls: Sequence[ApiCall], masker: Masker) -> None:
    """Mask calls in place."""
    headers = iter(
        masker.headers([h for c in calls for h in (c.request_headers, c.response_headers)])
    )
    documents = iter(masker.documents([bytes(raw) for call in calls for raw in _documents(call)]))
    for call, uri in zip(calls, masker.uris([call.uri for call in calls]), strict=True):
        call.uri = uri
        call.ip_address = masker.address(call.ip_address)
        call.request_headers, call.response_headers = next(headers), next(headers)
        call.request_bytes = _announced_bytes(call.request_headers) or call.request_bytes
        call.response_bytes = _announced_bytes(call.response_headers) or call.response_bytes
        _put_documents(call, [next(documents) for _ in range(4)], masker)


def _documents(call: ApiCall) -> tuple[Raw, Raw, Raw, Raw]:
    return (
        NO_JSON if call.request_encoding == BASE64 else call.request_body,
        NO_JSON if call.response_encoding == BASE64 else call.response_body,
        call.metadata,
        call.extra,
    )


def _put_documents(call: ApiCall, masked: Sequence[bytes], masker: Masker) -> None:
    sent, answered, metadata, extra = masked
    if call.request_encoding == BASE64:
        sent = masker.body(bytes(call.request_body), BASE64)
    if call.response_encoding == BASE64:
        answered = masker.body(bytes(call.response_body), BASE64)
    call.request_body, call.response_body = quoted(sent), quoted(answered)
    call.metadata, call.extra = quoted(metadata), quoted(extra)


def quoted(document: bytes) -> Raw:
    """Return a document as the engine must get it: it takes the quotes off a text."""
    if document[:1] == b'"':
        return Raw(write_json(document.decode()))
    return Raw(document) if document else NO_JSON


def _announced_bytes(headers: Mapping[str, str]) -> int:
    size = headers.get("content-length", "").strip()
    # Longer numbers are no sizes, and would not fit the store's counter.
    return int(size) if size.isascii() and size.isdigit() and len(size) < _LONGEST_SIZE else 0
