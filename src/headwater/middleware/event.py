"""Turn a captured call into an event of the Collector API.

In: references that the request path kept. Out: one JSON object. Pure; runs on the background
thread. Values of secret headers and query parameters never leave the process.
"""

import base64
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

MASK = "*masked*"
_SECRET = re.compile(
    r"authorization|cookie|token|secret|passw|session|signature|credential|csrf|jwt|api[-_]?key"
    r"|access[-_]?key|^(x-)?auth$",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"([^=&;]*)=([^&;]*)")
_OVERHEAD_BYTES = 1_000

Headers = Sequence[tuple[bytes, bytes]] | Sequence[tuple[str, str]]


class Body:
    """The chunks of a body, by reference, up to a limit; beyond it only the size is known."""

    __slots__ = ("chunks", "limit_bytes", "size_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        """0: bodies are not wanted at all."""
        self.chunks: list[bytes] = []
        self.size_bytes = 0

    def keep(self, chunk: bytes) -> None:
        """Take note of one chunk."""
        if chunk:
            self.size_bytes += len(chunk)
            if self.size_bytes <= self.limit_bytes:
                self.chunks.append(chunk)
            else:
                self.chunks.clear()

    @property
    def is_cut(self) -> bool:
        """Tell whether there was more than is kept."""
        return self.size_bytes > self.limit_bytes


NO_BODY = Body(0)


class Call(msgspec.Struct, kw_only=True):
    """Everything known of one call, not looked at yet."""

    verb: str
    scheme: str
    host: str
    """Used when no `Host` header came."""
    path: str
    query: str
    ip_address: str
    began_s: float
    ended_s: float
    status: int
    request_headers: Headers
    response_headers: Headers
    request_body: Body = NO_BODY
    response_body: Body = NO_BODY
    user_id: str | None = None
    company_id: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def size_bytes(self) -> int:
        """Return about how much memory the call holds."""
        bodies = (self.request_body, self.response_body)
        return _OVERHEAD_BYTES + sum(0 if body.is_cut else body.size_bytes for body in bodies)


def to_event(call: Call, *, decode_bodies: bool = False) -> dict[str, Any]:
    """Return the event; its JSON bodies stay raw text unless somebody wants to look into them."""
    request_headers = read_headers(call.request_headers)
    event: dict[str, Any] = {
        "request": {
            "time": _write_time(call.began_s),
            "uri": _write_uri(call, request_headers),
            "verb": call.verb,
            "headers": mask_headers(request_headers),
            "ip_address": call.ip_address,
            **_write_body(call.request_body, decode_bodies),
        },
        "response": {
            "time": _write_time(call.ended_s),
            "status": call.status,
            "headers": mask_headers(read_headers(call.response_headers)),
            **_write_body(call.response_body, decode_bodies),
        },
        "direction": "Incoming",
        "transaction_id": str(uuid.uuid4()),
        "user_id": call.user_id,
        "company_id": call.company_id,
        "metadata": call.metadata,
    }
    return {name: value for name, value in event.items() if value is not None}


def read_headers(headers: Headers) -> dict[str, str]:
    """Return headers as text with lower-case names; repeated ones are joined by a comma."""
    read: dict[str, str] = {}
    for name, value in headers:
        key = _read_text(name).lower()
        text = _read_text(value)
        read[key] = f"{read[key]}, {text}" if key in read else text
    return read


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers without the values of secret ones."""
    return {name: MASK if _SECRET.search(name) else value for name, value in headers.items()}


def mask_query(query: str) -> str:
    """Return a query string without the values of secret parameters."""
    return _PARAMETER.sub(lambda m: f"{m[1]}={MASK}" if _SECRET.search(m[1]) else m[0], query)


def _read_text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _write_time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_uri(call: Call, headers: Mapping[str, str]) -> str:
    query = f"?{mask_query(call.query)}" if call.query else ""
    return f"{call.scheme}://{headers.get('host') or call.host}{call.path}{query}"


def _write_body(body: Body, decode: bool) -> dict[str, Any]:
    if not body.size_bytes:
        return {}
    if not body.limit_bytes:
        return {"content_length": body.size_bytes}
    if body.is_cut:
        note = f"The body has {body.size_bytes} bytes and was not kept."
        return {"body": {"msg": note}, "content_length": body.size_bytes}
    raw = b"".join(body.chunks).strip()
    if raw[:1] in {b"{", b"["}:
        try:
            return {"body": _read_json(raw, decode), "transfer_encoding": "json"}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass  # it only looked like JSON
    return {"body": base64.b64encode(raw).decode(), "transfer_encoding": "base64"}


def _read_json(raw: bytes, decode: bool) -> Any:
    raw.decode()  # a raw value is not checked to be UTF-8, and would spoil its whole batch
    return msgspec.json.decode(raw, type=Any if decode else Raw)
