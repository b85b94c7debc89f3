"""Read the access logs of AWS API Gateway: as JSON, or in the form of the common log.

In: one line, whose members are named after `$context` variables as in AWS's examples. Out: an
event. Raises `InvalidInputError`. Pure.
"""

from typing import Any

from headwater.collector.imports.combined import parse_combined
from headwater.collector.imports.fields import (
    Access,
    first_of,
    milliseconds,
    read_object,
    text_of,
    to_event,
)


def is_apigateway(facts: dict[str, Any]) -> bool:
    """Tell whether an object has API Gateway's names."""
    return "requestId" in facts and ("httpMethod" in facts or "routeKey" in facts)


def parse_apigateway(line: bytes) -> dict[str, Any]:
    """Return the event of one line."""
    if not line.lstrip().startswith(b"{"):
        return parse_combined(line)
    facts = read_object(line)
    verb, _, route = text_of(facts.get("routeKey")).partition(" ")
    target = text_of(first_of(facts, "path", "resourcePath")) or route
    host = text_of(facts.get("domainName"))
    return to_event(
        Access(
            time=first_of(facts, "requestTimeEpoch", "requestTime"),
            verb=facts.get("httpMethod") or verb,
            uri=f"https://{host}{target}" if host and target.startswith("/") else target,
            status=facts.get("status", ""),
            ip_address=first_of(facts, "ip", "sourceIp"),
            user_id=first_of(facts, "user", "caller"),
            trace_id=facts.get("requestId", ""),
            duration_ms=milliseconds(facts.get("responseLatency"), 1),
            request_headers={"user-agent": facts.get("userAgent", "")},
            response_headers={"content-length": facts.get("responseLength", "")},
        )
    )
