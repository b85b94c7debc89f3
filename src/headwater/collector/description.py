"""Describe the Collector API and the OpenTelemetry door for the OpenAPI document.

Out: two `DoorText`s. Tests hold them against what the doors answer.
"""

from headwater.base.openapi import (
    ALSO_AT,
    ERROR,
    DoorText,
    Facts,
    answers,
    content,
    one_or_more,
    refer,
    schemas_of,
)
from headwater.collector.otlp import OTLP_PATHS, Signal
from headwater.collector.otlp.shapes import ExportAnswer, LogsExport, RpcStatus, TracesExport
from headwater.collector.shapes import (
    Action,
    Company,
    Config,
    Event,
    InLog,
    Probe,
    Subscription,
    User,
)
from headwater.model import CallColumns

_COLLECTOR, _OTLP = "Collector", "Otlp"
_KEY = "collector_application_id"
_PROTOBUF = "application/x-protobuf"
_SECURITY = {_KEY: {"type": "apiKey", "in": "header", "name": "X-Moesif-Application-Id"}}
_ITEMS = {
    "events": ("Event", "Take API calls."),
    "actions": ("Action", "Take what people did beside calling the API."),
    "users": ("User", "Take users, and visitors who have an `anonymous_id` only."),
    "companies": ("Company", "Take companies."),
    "subscriptions": ("Subscription", "Take subscriptions of companies."),
}
_TAGS = {
    name: {"schema": {"type": "string"}, "description": "Fetch the document anew when it changes."}
    for name in ("X-Moesif-Config-ETag", "X-Moesif-Rules-Tag")
}


def describe_collector() -> DoorText:
    """Return what clients of API analytics send and fetch."""
    posts = {
        f"/v1/{name}{form}": {"post": _post(schema, text)}
        for name, (schema, text) in _ITEMS.items()
        for form in ("", "/batch")
    }
    return DoorText(
        tag="Collector API",
        text=(
            "Every path is also there under /collector. The key is a collector application id in "
            "X-Moesif-Application-Id; `headwater apps list` shows it. Bodies are JSON, plain or "
            "with Content-Encoding gzip or deflate: one item or a list. An item that cannot be "
            "used becomes a reject and never costs its batch."
        ),
        paths={**posts, "/v1/events/table": {"post": _table()}, **_gets()},
        schemas=schemas_of(
            _COLLECTOR,
            *(Event, Action, User, Company, Subscription, CallColumns),
            *(Config, Probe, InLog),
        ),
        security=_SECURITY,
    )


def _post(schema: str, text: str) -> Facts:
    return {
        "tags": ["Collector API"],
        "description": f"{text} 201 means that all of it is on disk.",
        "security": [{_KEY: []}],
        "requestBody": {"required": True, **content(one_or_more(_COLLECTOR + schema))},
        "responses": answers({"201": _good("Durable")}, content(refer(ERROR))),
    }


def _table() -> Facts:
    answer = content(refer(f"{_COLLECTOR}InLog"))
    text = (
        "Take lines of an access log column by column, as `headwater import` sends them. What "
        "cannot go this way is refused whole, and goes as events."
    )
    return {
        **_post("", text),
        "requestBody": {"required": True, **content(refer(f"{_COLLECTOR}CallColumns"))},
        "responses": answers({"200": _good("Durable") | answer}, content(refer(ERROR))),
    }


def _gets() -> dict[str, Facts]:
    rules: Facts = {"type": "array", "items": {}, "maxItems": 0}
    return {
        "/v1/config": {
            "get": _get("Show the sampling policy of the app.", refer(f"{_COLLECTOR}Config"))
        },
        "/v1/rules": {"get": _get("Show the governance rules: there are none.", rules)},
        "/health/probe": {
            "get": {
                **_get("Say that this door is open.", refer(f"{_COLLECTOR}Probe")),
                "security": [],
            }
        },
    }


def _get(text: str, schema: Facts) -> Facts:
    return {
        "tags": ["Collector API"],
        "description": text,
        "security": [{_KEY: []}],
        "responses": answers({"200": _good("Here it is") | content(schema)}, content(refer(ERROR))),
    }


def _good(text: str) -> Facts:
    return {"description": text, "headers": _TAGS}


def describe_otlp() -> DoorText:
    """Return what exporters of OpenTelemetry send."""
    return DoorText(
        tag="OpenTelemetry",
        text=(
            "OTLP over HTTP, with the key of the Collector API. Answers and errors come in the "
            "form of the request: JSON or protobuf. Only HTTP calls are kept."
        ),
        paths={
            "/v1/traces": {"post": _export(Signal.SPAN, "TracesExport", "Take spans.")},
            "/v1/logs": {"post": _export(Signal.LOG, "LogsExport", "Take log records.")},
        },
        schemas=schemas_of(_OTLP, TracesExport, LogsExport, ExportAnswer, RpcStatus),
        security=_SECURITY,
    )


def _export(signal: Signal, schema: str, text: str) -> Facts:
    _, *others = (path for path, of in OTLP_PATHS.items() if of is signal)
    return {
        "tags": ["OpenTelemetry"],
        "description": f"{text} What was refused is counted in the answer.",
        ALSO_AT: others,
        "security": [{_KEY: []}],
        "requestBody": {"required": True, **content(refer(_OTLP + schema), _PROTOBUF)},
        "responses": answers(
            {"200": _good("Durable") | content(refer(f"{_OTLP}ExportAnswer"), _PROTOBUF)},
            content(refer(f"{_OTLP}RpcStatus"), _PROTOBUF),
        ),
    }
