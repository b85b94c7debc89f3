"""Ask analytics what the first page shows.

In: an app and a span of time. Out: answers as structs, with how complete they are. Asks through the
same door as the query API, so that a page never knows more than a program can.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics import QueryScope, answer
from headwater.web.services import Services
from headwater.workspace import App

Span = tuple[datetime, datetime]
Key = tuple[str, ...]
_EVER = "2000-01-01T00:00:00Z"


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """How complete an answer is."""

    sampled: bool = False
    late_events: int = 0
    dropped_events: int = 0


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One group of a time series."""

    key: Key
    values: tuple[float | None, ...]
    total: float | None


class Timeseries(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `timeseries`."""

    series: tuple[Series, ...]
    meta: Meta

    @property
    def total(self) -> float:
        """The measure over the whole span, when nothing was grouped; 0 for silence."""
        return (self.series[0].total or 0.0) if self.series else 0.0

    @property
    def values(self) -> tuple[float | None, ...]:
        """The measure by day, when nothing was grouped."""
        return self.series[0].values if self.series else ()

    def by_key(self) -> dict[Key, float]:
        """Return each group's measure over the whole span."""
        return {series.key: series.total or 0.0 for series in self.series}


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the answer to `users`."""

    user_id: str
    name: str = ""
    email: str = ""
    company_id: str = ""
    first_seen_at: datetime | None
    """None: described, but not seen yet."""
    calls: int = 0


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `users`."""

    users: tuple[User, ...]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `count`."""

    count: float


class Questions:
    """What one app may be asked."""

    def __init__(self, services: Services, app: App) -> None:
        self._services = services
        self._scope = QueryScope(app_id=app.id, timezone=app.timezone)

    async def measure(
        self,
        measure: str,
        span: Span,
        *,
        group_by: Sequence[str] = (),
        only: Sequence[Key] = (),
    ) -> Timeseries:
        """Return a measure by day and over the whole span; `only` keeps groups by their keys."""
        spec = {
            **_span(span),
            "measure": measure,
            "interval": "day",
            "group_by": list(group_by),
            "filters": {"any": [_keys_are(group_by, key) for key in only]} if only else None,
        }
        raw = await self._ask("timeseries", spec)
        return msgspec.convert(raw, Timeseries)

    async def newest_users(self, span: Span, limit: int) -> tuple[User, ...]:
        """Return the users seen for the first time last."""
        spec = {**_span(span), "order_by": "-first_seen_at", "limit": limit}
        return msgspec.convert(await self._ask("users", spec), Users).users

    async def has_calls(self) -> bool:
        """Tell whether any call was ever stored."""
        raw = await self._ask("count", {"from": _EVER, "to": "now"})
        return msgspec.convert(raw, Counted).count > 0

    async def _ask(self, kind: str, spec: dict[str, object]) -> Any:
        body = msgspec.json.encode({name: value for name, value in spec.items() if value})
        services = self._services
        return msgspec.to_builtins(
            await answer(services.store, self._scope, kind, body, services.clock)
        )


def _span(span: Span) -> dict[str, object]:
    return {"from": span[0].isoformat(), "to": span[1].isoformat()}


def _keys_are(fields: Sequence[str], key: Key) -> dict[str, object]:
    pairs = zip(fields, key, strict=True)
    return {"all": [{"field": field, "op": "eq", "value": value} for field, value in pairs]}
