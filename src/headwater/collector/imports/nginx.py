"""Read access logs that nginx writes as JSON (`log_format ... escape=json`).

In: one line, whose members are named after nginx's variables, as nearly all such formats do. Out:
an event. Variables that we do not know are left out. Raises `InvalidInputError`. Pure.
"""

from typing import Any

from headwater.collector.imports.fields import (
    Access,
    first_of,
    milliseconds,
    read_object,
    split_request,
    text_of,
    to_event,
)

_TIMES = ("time_iso8601", "msec", "time_local", "@timestamp", "timestamp", "time", "ts")
_HEADER = "http_"
_RESPONSE_HEADER = "sent_http_"


def is_nginx(facts: dict[str, Any]) -> bool:
    """Tell whether an object has nginx's names."""
    return "remote_addr" in facts and ("request" in facts or "request_method" in facts)


def parse_nginx(line: bytes) -> dict[str, Any]:
    """Return the event of one line."""
    facts = read_object(line)
    verb, target = _request(facts)
    sent = _headers(facts, _RESPONSE_HEADER)
    return to_event(
        Access(
            time=first_of(facts, *_TIMES),
            verb=verb,
            uri=_address(facts, target),
            status=facts.get("status", ""),
            ip_address=first_of(facts, "remote_addr", "http_x_forwarded_for"),
            user_id=facts.get("remote_user", ""),
            trace_id=first_of(facts, "request_id", "http_x_request_id"),
            duration_ms=milliseconds(facts.get("request_time"), 1_000),
            request_headers=_headers(facts, _HEADER),
            response_headers={
                "content-length": first_of(facts, "body_bytes_sent", "bytes_sent"),
                **sent,
            },
        )
    )


def _request(facts: dict[str, Any]) -> tuple[str, str]:
    verb, target = split_request(text_of(facts.get("request")))
    named = text_of(first_of(facts, "request_uri", "uri"))
    arguments = text_of(first_of(facts, "args", "query_string"))
    if named and arguments and "?" not in named:
        named = f"{named}?{arguments}"
    return text_of(facts.get("request_method")) or verb, named or target


def _address(facts: dict[str, Any], target: str) -> str:
    host = text_of(first_of(facts, "host", "http_host", "server_name"))
    if not host or not target.startswith("/"):
        return target
    return f"{text_of(facts.get('scheme')) or 'http'}://{host}{target}"


def _headers(facts: dict[str, Any], prefix: str) -> dict[str, object]:
    return {
        name.removeprefix(prefix).replace("_", "-"): value
        for name, value in facts.items()
        if name.startswith(prefix)
    }
