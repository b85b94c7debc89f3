"""Read HTTP archives (HAR), as browsers' tools and proxies export them.

In: one entry of an archive, as a line. Out: an event with its bodies. Raises `InvalidInputError`.
Pure.
"""

from collections.abc import Iterator
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.imports.fields import Access, read_object, text_of, to_event, try_event
from headwater.collector.json_text import heal, read_json, write_json


def is_entry(facts: dict[str, Any]) -> bool:
    """Tell whether an object is an entry of an archive."""
    return "startedDateTime" in facts and "request" in facts


def split_archive(text: bytes) -> Iterator[bytes]:
    """Return the entries of an archive, each on one line."""
    document = read_json(heal(text))
    log = _object(document.get("log")) if isinstance(document, dict) else {}
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise InvalidInputError("This archive has no `log.entries`.", field="$.log.entries")
    return map(write_json, entries)


def parse_har(line: bytes) -> dict[str, Any]:
    """Return the event of one entry."""
    entry = read_object(line)
    request, response = _object(entry.get("request")), _object(entry.get("response"))
    took_ms = entry.get("time")
    event = to_event(
        Access(
            time=entry.get("startedDateTime", ""),
            verb=request.get("method", ""),
            uri=request.get("url", ""),
            status=response.get("status") or "",
            duration_ms=took_ms if isinstance(took_ms, int | float) else None,
            request_headers=_headers(request),
            response_headers=_headers(response),
        )
    )
    _put_body(event["request"], _object(request.get("postData")))
    _put_body(event["response"], _object(response.get("content")))
    try_event(write_json(event))
    return event


def _put_body(message: dict[str, Any], content: dict[str, Any]) -> None:
    text = text_of(content.get("text"))
    if not text:
        return
    if content.get("encoding") == "base64":
        message |= {"body": text, "transfer_encoding": "base64"}
        return
    try:
        message["body"] = read_json(text)
    except InvalidInputError:
        message["body"] = text


def _headers(message: dict[str, Any]) -> dict[str, object]:
    headers = message.get("headers")
    pairs = map(_object, headers) if isinstance(headers, list) else ()
    return {text_of(pair.get("name")): pair.get("value") for pair in pairs if pair.get("name")}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
