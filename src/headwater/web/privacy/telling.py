"""Tell what a regulation asks and where it stands, in words for people.

In: regulations. Out: titles, tones and lines. Pure. Moments are in UTC.
"""

from collections.abc import Mapping

import msgspec

from headwater.privacy import Regulation, Target
from headwater.web.figures import show_moment

TITLES: Mapping[str, str] = {
    "suppress_with_delete": "Delete and suppress",
    "delete_only": "Delete",
    "suppress": "Suppress",
    "unsuppress": "Unsuppress",
}
_STATES: Mapping[str, tuple[str, str]] = {
    "initialized": ("waiting", ""),
    "running": ("running", "accent"),
    "finished": ("finished", "good"),
    "partly_failed": ("partly failed", "warn"),
    "waiting": ("waiting", ""),
    "done": ("done", "good"),
    "not_supported": ("not supported", "warn"),
    "failed": ("failed", "bad"),
}
_KINDS: Mapping[str, str] = {
    "messages": "What Headwater holds",
    "warehouse": "Warehouse",
    "destination": "Destination",
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One regulation."""

    id: str
    title: str
    users: str
    state: str
    tone: str
    asked: str
    is_over: bool


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it at one target."""

    name: str
    kind: str
    url: str
    state: str
    tone: str
    word: str


def tell_line(one: Regulation) -> Line:
    """Return a regulation in words."""
    state, tone = _STATES[one.state]
    return Line(
        id=one.id,
        title=TITLES[one.kind],
        users="1 user" if one.users == 1 else f"{one.users:,} users",
        state=state,
        tone=tone,
        asked=show_moment(one.created_at, "UTC"),
        is_over=one.finished_at is not None,
    )


def tell_place(target: Target) -> Place:
    """Return a target in words; what waits says since when and why."""
    state, tone = _STATES[target.state]
    again = target.attempts and target.next_attempt_at
    later = f" Tried again at {show_moment(again, 'UTC')} UTC." if again else ""
    return Place(
        name=target.name,
        kind=_KINDS[target.kind],
        url=f"/{target.kind}s/{target.target_id}" if target.target_id else "",
        state=state,
        tone=tone,
        word=f"{target.word}{later}".strip(),
    )
