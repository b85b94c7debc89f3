"""Say how complete an answer is, and how it was made.

In: a question and the queries that answered it. Out: the `meta` of the answer. A number that is
silently incomplete is worse than none: late, dropped and sampled data is counted here.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.question import Question
from headwater.eventstore import EventStore


class Sql(msgspec.Struct, frozen=True):
    """One query, its values apart."""

    query: str
    values: Mapping[str, Any]
    """Plain values of JSON; `Value` spells them in a way that no schema can."""


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer was made."""

    rows_scanned: int
    elapsed_ms: float
    sampled: bool
    """Some calls in the range stand for several."""
    late_events: int
    """Events in the range that were reported more than some minutes late; rows, not weighted."""
    dropped_events: int
    """Items received in the range that could not be understood."""
    complete_until: datetime | None
    """Whatever was received until then is in the answer."""
    sql: list[Sql]


class Asking:
    """The queries of one answer, counted and timed."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._began_s = time.perf_counter()
        self._rows_scanned = 0
        self._sql: list[Sql] = []

    async def ask(self, sql: str, question: Question) -> list[dict[str, Any]]:
        """Run one query of the answer."""
        values = dict(question.bound.values)
        answer = await self.store.select_counted(sql, values)
        self._rows_scanned += answer.rows_scanned
        self._sql.append(Sql(sql, values))
        return answer.rows

    async def meta(self, question: Question) -> Meta:
        """Return the meta of the answer; asks how complete the range is."""
        asked = list(self._sql)
        (facts,) = await self.ask(_completeness(question), question)
        return Meta(
            rows_scanned=self._rows_scanned,
            elapsed_ms=round((time.perf_counter() - self._began_s) * 1000, 1),
            sampled=bool(facts["sampled"]),
            late_events=facts["late"],
            dropped_events=facts["dropped"],
            complete_until=facts["complete_until"] if facts["known"] else None,
            sql=asked,
        )


def _completeness(question: Question) -> str:
    """Ask the counters: of the quarters of an hour that the range touches."""
    q = question
    return (
        "SELECT sum(k.calls) > sum(k.events) AS sampled, sum(k.late) AS late,"
        f" (SELECT count() FROM rejects AS r WHERE r.app_id = {q.app}"
        f" AND r.received_at >= {q.start} AND r.received_at < {q.end}) AS dropped,"
        f" (SELECT max(a.received_at) FROM counters AS a WHERE a.app_id = {q.app})"
        " AS complete_until,"
        f" (SELECT count() FROM counters AS a WHERE a.app_id = {q.app}) > 0 AS known"
        f" FROM counters AS k WHERE k.app_id = {q.app}"
        f" AND k.slot >= toStartOfFifteenMinutes({q.start}) AND k.slot < {q.end}"
    )
