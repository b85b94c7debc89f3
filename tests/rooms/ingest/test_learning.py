"""A new start learns which calls are stored, however many they are."""

from itertools import pairwise

import pytest

from headwater.base.clock import SystemClock
from headwater.eventstore import EventStore
from headwater.ingest import repeats
from headwater.ingest.repeats import END_OF_LOG, Repeats
from headwater.model import ApiCall
from tests.support.calls import call_lines, in_hand, make_call


def _calls(app_id: str, numbers: range) -> list[ApiCall]:
    return [make_call(f"call_{number}", app_id=app_id) for number in numbers]


@pytest.mark.parametrize("page", [1, 7, 10, 20, 1_000])
async def test_every_stored_call_is_known(
    store: EventStore, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Page after page, over apps and parts; what is new stays new."""
    monkeypatch.setattr(repeats, "_IDS_PER_PAGE", page)
    stored = [*_calls("app_1", range(10)), *_calls("app_2", range(5, 15))]
    for number, (first, second) in enumerate(pairwise(range(0, 21, 5))):
        lines = call_lines(stored[first:second])
        await store.insert_lines("landing", lines, token=f"calls:{number}-{number}")
    fresh = [*_calls("app_1", range(10, 15)), *_calls("app_2", range(5))]
    again = in_hand(*stored, *fresh, offset=9)
    new = await Repeats(store, SystemClock(), dedup_days=30).drop(again, before=END_OF_LOG)
    assert [(call.head.app_id, call.head.call_id) for call in new] == [
        (call.app_id, call.call_id) for call in fresh
    ]
