"""Keep the number of distinct routes and client names of an app within bounds.

In: calls with their routes. Out: the same calls, with `/other` (or `other`) in place of what came
after the limit. What was admitted once stays admitted; the store is asked for it at start-up, so a
restart changes nothing.
"""

from collections import defaultdict

import msgspec

from headwater.eventstore import EventStore
from headwater.model import ApiCall

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

    def limit_variety(self, call: ApiCall) -> ApiCall:
        """Return the call with a route and a client name that there is room for."""
        if not self.routes.admit(call.app_id, call.route):
            call = msgspec.structs.replace(call, route=OTHER_ROUTE)
        if not self.clients.admit(call.app_id, call.client_name):
            call = msgspec.structs.replace(call, client_name=OTHER_CLIENT, client_version="")
        return call

    async def learn(self, store: EventStore) -> None:
        """Admit what the store already holds."""
        for guard, column in ((self.routes, "route"), (self.clients, "client_name")):
            sql = (
                f"SELECT app_id, {column} AS value FROM counters"
                f" GROUP BY app_id, {column} LIMIT {{limit:UInt64}} BY app_id"
            )
            for row in await store.select(sql, {"limit": guard.limit}):
                guard.admit(row["app_id"], row["value"])
