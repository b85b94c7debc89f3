"""Write what a user did and how the profile changed, as lines of a page.

In: items of the query `user_timeline`. Out: lines, newest first, each with what it was and a detail
to open. Pure.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from headwater.web.figures import show_moment, show_ms
from headwater.workspace import App

_MOST_NAMES = 6
_FIRST_ERROR = 400


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the answer to `user_timeline`."""

    time: datetime
    kind: str
    event: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None
    before: dict[str, Any] | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `user_timeline`."""

    items: tuple[Item, ...]
    next_cursor: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    moment: str = ""
    kind: str = ""
    title: str
    note: str = ""
    bad: bool = False
    detail: str = ""
    """JSON to open."""


def to_line(item: Item, app: App) -> Line:
    """Return one item as a line."""
    line = _WRITERS[item.kind](item)
    moment = show_moment(item.time, app.timezone)
    return msgspec.structs.replace(line, moment=moment, kind=item.kind)


def _call(item: Item) -> Line:
    call = item.event or {}
    request, status, took = call["request"], call["response"]["status"], call["duration_ms"]
    client = call["client"]
    words = ["no response" if status is None else str(status)]
    if took:
        words.append(show_ms(took))
    return Line(
        title=f"{request['verb']} {request['route']}",
        note=" · ".join(words),
        bad=status is None or status >= _FIRST_ERROR,
        detail=_show(
            {
                **{name: request[name] for name in ("uri", "ip_address", "country")},
                "client": f"{client['name']} {client['version']}".strip(),
                "company_id": call["company_id"],
                "blocked_by": call["blocked_by"],
            }
        ),
    )


def _action(item: Item) -> Line:
    action = item.action or {}
    detail = {"uri": action["request"]["uri"], "metadata": action["metadata"]}
    return Line(title=action["action_name"], detail=_show(detail))


def _profile(item: Item) -> Line:
    fields = item.fields or {}
    names = list(fields)
    more = len(names) - _MOST_NAMES
    rest = f" and {more} more" if more > 0 else ""
    detail = {"now": fields, "before": item.before}
    return Line(title=f"{', '.join(names[:_MOST_NAMES])}{rest}", detail=_show(detail))


_WRITERS: Mapping[str, Callable[[Item], Line]] = {
    "call": _call,
    "action": _action,
    "profile": _profile,
}


def _show(detail: Mapping[str, Any]) -> str:
    given = {name: value for name, value in detail.items() if value not in (None, "", {}, [])}
    return msgspec.json.format(msgspec.json.encode(given), indent=2).decode() if given else ""
