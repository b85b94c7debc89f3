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
from headwater.warehouse.latest import LATEST, latest_sql
from tests.rooms.warehouse.support import File, a_message, an_identify

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
        sql = latest_sql(LATEST[0], "s", ["id", "user_id", "received_at", *TRAITS])
        rows = connection.sql(sql, params=[DAY]).to_arrow_table().to_pylist()
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


def test_a_late_message_overwrites_nothing_newer(tmp_path: Path) -> None:
    """An older message that arrives later only fills what is still unknown."""
    file = File(tmp_path)
    file.load(an_identify("new", "ann", DAY, plan="pro"))
    late = an_identify("old", "ann", DAY - timedelta(days=1), plan="free", city="Bonn")
    file.load(late, loaded_at=DAY + timedelta(hours=5))
    (user,) = file.table("users")
    assert (user["plan"], user["city"], user["received_at"]) == ("pro", "Bonn", DAY)


def test_visitors_without_a_name_are_in_no_users_table(tmp_path: Path) -> None:
    """Rows with an anonymous id alone are in `identifies` only."""
    file = File(tmp_path)
    visit = {"type": "identify", "messageId": "1", "anonymousId": "a", "traits": {"plan": "x"}}
    file.load(a_message(visit, received_at=DAY))
    assert "headwater_api_analytics.users" not in file.tables()
    file.load(an_identify("2", "ann", DAY, city="Bonn"))
    (user,) = file.table("users")
    assert (user["id"], "plan" in user, "anonymous_id" in user) == ("ann", False, False)


def _minute(number: int) -> datetime:
    return DAY + timedelta(minutes=number)


def _to_message(number: int, call: Call) -> Message:
    user, at, arrived, plan, city = call
    traits = {"plan": plan, "city": city}
    body = {"type": "identify", "messageId": f"{number:03}", "userId": user, "traits": traits}
    return a_message(body, received_at=_minute(arrived), timestamp=_minute(at))
