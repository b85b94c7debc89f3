"""A question about a few days reads the rows of these days, however long the history is."""

import pytest

from headwater.eventstore import EventStore
from tests.rooms.analytics.conftest import Ask

DAYS = 20
CALLS = 200_000
A_DAY = CALLS // DAYS
EVERY_S = 86_400 / A_DAY
_HISTORY = f"""
INSERT INTO landing (app_id, time, call_id, user_id, verb, route, uri, status, duration_ms,
    received_at, log_offset)
SELECT
    'app_1', toDateTime64('2026-11-01 00:00:00', 6, 'UTC') + number * {EVERY_S} AS at,
    toString(number), concat('user-', toString(number % 50)), 'GET', '/items', '/items', 200, 1,
    at, number
FROM numbers({CALLS})
SETTINGS max_partitions_per_insert_block = 0
"""


@pytest.fixture
async def history(store: EventStore) -> None:
    await store.change(_HISTORY)
    await store.change("OPTIMIZE TABLE calls FINAL")


async def test_one_day_reads_no_other(history: None, ask: Ask) -> None:
    """Of twenty days in one part of the table; the limit leaves room for the blocks at its ends."""
    of_ann = {"field": "user_id", "value": "user-7"}
    answer = await ask("count", from_="2026-11-10", to="2026-11-11", filters=of_ann)
    assert answer["count"] == A_DAY // 50
    assert answer["meta"]["rows_scanned"] < 4 * A_DAY


async def test_a_long_chart_reads_calls_at_its_ends_only(history: None, ask: Ask) -> None:
    """What lies between is counted beforehand."""
    answer = await ask("count", from_="2026-11-02T00:05:00Z", to="2026-11-19T00:05:00Z")
    assert answer["count"] == 17 * A_DAY
    assert answer["meta"]["rows_scanned"] < 8 * A_DAY
