"""The analytic store: chDB in this process, or a ClickHouse server, behind one door.

In: Arrow tables with a token, SQL with bound parameters. Out: rows. Tables live in `sql/`. An
insert is idempotent by its token, derived tables included.
"""

from headwater.eventstore.many_ids import MANY_IDS, many_ids
from headwater.eventstore.store import EventStore, as_time

__all__ = ["MANY_IDS", "EventStore", "as_time", "many_ids"]
