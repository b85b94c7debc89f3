"""Thousands of ids in one parameter arrive as they are, whatever they hold."""

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headwater.eventstore import MANY_IDS, EventStore, many_ids


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
@example(
    ["'", "\\", "\\'", "\t", "\n", "\r", "`", "\x00", '"', "\\N", "日本🙂", "{ids:String}", ""]
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_ids_arrive_as_they_are(store: EventStore, ids: list[str]) -> None:
    """Quotes, backslashes, tabs and everything else that means something to a parser."""
    lines = await store.select_lines(f"SELECT id FROM {MANY_IDS}", {"ids": many_ids(ids)})
    assert [row["id"] for row in msgspec.json.Decoder().decode_lines(lines)] == ids
