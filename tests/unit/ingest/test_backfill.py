"""History that is loaded on purpose is not late."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.ingest.steps import flag_late
from headwater.model import ApiCall

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "flags", "expected"),
    [
        (timedelta(minutes=6), (), ("late",)),
        (timedelta(minutes=4), (), ()),
        (timedelta(days=60), ("backfill",), ("backfill",)),
    ],
    ids=["late", "in time", "history"],
)
def test_only_surprises_are_late(
    age: timedelta, flags: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """A warning that is always there warns of nothing."""
    call = ApiCall(
        app_id="a", call_id="c", time=NOW - age, received_at=NOW, verb="GET", uri="/", flags=flags
    )

    assert expected == flag_late(call, after=timedelta(minutes=5)).flags
