"""Spell the JSON form of an export request.

In: names as in the protocol, in lower camel case. Out: structs for `json_form`. Decides nothing.
"""

import msgspec
from msgspec import Raw

from headwater.model import NO_JSON


class Camel(msgspec.Struct, frozen=True, rename="camel"):
    """Names as in the protocol's JSON; null is the same as absent."""


class AnyValue(Camel, frozen=True):
    """One value; one of the fields is set."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: "Array | None" = None
    kvlist_value: "Pairs | None" = None


class Array(Camel, frozen=True):
    """A list of values."""

    values: list[AnyValue] | None = None


class Pair(Camel, frozen=True):
    """A name and its value."""

    key: str = ""
    value: AnyValue | None = None


class Pairs(Camel, frozen=True):
    """A map."""

    values: list[Pair] | None = None


class Resource(Camel, frozen=True):
    """What sent the records."""

    attributes: list[Pair] | None = None


class Scope(Camel, frozen=True):
    """The instrumentation that made them."""

    name: str | None = None
    version: str | None = None


class ScopeGroup(Camel, frozen=True):
    """Records of one scope, unread: each is read alone, so that a bad one costs only itself."""

    scope: Scope | None = None
    spans: list[Raw] | None = None
    log_records: list[Raw] | None = None


class ResourceGroup(Camel, frozen=True):
    """Records of one resource."""

    resource: Raw = NO_JSON
    scope_spans: list[ScopeGroup] | None = None
    scope_logs: list[ScopeGroup] | None = None


class RequestIn(Camel, frozen=True):
    """An export request of either signal."""

    resource_spans: list[ResourceGroup] | None = None
    resource_logs: list[ResourceGroup] | None = None


class StatusIn(Camel, frozen=True):
    """How a span ended."""

    code: int | str | None = None
    message: str | None = None


class LinkIn(Camel, frozen=True):
    """A span that belongs to this one."""

    trace_id: str | None = None
    span_id: str | None = None


class SpanIn(Camel, frozen=True):
    """One span."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    trace_state: str | None = None
    kind: int | str | None = None
    name: str | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    status: StatusIn | None = None
    links: list[LinkIn] | None = None
    attributes: list[Pair] | None = None


class LogIn(Camel, frozen=True):
    """One log record."""

    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    severity_text: str | None = None
    body: AnyValue | None = None
    attributes: list[Pair] | None = None
