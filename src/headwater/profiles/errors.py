"""Count the calls and errors of users within spans of time.

In: users and spans whose bounds lie on quarters of an hour. Out: two numbers for each, weighted for
sampling. One question for all of them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from headwater.eventstore import MANY_IDS, EventStore, many_ids

_WITHIN = (
    "slot >= toDateTime({{start_{n}:Int64}}, 'UTC') AND slot < toDateTime({{end_{n}:Int64}}, 'UTC')"
)
_ERRORS = """
SELECT
    user_id,
    {sums}
FROM activity
WHERE app_id = {{app_id:String}} AND user_id IN {many_ids} AND ({within})
GROUP BY user_id
"""


class CallsAndErrors(NamedTuple):
    """What one user did within one span."""

    calls: int
    errors: int
    """Answered with 4xx or 5xx."""

    @property
    def rate(self) -> float:
        """The errors among the calls; zero without calls."""
        return self.errors / self.calls if self.calls else 0.0


async def read_errors(
    store: EventStore,
    app_id: str,
    ids: Sequence[str],
    spans: Sequence[tuple[datetime, datetime]],
) -> dict[str, list[CallsAndErrors]]:
    """Return the counts of those who called within a span, in the order of the spans."""
    within = [_WITHIN.format(n=n) for n in range(len(spans))]
    sums = ",\n    ".join(
        f"sumIf(calls, {one}) AS calls_{n},"
        f" sumIf(client_errors + server_errors, {one}) AS errors_{n}"
        for n, one in enumerate(within)
    )
    asked: dict[str, Any] = {"app_id": app_id, "ids": many_ids(ids)}
    for n, (start, end) in enumerate(spans):
        asked |= {f"start_{n}": int(start.timestamp()), f"end_{n}": int(end.timestamp())}
    sql = _ERRORS.format(sums=sums, within=" OR ".join(within), many_ids=MANY_IDS)
    return {
        row["user_id"]: [
            CallsAndErrors(int(row[f"calls_{n}"]), int(row[f"errors_{n}"]))
            for n in range(len(spans))
        ]
        for row in await store.select(sql, asked)
    }
