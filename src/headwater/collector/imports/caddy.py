"""Read the access logs of Caddy 2, which are JSON by default.

In: one line. Out: an event. Raises `InvalidInputError`. Pure.
"""

from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.imports.fields import (
    Access,
    first_of,
    milliseconds,
    read_object,
    text_of,
    to_event,
)


def is_caddy(facts: dict[str, Any]) -> bool:
    """Tell whether an object is a line of Caddy's."""
    request = facts.get("request")
    return isinstance(request, dict) and "method" in request and "ts" in facts


def parse_caddy(line: bytes) -> dict[str, Any]:
    """Return the event of one line."""
    facts = read_object(line)
    request = facts.get("request")
    if not isinstance(request, dict):
        raise InvalidInputError("This line tells of no request.", field="$.request")
    return to_event(
        Access(
            time=facts.get("ts", ""),
            verb=request.get("method", ""),
            uri=_address(request),
            status=facts.get("status", ""),
            ip_address=first_of(request, "client_ip", "remote_ip") or _host_of(request),
            user_id=facts.get("user_id", ""),
            duration_ms=milliseconds(facts.get("duration"), 1_000),
            request_headers=_object(request.get("headers")),
            response_headers={
                "content-length": facts.get("size", ""),
                **_object(facts.get("resp_headers")),
            },
        )
    )


def _address(request: dict[str, Any]) -> str:
    host, target = text_of(request.get("host")), text_of(request.get("uri"))
    scheme = "https" if request.get("tls") else "http"
    return f"{scheme}://{host}{target}" if host and target.startswith("/") else target


def _host_of(request: dict[str, Any]) -> str:
    return text_of(request.get("remote_addr")).rpartition(":")[0].strip("[]")


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
