"""Read the access logs of Traefik in its JSON format.

In: one line. Out: an event. Headers are there only when Traefik was told to keep them. Raises
`InvalidInputError`. Pure.
"""

from typing import Any

from headwater.collector.imports.fields import (
    Access,
    first_of,
    milliseconds,
    read_object,
    text_of,
    to_event,
)

_REQUEST, _RESPONSE = "request_", "downstream_"
_MS_PER_NS = 1e-6


def is_traefik(facts: dict[str, Any]) -> bool:
    """Tell whether an object has Traefik's names."""
    return "RequestMethod" in facts and "RequestPath" in facts


def parse_traefik(line: bytes) -> dict[str, Any]:
    """Return the event of one line."""
    facts = read_object(line)
    return to_event(
        Access(
            time=first_of(facts, "StartUTC", "StartLocal", "time"),
            verb=facts.get("RequestMethod", ""),
            uri=_address(facts),
            status=first_of(facts, "DownstreamStatus", "OriginStatus"),
            ip_address=facts.get("ClientHost", ""),
            user_id=facts.get("ClientUsername", ""),
            trace_id=facts.get("TraceId", ""),
            duration_ms=milliseconds(facts.get("Duration"), _MS_PER_NS),
            request_headers=_headers(facts, _REQUEST),
            response_headers={
                "content-length": facts.get("DownstreamContentSize", ""),
                **_headers(facts, _RESPONSE),
            },
        )
    )


def _address(facts: dict[str, Any]) -> str:
    host, target = text_of(facts.get("RequestHost")), text_of(facts.get("RequestPath"))
    scheme = text_of(facts.get("RequestScheme")) or "http"
    return f"{scheme}://{host}{target}" if host and target.startswith("/") else target


def _headers(facts: dict[str, Any], prefix: str) -> dict[str, object]:
    return {
        name.removeprefix(prefix): value for name, value in facts.items() if name.startswith(prefix)
    }
