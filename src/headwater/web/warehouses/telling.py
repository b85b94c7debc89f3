"""Tell how a warehouse is doing, in one sentence, and what its syncs did.

In: a warehouse, its history, its rereads. Out: words for people. Pure. Moments are in UTC.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from headwater.warehouse import Reread, Sync, Warehouse, find_type
from headwater.web.figures import show_count, show_moment

_ZONE = "UTC"
_ALARM = 5
_TONES: dict[str, str] = {
    "success": "good", "partial": "warn", "failure": "bad", "running": "accent",
}  # fmt: skip


class Health(msgspec.Struct, frozen=True):
    """How it is."""

    word: str
    tone: Literal["good", "bad", "warn", ""]
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


def tell_health(warehouse: Warehouse, syncs: Sequence[Sync], rereads: Sequence[Reread]) -> Health:
    """Return the state of a warehouse: what stops it first, then what it lacks."""
    if not warehouse.enabled:
        return Health("Paused", "warn", "Paused: nothing is loaded until it is resumed.")
    if warehouse.failures:
        many = "; somebody should look" if warehouse.failures >= _ALARM else ""
        times = "once" if warehouse.failures == 1 else f"{warehouse.failures} times in a row"
        return Health("Failing", "bad", f"The last sync failed, {times}{many}. It is tried again.")
    if parked := [one.table_name for one in rereads if one.table_name]:
        names = ", ".join(parked)
        return Health("Look at it", "warn", f"Parked until they can be loaded again: {names}.")
    if not syncs:
        return Health("New", "", "Nothing was loaded yet: the first sync begins with a message.")
    at = show_moment(syncs[0].started_at, _ZONE)
    return Health("Healthy", "good", f"The last sync was on {at} UTC.")


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
