"""Report: single calls, newest first, with their headers and bodies.

In: filters, a limit, a cursor. Out: events, nested as they were sent, and the next cursor. Wide
columns are read for the page only.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from headwater.analytics.cursor import NewestFirst
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import EventsSpec

_COLUMNS = (
    *("call_id", "log_offset", "time", "received_at", "verb", "route", "uri", "host", "status"),
    *("duration_ms", "weight", "user_id", "company_id", "anonymous_id", "session_key"),
    *("direction", "client_kind", "client_name", "client_version", "sdk", "country"),
    *("ip_address", "action_name", "blocked_by", "api_version", "trace_id", "request_bytes"),
    *("response_bytes", "flags"),
)
_NARROW = ", ".join(f"c.{name} AS {name}" for name in _COLUMNS)
_ORDER = NewestFirst("time", "call_id", "c.")
_NOTHING = msgspec.Raw(b"null")
_NO_HEADERS = msgspec.Raw(b"{}")
"""Rows leave out what is empty; readers of the report expect an object."""


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """One page; `next_cursor` is null on the last."""

    events: list[dict[str, Any]]
    next_cursor: str | None
    meta: Meta


async def list_events(asking: Asking, question: Question, spec: EventsSpec) -> Events:
    """Answer `events`."""
    rows, following = await page_of_calls(asking, question, spec.limit, spec.cursor)
    wide = await read_bodies(asking, question, rows)
    return Events(
        events=[to_event(row, wide.get(row["call_id"], {})) for row in rows],
        next_cursor=following,
        meta=await asking.meta(question),
    )


async def page_of_calls(
    asking: Asking, question: Question, limit: int, cursor: str, also: str = "true"
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the narrow rows of one page, and where the next begins."""
    after = _ORDER.behind(cursor, question.bound)
    sql = (
        f"SELECT {_NARROW} FROM {question.calls()} WHERE {question.where} AND ({also}) AND {after}"
        f"{_ORDER.order(limit)}"
    )
    return _ORDER.cut(await asking.ask(sql, question), limit)


async def read_bodies(
    asking: Asking, question: Question, rows: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return headers, bodies and metadata of these calls by call id."""
    if not rows:
        return {}
    offsets = question.bound.put(sorted({row["log_offset"] for row in rows}), "Array(UInt64)")
    ids = question.bound.put([row["call_id"] for row in rows], "Array(String)")
    sql = (
        "SELECT n.call_id AS call_id, n.request_headers AS request_headers,"
        " n.response_headers AS response_headers, n.request_body AS request_body,"
        " n.response_body AS response_body, n.request_encoding AS request_encoding,"
        " n.response_encoding AS response_encoding, n.metadata AS metadata, n.extra AS extra"
        f" FROM bodies AS n WHERE {question.in_scope('n')}"
        f" AND n.log_offset IN {offsets} AND n.call_id IN {ids}"
    )
    return {row["call_id"]: row for row in await asking.ask(sql, question)}


_PLAIN = (
    *("user_id", "company_id", "anonymous_id", "direction", "blocked_by", "action_name"),
    *("trace_id", "sdk", "weight", "flags", "duration_ms", "received_at"),
)


def to_event(row: dict[str, Any], wide: dict[str, Any]) -> dict[str, Any]:
    """Return one call in the names of the filter list, nested."""
    return {
        "transaction_id": row["call_id"],
        "request": _request(row, wide),
        "response": _response(row, wide),
        "client": {part: row[f"client_{part}"] for part in ("name", "version", "kind")},
        **{name: row[name] for name in _PLAIN},
        "session_token": row["session_key"],
        "metadata": _json(wide, "metadata"),
        "extra": _json(wide, "extra"),
    }


def _request(row: dict[str, Any], wide: dict[str, Any]) -> dict[str, Any]:
    plain = ("time", "verb", "route", "uri", "host", "ip_address", "country", "api_version")
    return {name: row[name] for name in plain} | _content(row, wide, "request")


def _response(row: dict[str, Any], wide: dict[str, Any]) -> dict[str, Any]:
    status = row["status"]
    return {
        "status": status or None,
        "status_class": f"{status // 100}xx" if status else "none",
    } | _content(row, wide, "response")


def _content(row: dict[str, Any], wide: dict[str, Any], side: str) -> dict[str, Any]:
    return {
        "headers": _json(wide, f"{side}_headers", empty=_NO_HEADERS),
        "body": _json(wide, f"{side}_body"),
        "transfer_encoding": wide.get(f"{side}_encoding") or "json",
        "bytes": row[f"{side}_bytes"],
    }


def _json(wide: dict[str, Any], name: str, empty: msgspec.Raw = _NOTHING) -> msgspec.Raw:
    text = wide.get(name)
    if text is None:
        return _NOTHING
    return msgspec.Raw(text.encode()) if text else empty
