"""Turn a captured call into an event of the Collector API.

In: references that the request path kept. Out: one event, ready for JSON. Pure; runs on the
background thread. Values of secret headers and query parameters never leave the process, unless
the application wants them to.
"""

import base64
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from headwater.middleware.call import Body, Call, Headers
from headwater.middleware.options import Options

MASK = "*masked*"
_SECRET = re.compile(
    r"authorization|cookie|token|secret|passw|session|signature|credential|csrf|jwt|api[-_]?key"
    r"|access[-_]?key|^(x-)?auth$",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"([^=&;]*)=([^&;]*)")
_PATH_SIGNS = "/:@!$&'()*+,;=~"
_BODILESS = {204, 304}
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Asked(Struct, omit_defaults=True):
    """The request of an event."""

    time: datetime
    uri: str
    verb: str
    headers: dict[str, str]
    ip_address: str = ""
    body: Any = None
    transfer_encoding: str | None = None
    content_length: int | None = None


class Answered(Struct, omit_defaults=True):
    """The response of an event."""

    time: datetime
    status: int
    headers: dict[str, str]
    body: Any = None
    transfer_encoding: str | None = None
    content_length: int | None = None


class Event(Struct, omit_defaults=True):
    """One call, named as the Collector API names it."""

    request: Asked
    response: Answered
    direction: str
    transaction_id: uuid.UUID
    """By it the collector knows an event that comes twice."""
    user_id: str | None = None
    company_id: str | None = None
    session_token: str | None = None
    metadata: dict[str, Any] | None = None
    weight: int = 1


def to_event(call: Call, options: Options, clock_s: float, weight: int = 1) -> Event:
    """Return the event; its JSON bodies stay raw text unless somebody wants to look into them.

    `clock_s` is what makes a time of day of the call's times.
    """
    decode = options.mask_event is not None
    hide = options.mask_secrets
    headers = read_headers(call.request_headers)
    asked = Asked(
        datetime.fromtimestamp(clock_s + call.began, UTC),
        _write_uri(call, headers, hide=hide),
        call.verb,
        mask_headers(headers) if hide else headers,
        _client_ip(call, headers, options.client_ip_header),
    )
    answer_headers = read_headers(call.response_headers)
    answered = Answered(
        datetime.fromtimestamp(clock_s + call.ended, UTC),
        call.status,
        mask_headers(answer_headers) if hide else answer_headers,
    )
    _write_body(asked, call.request_body, decode)
    if call.verb != "HEAD" and call.status not in _BODILESS:  # a server sends none for these
        _write_body(answered, call.response_body, decode)
    return Event(
        asked, answered, "Incoming", uuid.uuid4(),
        call.user_id, call.company_id, call.session_token, call.metadata, weight,
    )  # fmt: skip


def read_headers(headers: Headers) -> dict[str, str]:
    """Return headers as text with lower-case names; repeated ones are joined by a comma."""
    read: dict[str, str] = {}
    for name, value in headers:
        key = _read_name(name)
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        read[key] = f"{read[key]}, {text}" if key in read else text
    return read


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers without the values of secret ones."""
    return {name: MASK if _is_secret(name) else value for name, value in headers.items()}


def mask_query(query: str) -> str:
    """Return a query string without the values of secret parameters."""
    return _PARAMETER.sub(lambda m: f"{m[1]}={MASK}" if _SECRET.search(m[1]) else m[0], query)


@lru_cache(256)
def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


@lru_cache(256)
def _read_name(name: bytes | str) -> str:
    return (name.decode("latin-1") if isinstance(name, bytes) else name).lower()


def _write_uri(call: Call, headers: Mapping[str, str], *, hide: bool) -> str:
    path, query = call.path, call.query
    if isinstance(path, bytes):
        path = path.decode("latin-1")
    else:
        path = quote(path, safe=_PATH_SIGNS, encoding="latin-1")
    if isinstance(query, bytes):
        query = query.decode("latin-1")
    if query:
        query = f"?{mask_query(query) if hide else query}"
    return f"{call.scheme}://{headers.get('host') or _write_server(call)}{path}{query}"


def _write_server(call: Call) -> str:
    host, port = call.server or (None, None)
    if not host or port is None:  # no port: a Unix socket
        return "localhost"
    name = f"[{host}]" if ":" in host else str(host)
    return name if str(port) == _DEFAULT_PORTS.get(call.scheme) else f"{name}:{port}"


def _client_ip(call: Call, headers: Mapping[str, str], header: str) -> str:
    named = headers.get(header.lower(), "").partition(",")[0].strip() if header else ""
    return named or call.client_ip


def _write_body(side: Asked | Answered, body: Body, decode: bool) -> None:
    if not body.size_bytes:
        return
    if not body.limit_bytes:
        side.content_length = body.size_bytes
    elif body.is_cut:
        side.body = {"msg": f"The body has {body.size_bytes} bytes and was not kept."}
        side.content_length = body.size_bytes
    else:
        side.body, side.transfer_encoding = _read_body(bytes(body.data).strip(), decode)


def _read_body(raw: bytes, decode: bool) -> tuple[Any, str]:
    if raw[:1] in {b"{", b"["}:
        try:
            return _read_json(raw, decode), "json"
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass  # it only looked like JSON
    return base64.b64encode(raw).decode(), "base64"


def _read_json(raw: bytes, decode: bool) -> Any:
    raw.decode()  # a raw value is not checked to be UTF-8, and would spoil its whole batch
    return msgspec.json.decode(raw, type=Any if decode else Raw)
