"""Turn a span or log record about an HTTP call into an event, as other clients send it.

In: a record. Out: whether it tells of a call, and the event. What has no field of its own goes into
the metadata, dots in names as levels. Raises `InvalidInputError` with the place of a fault. Pure.
"""

import re
import zlib
from collections.abc import Callable
from itertools import chain
from typing import Any

from msgspec import Raw

from headwater.collector.json_text import write_json
from headwater.collector.otlp import conventions as names
from headwater.collector.otlp.conventions import Facts
from headwater.collector.otlp.records import Kind, Record, Signal
from headwater.collector.otlp.sampling import weight_of
from headwater.collector.wire import EventIn, RequestIn, ResponseIn, Understood
from headwater.model import Direction

_DIRECTIONS: dict[int, Direction] = {Kind.SERVER: "Incoming", Kind.CLIENT: "Outgoing"}
_KIND_NAMES = {kind.value: kind.name.lower() for kind in Kind if kind}
_AUTHORITY = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_DEEPEST = 20
_OWN_VALUE = "value"
"""Where the value goes of a name that has others below it."""


def is_call(record: Record, signal: Signal) -> bool:
    """Tell whether a record is about an HTTP call: for a log record, one that has ended."""
    facts = Facts(record)
    if signal is Signal.SPAN:
        return record.kind in _DIRECTIONS and facts.has(names.VERB)
    return facts.has(names.VERB) and facts.has(names.STATUS)


def to_event(record: Record, spare_id: str, cut: Callable[[str], str]) -> Understood:
    """Return the call that a record tells of; `spare_id` is for records without ids.

    `cut` makes of an address what the app keeps of it.
    """
    facts = Facts(record)
    verb, uri, status = facts.verb(), facts.uri(), facts.whole(names.STATUS)
    event = EventIn(
        request=_request(record, facts, verb, uri),
        response=_response(record, facts, status),
        user_id=facts.text(names.USER),
        company_id=facts.text(names.COMPANY),
        subscription_id=facts.text(names.SUBSCRIPTION),
        anonymous_id=facts.text(names.ANONYMOUS),
        transaction_id=_call_id(record, verb, uri, status) or spare_id,
        trace_id=record.trace_id,
        direction=_DIRECTIONS.get(record.kind, "Incoming"),
        weight=weight_of(record.trace_state),
        span=Raw(write_json(_span(record))),
        metadata=Raw(write_json(_metadata(record, facts, cut))),
    )
    return Understood(event, route=_route(facts))


def _request(record: Record, facts: Facts, verb: str, uri: str) -> RequestIn:
    return RequestIn(
        uri=uri,
        verb=verb,
        time=record.began_ns or None,
        headers=facts.headers(names.REQUEST_HEADER),
        ip_address=facts.ip_address(),
        content_length=facts.whole(names.REQUEST_BYTES),
        user_agent_string=facts.text(names.USER_AGENT),
    )


def _response(record: Record, facts: Facts, status: int | None) -> ResponseIn:
    return ResponseIn(
        time=record.ended_ns or None,
        status=status,
        headers=facts.headers(names.RESPONSE_HEADER),
        content_length=facts.whole(names.RESPONSE_BYTES),
    )


def _call_id(record: Record, verb: str, uri: str, status: int | None) -> str:
    """Return the same id whenever an exporter tries again, and for a log of the span's own call.

    A span's log records may tell of other calls as well, and these need ids of their own.
    """
    if not (record.trace_id and record.span_id):
        return ""
    path = _AUTHORITY.sub("", uri).partition("?")[0]
    told = f"{verb} {path} {status or 0}".encode()
    return f"{record.trace_id}-{record.span_id}-{zlib.crc32(told):08x}"


def _route(facts: Facts) -> str:
    """Return the route as the framework knows it; several leave out the first slash."""
    route = facts.text(names.ROUTE)
    return "/" + route.strip("/") if route else ""


def _span(record: Record) -> dict[str, object]:
    told = {
        "id": record.span_id,
        "parent_id": record.parent_span_id,
        "name": record.name,
        "kind": _KIND_NAMES.get(record.kind),
        "status": record.status,
        "status_message": record.status_message,
        "links": record.links,
        "scope": record.scope,
    }
    return {name: value for name, value in told.items() if value}


def _metadata(record: Record, facts: Facts, cut: Callable[[str], str]) -> dict[str, Any]:
    """Return what only the metadata can hold; what the record says hides what its resource says."""
    log = {"log.severity": record.severity, "log.body": record.body}
    tree: dict[str, Any] = {}
    for name, value in chain(record.resource.items(), log.items(), facts.rest()):
        if value not in (None, ""):
            _put(tree, name, value)
    for name in names.ADDRESSES:
        _change(tree, name.split("."), cut)
    return tree


def _change(tree: Any, path: list[str], change: Callable[[str], str]) -> None:
    """Change the text at a path, if there is one."""
    for level in path[:-1]:
        tree = tree.get(level) if isinstance(tree, dict) else None
    if isinstance(tree, dict) and isinstance(text := tree.get(path[-1]), str):
        tree[path[-1]] = change(text)


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    """Put `service.name` below `service`, as questions name it."""
    if isinstance(value, dict):
        for inner_name, inner_value in value.items():
            _put(tree, f"{name}.{inner_name}", inner_value)
        return
    *levels, leaf = name.split(".", _DEEPEST)
    for level in levels:
        below = tree.get(level)
        if not isinstance(below, dict):
            below = tree[level] = {} if below is None else {_OWN_VALUE: below}
        tree = below
    if isinstance(tree.get(leaf), dict):
        tree, leaf = tree[leaf], _OWN_VALUE
    tree[leaf] = value
