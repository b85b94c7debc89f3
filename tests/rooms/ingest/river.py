"""Put the pieces of ingest together for a test, and count what arrived.

In: a log, a store, a configuration database. Out: a worker, and totals of every table.
"""

from pathlib import Path
from typing import Any

from headwater.base.clock import SystemClock
from headwater.base.settings import IngestSettings, Settings
from headwater.configdb import ConfigDb
from headwater.eventlog import EventLog
from headwater.eventstore import EventStore
from headwater.ingest import IngestWorker, open_knowledge

_TOTALS = {
    "calls": "SELECT count() AS n FROM calls",
    "ids": "SELECT uniqExact(app_id, call_id) AS n FROM calls",
    "bodies": "SELECT count() AS n FROM bodies",
    "call_ids": "SELECT count() AS n FROM call_ids",
    "counters": "SELECT sum(events) AS n FROM counters",
    "activity": "SELECT sum(calls) AS n FROM activity",
    "people_seen": "SELECT sum(calls) AS n FROM people_seen",
    "companies_seen": "SELECT sum(calls) AS n FROM companies_seen",
}


def make_worker(
    log: EventLog, store: EventStore, configdb: ConfigDb, **settings: Any
) -> IngestWorker:
    """Return a worker that does not wait long."""
    clock = SystemClock()
    chosen = IngestSettings(**{"batch_wait_s": 0.05, **settings})
    knowledge = open_knowledge(store, clock, Settings(data=Path()))
    return IngestWorker(log, store, configdb, knowledge, clock, chosen)


async def drain(worker: IngestWorker) -> int:
    """Work until the log is silent; return how many entries were stored."""
    stored = 0
    while held := await worker.step():
        stored += held
    return stored


async def read_totals(store: EventStore) -> dict[str, int]:
    """Return how many calls each table knows of."""
    return {name: int((await store.select(sql))[0]["n"]) for name, sql in _TOTALS.items()}


def each_table_knows(count: int) -> dict[str, int]:
    """Return the totals of `count` calls stored exactly once."""
    return dict.fromkeys(_TOTALS, count)
