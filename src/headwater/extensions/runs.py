"""Keep the history of runs.

In: a run's beginning and its result. Out: what people see of the last ones. A run that a crash cut
short is closed by the next one.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import extension_runs as runs

RunKind = Literal["sync", "full"]
RunState = Literal["running", "success", "failure"]
_KEPT = timedelta(days=90)
_CUT_SHORT = "interrupted: the process ended before the run did"


class Tally(msgspec.Struct):
    """What a run counts while it goes."""

    users_considered: int = 0
    sent: int = 0
    """Messages put on the wire, each counted once."""
    delivered: int = 0
    too_large: int = 0
    error: str = ""

    @property
    def failed(self) -> int:
        """Messages without success: refused for good, or to be sent again."""
        return self.too_large + self.sent - self.delivered

    def as_row(self) -> dict[str, Any]:
        names = ("users_considered", "sent", "delivered", "failed", "error")
        return {name: getattr(self, name) for name in names}


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    run_id: str
    users_considered: int
    sent: int
    delivered: int
    failed: int
    seconds: float
    error: str = ""
    """Why it stopped early; empty when it did not."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history."""

    id: str
    kind: RunKind
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    users_considered: int
    sent: int
    delivered: int
    failed: int
    error: str


def begin_run(
    connection: sa.Connection, connection_id: str, run_id: str, kind: RunKind, at: datetime
) -> None:
    """Write down that a run began, and close what a crash left open."""
    of = runs.c.connection_id == connection_id
    connection.execute(
        runs.update().where(of, runs.c.state == "running").values(state="failure", error=_CUT_SHORT)
    )
    # A run that found nothing is worth remembering until the next one only.
    empty = sa.and_(runs.c.state == "success", runs.c.users_considered == 0, runs.c.sent == 0)
    connection.execute(runs.delete().where(of, empty | (runs.c.started_at < at - _KEPT)))
    values = {**Tally().as_row(), "id": run_id, "connection_id": connection_id, "kind": kind}
    connection.execute(runs.insert().values(**values, state="running", started_at=at))


def note_run(connection: sa.Connection, run_id: str, tally: Tally) -> None:
    """Write down how far it is."""
    connection.execute(runs.update().where(runs.c.id == run_id).values(tally.as_row()))


def end_run(connection: sa.Connection, run_id: str, tally: Tally, at: datetime) -> None:
    """Write down how it ended."""
    state: RunState = "failure" if tally.error or tally.failed else "success"
    values = {**tally.as_row(), "state": state, "finished_at": at}
    connection.execute(runs.update().where(runs.c.id == run_id).values(values))


def read_runs(
    connection: sa.Connection, connection_id: str, limit: int, cursor: str = ""
) -> list[Run]:
    """Return the newest runs, or those before the one named `cursor`."""
    columns = [runs.c[name] for name in Run.__struct_fields__]
    question = sa.select(*columns).where(runs.c.connection_id == connection_id)
    if cursor:
        question = question.where(runs.c.id < cursor)  # ids sort by the moment of birth
    rows = connection.execute(
        question.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
    )
    return [Run(**row) for row in rows.mappings()]


def last_started_at(connection: sa.Connection, connection_id: str) -> datetime | None:
    """Return when the newest run began."""
    found = read_runs(connection, connection_id, 1)
    return found[0].started_at if found else None
