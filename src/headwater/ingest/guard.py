"""Keep the number of distinct routes and client names of an app within bounds.

In: calls with their routes. Out: the same calls, with `/other` (or `other`) in place of what came
after the limit. What was admitted once stays admitted; the store is asked for it at start-up, so a
restart changes nothing.
"""

from collections import defaultdict

from headwater.eventstore import EventStore
from headwater.ingest.heads import Call

OTHER_ROUTE = "/other"
OTHER_CLIENT = "other"


class CardinalityGuard:
    """Admits the first `limit` values of each app."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._known: defaultdict[str, set[str]] = defaultdict(set)

    def admit(self, app_id: str, value: str) -> bool:
        """Tell whether `value` may stay."""
        known = self._known[app_id]
        if value in known:
            return True
        if len(known) >= self.limit:
            return False
        known.add(value)
        return True


class Guards:
    """The guards of one worker."""

    def __init__(self, *, max_routes: int, max_clients: int) -> None:
        self.routes = CardinalityGuard(max_routes)
        self.clients = CardinalityGuard(max_clients)

    def limit_variety(self, call: Call) -> None:
        """Leave a call its route and client name only where there is room for them."""
        app_id, added = call.head.app_id, call.added
        if not self.routes.admit(app_id, call.head.route or added.route):
            call.put("route", OTHER_ROUTE)
        if not self.clients.admit(app_id, added.client_name):
            added.client_name, added.client_version = OTHER_CLIENT, ""

    async def learn(self, store: EventStore) -> None:
        """Admit what the store already holds."""
        for guard, column in ((self.routes, "route"), (self.clients, "client_name")):
            sql = (
                f"SELECT app_id, {column} AS value FROM counters"
                f" GROUP BY app_id, {column} LIMIT {{limit:UInt64}} BY app_id"
            )
            for row in await store.select(sql, {"limit": guard.limit}):
                guard.admit(row["app_id"], row["value"])
