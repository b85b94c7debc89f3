"""The catalogue of fields that questions may name, and what each is in SQL.

In: a field name such as `response.status` or `request.body.order.id`. Out: an expression, its
type, and which tables it needs. Names come from here only; the free parts of a path are bound
values.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from headwater.analytics.bound import Bound
from headwater.analytics.member import is_place, member
from headwater.analytics.told import Past, ProfileKind, Said
from headwater.base.errors import InvalidInputError

Kind = Literal["text", "number"]
Table = Literal["bodies", "user", "company"]
Need = Table | Said
"""What has to lie beside a call: a table, or what was said until then."""
_SEGMENT = re.compile(r"[^\x00-\x1f.\[\]\"'`]{1,200}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_MOST_SEGMENTS = 20
_MOST_PLACES = 3  # each makes the expression three times as long
_STATUS_CLASS = "if(c.status = 0, 'none', concat(toString(intDiv(c.status, 100)), 'xx'))"


class Field(msgspec.Struct, frozen=True):
    """One field in SQL."""

    sql: str
    kind: Kind
    exists: str
    """The condition that a value is there."""
    needs: frozenset[Need] = frozenset()
    number_sql: str = ""
    """For text that may hold a number: the number, or null."""


def _text(column: str) -> Field:
    return Field(f"c.{column}", "text", f"c.{column} != ''")


def _number(column: str, exists: str = "true") -> Field:
    return Field(f"c.{column}", "number", exists)


_COLUMNS: Mapping[str, Field] = {
    "request.verb": _text("verb"),
    "request.route": _text("route"),
    "request.uri": _text("uri"),
    "request.host": _text("host"),
    "request.ip_address": _text("ip_address"),
    "request.country": _text("country"),
    "request.api_version": _text("api_version"),
    "request.bytes": _number("request_bytes"),
    "response.status": _number("status", "c.status != 0"),
    "response.status_class": Field(_STATUS_CLASS, "text", "c.status != 0"),
    "response.bytes": _number("response_bytes"),
    "duration_ms": _number("duration_ms"),
    "weight": _number("weight"),
    "transaction_id": _text("call_id"),
    "trace_id": _text("trace_id"),
    "user_id": _text("user_id"),
    "company_id": _text("company_id"),
    "anonymous_id": _text("anonymous_id"),
    "session_token": _text("session_key"),
    "client.name": _text("client_name"),
    "client.version": _text("client_version"),
    "client.kind": _text("client_kind"),
    "sdk": _text("sdk"),
    "direction": _text("direction"),
    "blocked_by": _text("blocked_by"),
    "action_name": _text("action_name"),
}
_DOCUMENTS: Mapping[str, tuple[str, Table]] = {
    "request.body.": ("b.request_body", "bodies"),
    "response.body.": ("b.response_body", "bodies"),
    "metadata.": ("b.metadata", "bodies"),
    "user.": ("u.doc", "user"),
    "company.": ("o.doc", "company"),
}
_HEADERS = {
    "request.headers.": "b.request_headers",
    "response.headers.": "b.response_headers",
}


class Fields:
    """The fields that one question may name."""

    def __init__(self, bound: Bound, past: Past | None = None) -> None:
        """`past`: users and companies as they were at the time of each call; else as they are."""
        self.bound = bound
        self._past = past

    def find(self, name: str, path: str) -> Field:
        """Return the field of that name; raise `InvalidInputError` at `path` if there is none."""
        if name in _COLUMNS:
            return _COLUMNS[name]
        for prefix, column in _HEADERS.items():
            if name.startswith(prefix):
                return _header(column, name.removeprefix(prefix), self.bound, path)
        for prefix, (column, table) in _DOCUMENTS.items():
            if name.startswith(prefix):
                segments = _segments(name.removeprefix(prefix), path)
                if table == "bodies":
                    raw = member(column, segments, self.bound)
                    return _of_json(raw, frozenset({table}))
                return self._of_profile(table, column, segments)
        known = ", ".join([*_COLUMNS, *(f"{prefix}…" for prefix in [*_HEADERS, *_DOCUMENTS])])
        raise InvalidInputError(
            f"There is no field {name!r}.", field=path, hint=f"Fields: {known}."
        )

    def _of_profile(self, kind: ProfileKind, column: str, segments: Sequence[str]) -> Field:
        """A profile's own facts come first, what the team said of it (metadata) second."""
        if self._past:
            own = self._past.said(kind, segments)
            below = self._past.said(kind, ["metadata", *segments])
            return _of_json(_first_of(own.value, below.value), frozenset({own, below}))
        own_sql = member(column, segments, self.bound)
        below_sql = member(f"JSONExtractRaw({column}, 'metadata')", segments, self.bound)
        return _of_json(_first_of(own_sql, below_sql), frozenset({kind}))


def _header(column: str, name: str, bound: Bound, path: str) -> Field:
    if not _HEADER.fullmatch(name):
        raise InvalidInputError(f"{name!r} is not a header name.", field=path)
    key = bound.put(name.lower(), "String")
    sql = f"JSONExtractString({column}, {key})"
    return Field(
        sql,
        "text",
        f"JSONHas({column}, {key})",
        frozenset({"bodies"}),
        f"toFloat64OrNull({sql})",
    )


def _segments(inner: str, path: str) -> list[str]:
    segments = inner.split(".")
    if len(segments) > _MOST_SEGMENTS or not all(_SEGMENT.fullmatch(one) for one in segments):
        raise InvalidInputError(
            f"{inner!r} is not a path.",
            field=path,
            hint="Names with dots between, such as a.b.0.c.",
        )
    if sum(map(is_place, segments)) > _MOST_PLACES:
        raise InvalidInputError(f"A path has at most {_MOST_PLACES} numbers.", field=path)
    return segments


def _first_of(one: str, other: str) -> str:
    return f"if({one} != '', {one}, {other})"


def _of_json(raw: str, needs: frozenset[Need]) -> Field:
    """Return the field of an expression that is JSON text, or empty."""
    plain = f"if(startsWith({raw}, '\"'), JSONExtractString({raw}), {raw})"
    return Field(plain, "text", f"{raw} NOT IN ('', 'null')", needs, f"toFloat64OrNull({plain})")
