"""Hold one span or log record, whichever form it came in.

In: what `protobuf` and `json_form` read. Out: plain values and hexadecimal ids, so that everything
behind sees one shape. Pure.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

import msgspec


class Signal(StrEnum):
    """What an exporter sends."""

    SPAN = "span"
    LOG = "log"


OTLP_PATHS: Mapping[str, Signal] = {
    f"{start}{path}": signal
    for path, signal in (("/v1/traces", Signal.SPAN), ("/v1/logs", Signal.LOG))
    for start in ("", "/v1/traces", "/v1/logs")
}
"""Exporters append the path to their endpoint, even to one that ends in the path of a signal."""


class Kind(IntEnum):
    """Kinds of spans, numbered as in the protocol."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One span, or one log record."""

    place: str
    """Where it stood in the request, as a JSON path."""
    trace_id: str = ""
    """Hexadecimal; empty when not given or all zeros."""
    span_id: str = ""
    parent_span_id: str = ""
    trace_state: str = ""
    kind: int = Kind.UNSPECIFIED
    name: str = ""
    """Of a span, or of a log record's event."""
    began_ns: int = 0
    """Since 1970; 0 when not given."""
    ended_ns: int = 0
    status: int = 0
    status_message: str = ""
    links: list[dict[str, str]] = []
    severity: str = ""
    body: Any = None
    """Of a log record."""
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    scope: str = ""
    """Name and version of the instrumentation."""


def scope_label(name: str, version: str) -> str:
    """Return `name/version`, or the name alone."""
    return f"{name}/{version}" if version else name


def known_id(hexadecimal: str) -> str:
    """Return an id in lower case; the all-zero id means that there is none."""
    return hexadecimal.lower() if hexadecimal.strip("0") else ""
