"""When the invented API is used: weekdays, hours, and three incidents.

In: times. Out: how busy it is, and what an incident does to a call. Pure.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

# Monday first. Programs work on weekends too, but less.
WEEKDAY = (1.0, 1.06, 1.08, 1.04, 0.96, 0.46, 0.38)
# Local hours of a working day, with a night of cron jobs.
HOUR = (2, 2, 3, 2, 2, 2, 3, 5, 8, 11, 12, 12, 9, 11, 12, 11, 10, 8, 6, 5, 4, 4, 3, 2)


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something went wrong for some hours."""

    begins: datetime
    lasts: timedelta
    path: str
    """Beginning of the paths that suffer."""
    status: int
    """0: calls are slow but succeed."""
    probability: float
    slower: float = 1.0

    def hits(self, at: datetime, path: str) -> bool:
        return self.begins <= at < self.begins + self.lasts and path.startswith(self.path)


def incidents_before(end: datetime) -> Sequence[Incident]:
    """Return the incidents of a history that ends at `end`."""
    noon = end.replace(hour=12, minute=0, second=0, microsecond=0)

    def back(days: int, hour: int) -> datetime:
        return noon - timedelta(days=days, hours=12 - hour)

    return (
        Incident(
            begins=back(71, 9),
            lasts=timedelta(hours=3),
            path="/v1/charges",
            status=500,
            probability=0.4,
        ),
        Incident(
            begins=back(33, 13),
            lasts=timedelta(hours=5),
            path="/v1/payouts",
            status=0,
            probability=1,
            slower=6,
        ),
        Incident(
            begins=back(9, 15), lasts=timedelta(hours=1), path="/v1", status=503, probability=0.7
        ),
    )
