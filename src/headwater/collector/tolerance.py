"""Understand an event that is not quite as it should be.

In: one JSON object with numbers as ids, text as status, lists as header values, unknown fields.
Out: the strict struct, and the unknown fields. Null means not given. Raises `InvalidInputError`
with the JSON path when a field cannot be read as what it must be. Pure.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.collector.json_text import read_json, write_json
from headwater.collector.wire import EventIn, RequestIn, ResponseIn, Understood

Reader = Callable[[Any, str], Any]


def as_text(value: Any, path: str) -> str:
    """Return a scalar as text: 42 is "42", true is "true"."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return write_json(value).decode()
    raise InvalidInputError("Expected text.", field=path)


def as_object(value: Any, path: str) -> dict[str, Any]:
    """Return a JSON object."""
    if isinstance(value, dict):
        return value
    raise InvalidInputError("Expected a JSON object.", field=path)


def as_whole(value: Any, path: str) -> int:
    """Return a number, or text that is one, without its fraction."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError) as err:
        raise InvalidInputError("Expected a whole number.", field=path) from err


def _as_moment(value: Any, path: str) -> str | float:
    return value if isinstance(value, int | float) else as_text(value, path)


def _as_raw(value: Any, path: str) -> Raw:  # noqa: ARG001 - readers are alike
    return Raw(write_json(value))


def _as_headers(value: Any, path: str) -> dict[str, str]:
    return {
        name: _as_header(inner, f"{path}.{name}")
        for name, inner in as_object(value, path).items()
        if inner is not None
    }


def _as_header(value: Any, path: str) -> str:
    if isinstance(value, list):
        return ", ".join(_as_header(inner, path) for inner in value if inner is not None)
    return write_json(value).decode() if isinstance(value, dict) else as_text(value, path)


_MESSAGE: Mapping[str, Reader] = {
    "time": _as_moment,
    "headers": _as_headers,
    "body": _as_raw,
    "transfer_encoding": as_text,
    "ip_address": as_text,
    "content_length": as_whole,
}
_REQUEST: Mapping[str, Reader] = {
    **_MESSAGE,
    "uri": as_text,
    "verb": as_text,
    "api_version": as_text,
    "user_agent_string": as_text,
}
_RESPONSE: Mapping[str, Reader] = {**_MESSAGE, "status": as_whole}
_EVENT: Mapping[str, Reader] = {
    "weight": as_whole,
    "span": _as_raw,
    "metadata": _as_raw,
    **dict.fromkeys(
        ("user_id", "company_id", "subscription_id", "anonymous_id", "session_token",
         "transaction_id", "trace_id", "action_name", "api_version", "direction", "tags",
         "blocked_by"),
        as_text,
    ),
}  # fmt: skip


def read_event(item: bytes) -> Understood:
    """Return what one event says."""
    sent = as_object(read_json(item), "$")
    unknown: dict[str, object] = {}
    request = _take(sent, "request", _REQUEST, unknown)
    response = _take(sent, "response", _RESPONSE, unknown)
    if not request:
        raise InvalidInputError("This is required.", field="$.request")
    for name in ("uri", "verb"):
        if name not in request:
            raise InvalidInputError("This is required.", field=f"$.request.{name}")
    known = _read(sent, "$", _EVENT)
    return Understood(
        EventIn(
            request=RequestIn(**request),
            response=ResponseIn(**response) if response else None,
            **known,
        ),
        unknown | _rest(sent, _EVENT),
    )


def _take(
    sent: dict[str, Any], part: str, readers: Mapping[str, Reader], unknown: dict[str, object]
) -> dict[str, Any]:
    value = sent.pop(part, None)
    if value is None:
        return {}
    inner = as_object(value, f"$.{part}")
    rest = _rest(inner, readers)
    if rest:
        unknown[part] = rest
    return _read(inner, f"$.{part}", readers)


def _read(sent: Mapping[str, Any], path: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    return {
        name: read(sent[name], f"{path}.{name}")
        for name, read in readers.items()
        if sent.get(name) is not None
    }


def _rest(sent: Mapping[str, Any], readers: Mapping[str, Reader]) -> dict[str, object]:
    return {
        name: value for name, value in sent.items() if name not in readers and value is not None
    }
