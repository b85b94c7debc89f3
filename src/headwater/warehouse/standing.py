"""Say how a warehouse stands: one word, what waits for it, and whether it holds back the log.

In: what is known of it. Out: a `Standing`, for the status, the health page and its own page. Pure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from headwater.warehouse.rereads import Reread
from headwater.warehouse.store import RUNNING, Sync, Warehouse

Word = Literal["healthy", "new", "paused", "failing", "parked", "behind"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What of the log a warehouse has not loaded."""

    entries: int = 0
    since: datetime | None = None
    """When the oldest of them came in; None: nothing waits."""
    holds_log: bool = False
    """True: the log is kept for longer than usual, since this warehouse still needs it."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one warehouse stands."""

    id: str
    name: str
    state: Word
    """`failing`: its last sync failed; `parked`: single tables cannot be loaded; `behind`: it holds
    back the log."""
    failures: int
    """Syncs that failed, one after the other."""
    error: str
    """Why the last sync failed, or a table is parked."""
    waiting: Waiting
    parked: list[str]
    last_sync_at: datetime | None

    @property
    def needs_somebody(self) -> bool:
        """Tell whether it will not go on by itself."""
        return self.state not in {"healthy", "new"} or self.waiting.holds_log


def standing_of(
    warehouse: Warehouse, syncs: Sequence[Sync], rereads: Sequence[Reread], waiting: Waiting
) -> Standing:
    """Return how a warehouse stands: what stops it first, then what it lacks."""
    parked = [one for one in rereads if not one.is_backfill]
    return Standing(
        id=warehouse.id,
        name=warehouse.name,
        state=_word(warehouse, syncs, bool(parked), waiting),
        failures=warehouse.failures,
        error=_error(warehouse, syncs, parked),
        waiting=waiting,
        parked=[one.table_name for one in parked],
        last_sync_at=syncs[0].started_at if syncs else None,
    )


def _word(warehouse: Warehouse, syncs: Sequence[Sync], parked: bool, waiting: Waiting) -> Word:
    words: tuple[tuple[bool, Word], ...] = (
        (not warehouse.enabled, "paused"),
        (warehouse.failures > 0, "failing"),
        (parked, "parked"),
        (waiting.holds_log, "behind"),
        (not syncs, "new"),
    )
    return next((word for holds, word in words if holds), "healthy")


def _error(warehouse: Warehouse, syncs: Sequence[Sync], parked: Sequence[Reread]) -> str:
    ended = next((sync for sync in syncs if sync.state != RUNNING), None)
    if warehouse.failures and ended and ended.notices:
        return str(ended.notices[-1].get("message", ""))
    return parked[0].error if parked else ""
