"""Spell the JSON of OTLP's requests and answers for readers.

Out: structs for the OpenAPI document, made of those that read spans and log records. Nothing is
read with these.
"""

import msgspec

from headwater.collector.otlp.json_wire import Camel, LogIn, Resource, Scope, SpanIn


class ScopeSpans(Camel, frozen=True):
    """Spans of one instrumentation."""

    scope: Scope | None = None
    spans: list[SpanIn] | None = None


class ScopeLogs(Camel, frozen=True):
    """Log records of one instrumentation."""

    scope: Scope | None = None
    log_records: list[LogIn] | None = None


class ResourceSpans(Camel, frozen=True):
    """Spans of one process."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class ResourceLogs(Camel, frozen=True):
    """Log records of one process."""

    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class TracesExport(Camel, frozen=True):
    """Spans of some processes."""

    resource_spans: list[ResourceSpans] | None = None


class LogsExport(Camel, frozen=True):
    """Log records of some processes."""

    resource_logs: list[ResourceLogs] | None = None


class PartialSuccess(Camel, frozen=True):
    """How many records were refused, as the protocol writes numbers, and why the first was."""

    rejected_spans: str | None = None
    rejected_log_records: str | None = None
    error_message: str | None = None


class ExportAnswer(Camel, frozen=True):
    """Empty when everything was taken."""

    partial_success: PartialSuccess | None = None


class RpcStatus(msgspec.Struct, kw_only=True):
    """An error as `google.rpc.Status`."""

    code: int
    message: str
