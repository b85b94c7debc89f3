"""Write what people did and how a profile changed, as lines of a page.

In: whose it is, a kind to look at, a cursor. Out: lines, newest first, each with what it was and a
detail to open; where the page leads. From the queries `user_timeline` and `company_timeline`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Literal

import msgspec

from headwater.web.figures import show_moment, show_ms
from headwater.web.people.asking import ask
from headwater.web.people.links import company_url, user_url
from headwater.web.services import Services
from headwater.workspace import App

Whose = Literal["user", "company"]
_URLS: Mapping[Whose, Callable[..., str]] = {"user": user_url, "company": company_url}

_MOST_NAMES = 6
_FIRST_ERROR = 400


DAYS = 90
_ITEMS = 30
KINDS: Mapping[str, str] = {
    "": "Everything",
    "call": "Calls",
    "action": "Actions",
    "profile": "Profile",
    "link": "Links",
}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the answer."""

    time: datetime
    kind: str
    event: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    said_of: str = ""
    link: dict[str, Any] | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    items: tuple[Item, ...]
    next_cursor: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    moment: str = ""
    kind: str = ""
    by: str = ""
    """Who did it, where that is not said elsewhere."""
    title: str
    note: str = ""
    bad: bool = False
    detail: str = ""
    """JSON to open."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a timeline."""

    lines: list[Line]
    kinds: list[tuple[str, str, bool]]
    """Names of kinds with their addresses, and which is looked at."""
    newest_url: str
    older_url: str
    days: int = DAYS


async def read_timeline(
    services: Services, app: App, whose: Whose, id_: str, kind: str, cursor: str
) -> View:
    """Return one page of what a user, or the people of a company, did."""
    kinds = [kind] if kind else []
    asked = {"from": f"-{DAYS}d", "limit": _ITEMS, "cursor": cursor, "kinds": kinds}
    spec = {f"{whose}_id": id_, **asked}
    found = await ask(services, app, f"{whose}_timeline", spec, Timeline)
    here, following = partial(_URLS[whose], app, id_), found.next_cursor
    of_kind = {"kind": kind} if kind else {}
    return View(
        lines=[_to_line(item, app, whose) for item in found.items],
        kinds=[(name, here(kind=key), key == kind) for key, name in KINDS.items()],
        newest_url=here(**of_kind) if cursor else "",
        older_url=here(**of_kind, cursor=following) if following else "",
    )


def _to_line(item: Item, app: App, whose: Whose) -> Line:
    line = _company(item) if whose == "company" and item.link else _WRITERS[item.kind](item)
    did = item.event or item.action or item.link or {}
    return msgspec.structs.replace(
        line,
        moment=show_moment(item.time, app.timezone),
        kind=item.kind,
        by=did.get("user_id", "") if whose == "company" else "",
    )


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
    detail = {"now": fields, "before": item.before, "said_of": item.said_of}
    return Line(title=f"{', '.join(names[:_MOST_NAMES])}{rest}", detail=_show(detail))


def _link(item: Item) -> Line:
    link = item.link or {}
    if link["kind"] == "company":
        return Line(title=f"Belongs to {link['key'] or 'no company'} from now on")
    what = "Browser" if link["kind"] == "anonymous" else "Session token"
    words = {"": "is this user's", "joined": "ruled to be this user's", "apart": "ruled to be not"}
    detail = {name: link[name] for name in ("key", "said_by", "reason")}
    title = f"{what} {words[link['verdict']]}"
    return Line(title=title, bad=link["verdict"] == "apart", detail=_show(detail))


def _company(_: Item) -> Line:
    return Line(title="First seen with this company:")


_WRITERS: Mapping[str, Callable[[Item], Line]] = {
    "call": _call,
    "action": _action,
    "profile": _profile,
    "link": _link,
}


def _show(detail: Mapping[str, Any]) -> str:
    given = {name: value for name, value in detail.items() if value not in (None, "", {}, [])}
    return msgspec.json.format(msgspec.json.encode(given), indent=2).decode() if given else ""
