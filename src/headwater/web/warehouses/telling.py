"""Tell how a warehouse is doing, in one sentence, and what its syncs did.

In: how it stands, and its syncs. Out: words for people. Pure. Moments are in UTC.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from headwater.warehouse import Standing, Sync, Warehouse, find_type, show_settings
from headwater.web.figures import show_count, show_moment

_ZONE = "UTC"
_ALARM = 5
_TONES: dict[str, str] = {
    "success": "good", "partial": "warn", "failure": "bad", "running": "accent",
}  # fmt: skip


Tone = Literal["good", "bad", "warn", ""]


class Health(msgspec.Struct, frozen=True):
    """How it is."""

    word: str
    tone: Tone
    sentence: str


class SyncLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history."""

    moment: str
    state: str
    tone: str
    rows: str
    took: str
    split: str
    """How much of it was reading, how much loading."""
    tables: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]


def find_title(type_: str) -> str:
    """Return a type's display name."""
    return find_type(type_).title


def tell_settings(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Return the settings by their titles, secrets masked."""
    shown = show_settings(warehouse.settings)
    return [(field.title, shown[field.name]) for field in find_type(warehouse.type).fields]


def tell_health(standing: Standing) -> Health:
    """Return the state of a warehouse in words, and whether it holds back the log."""
    word, tone = _WORDS[standing.state]
    sentence = _SENTENCES[standing.state](standing)
    if standing.waiting.holds_log and standing.waiting.since:
        since = show_moment(standing.waiting.since, _ZONE)
        sentence += f" The log is kept for it since {since} {_ZONE}; that has an end."
    return Health(word, tone, sentence)


def _tell_failing(standing: Standing) -> str:
    many = "; somebody should look" if standing.failures >= _ALARM else ""
    times = "once" if standing.failures == 1 else f"{standing.failures} times in a row"
    return f"The last sync failed, {times}{many}. It is tried again. {standing.error}".strip()


def _tell_healthy(standing: Standing) -> str:
    at = show_moment(standing.last_sync_at, _ZONE) if standing.last_sync_at else "no day"
    return f"The last sync was on {at} {_ZONE}."


_WORDS: Mapping[str, tuple[str, Tone]] = {
    "paused": ("Paused", "warn"), "failing": ("Failing", "bad"), "parked": ("Look at it", "warn"),
    "behind": ("Behind", "warn"), "new": ("New", ""), "healthy": ("Healthy", "good"),
}  # fmt: skip
_SENTENCES: Mapping[str, Callable[[Standing], str]] = {
    "paused": lambda _: "Paused: nothing is loaded until it is resumed.",
    "failing": _tell_failing,
    "parked": lambda its: f"Parked until they can be loaded again: {', '.join(its.parked)}.",
    "behind": lambda _: "It has not loaded what came in long ago.",
    "new": lambda _: "Nothing was loaded yet: the first sync begins with a message.",
    "healthy": _tell_healthy,
}


def tell_sync(sync: Sync) -> SyncLine:
    """Return one line of the history."""
    took = (sync.finished_at - sync.started_at).total_seconds() if sync.finished_at else None
    return SyncLine(
        moment=show_moment(sync.started_at, _ZONE),
        state=sync.state,
        tone=_TONES[sync.state],
        rows=show_count(sum(sync.rows.values())),
        took="" if took is None else f"{took:.1f} s",
        split=f"{sync.prepare_s:.1f} s reading, {sync.load_s:.1f} s loading",
        tables=tuple((name, show_count(rows)) for name, rows in sync.rows.items()),
        notices=tuple(map(_tell_notice, sync.notices)),
    )


def _tell_notice(notice: dict[str, object]) -> str:
    place = ".".join(str(notice[name]) for name in ("table", "column") if notice.get(name))
    if message := notice.get("message"):
        return f"{place}: {message}" if place else str(message)
    return f"{notice['count']} × {notice['code']} {place}".strip()  # noqa: RUF001 - times
