"""Report: how many calls there were.

In: filters and a range. Out: the weighted number, and the number of rows.
"""

import msgspec

from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import CountSpec


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """`count` is weighted; `events` counts what was reported."""

    count: int
    events: int
    meta: Meta


async def count_calls(asking: Asking, question: Question, spec: CountSpec) -> Count:
    """Answer a `count`."""
    del spec  # a count asks nothing beyond the filters and the range
    counted = question.counted()
    sql = (
        f"SELECT sum(c.calls) AS calls, sum(c.events) AS events FROM {counted}"
        if counted
        else "SELECT sum(toUInt64(c.weight)) AS calls, count() AS events"
        f" FROM {question.calls()} WHERE {question.where}"
    )
    (row,) = await asking.ask(sql, question)
    return Count(count=row["calls"], events=row["events"], meta=await asking.meta(question))
