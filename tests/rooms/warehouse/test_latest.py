"""The newest value that is not null stands, whatever the order in which messages are loaded."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.model import Message
from headwater.warehouse.engines.duck import newest
from headwater.warehouse.latest import LATEST
from tests.rooms.warehouse.support import File, a_message

DAY = datetime(2026, 11, 23, tzinfo=UTC)
TRAITS = ("plan", "city")

Call = tuple[str, int, int, str | None, str | None]
"""User, minute of the timestamp, minute of the arrival, plan, city."""

_CALLS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.none() | st.sampled_from(["a", "b"]),
        st.none() | st.sampled_from(["x", "y"]),
    ),
    min_size=1,
    max_size=10,
)


def _expected(calls: Sequence[Call]) -> dict[str, dict[str, str | None]]:
    """Fold the calls the plain way: oldest first, null changes nothing."""
    users: dict[str, dict[str, str | None]] = {}
    numbered = sorted(enumerate(calls), key=lambda pair: (pair[1][1], pair[1][2], pair[0]))
    for _, (user, _, _, *values) in numbered:
        state = users.setdefault(user, dict.fromkeys(TRAITS))
        state.update({k: v for k, v in zip(TRAITS, values, strict=True) if v is not None})
    return users


@settings(deadline=None)
@given(_CALLS)
def test_the_query_is_the_plain_fold(calls: list[Call]) -> None:
    """Per column the newest by timestamp, then arrival, then id; null never erases."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA s")
        connection.execute(
            "CREATE TABLE s.identifies (id VARCHAR, user_id VARCHAR, received_at TIMESTAMPTZ, "
            '"timestamp" TIMESTAMPTZ, uuid_ts TIMESTAMPTZ, plan VARCHAR, city VARCHAR)'
        )
        connection.executemany(
            "INSERT INTO s.identifies VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (f"{n:03}", user, _minute(arrived), _minute(at), DAY, plan, city)
                for n, (user, at, arrived, plan, city) in enumerate(calls)
            ],
        )
        touched = "SELECT user_id FROM s.identifies"
        sql = newest("s.identifies", LATEST[0], ["received_at", *TRAITS], touched)
        rows = connection.sql(sql).to_arrow_table().to_pylist()
    found = {row["id"]: {name: row[name] for name in TRAITS} for row in rows}
    assert found == _expected(calls)


@settings(max_examples=5, deadline=None)
@given(_CALLS, st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_and_batches_do_not_matter(calls: list[Call], random: Any, batches: int) -> None:
    """Loaded at once or in pieces, sorted or shuffled, `users` ends the same."""
    messages = [_to_message(n, call) for n, call in enumerate(calls)]
    shuffled = list(messages)
    random.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        file = File(Path(folder))
        for n, start in enumerate(range(0, len(shuffled), -(-len(shuffled) // batches))):
            part = shuffled[start : start + -(-len(shuffled) // batches)]
            file.load(*part, loaded_at=DAY + timedelta(hours=n))
        rows = file.table("users")
    found = {row["id"]: {name: row.get(name) for name in TRAITS} for row in rows}
    assert found == _expected(calls)


def _minute(number: int) -> datetime:
    return DAY + timedelta(minutes=number)


def _to_message(number: int, call: Call) -> Message:
    user, at, arrived, plan, city = call
    traits = {"plan": plan, "city": city}
    body = {"type": "identify", "messageId": f"{number:03}", "userId": user, "traits": traits}
    return a_message(body, received_at=_minute(arrived), timestamp=_minute(at))
