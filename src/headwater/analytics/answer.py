"""Answer a question of any kind.

In: whose data, the kind, the JSON of the question. Out: the report. This is the one door through
which the query API, the command line and the pages ask.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from headwater.analytics.actions import list_actions
from headwater.analytics.companies import list_companies
from headwater.analytics.count import count_calls
from headwater.analytics.events import list_events
from headwater.analytics.meta import Asking
from headwater.analytics.question import NO_VOICES, Question
from headwater.analytics.rejects import list_rejects
from headwater.analytics.scope import QueryScope
from headwater.analytics.spec import (
    ActionsSpec,
    Common,
    CompaniesSpec,
    CompanyTimelineSpec,
    CountSpec,
    EventsSpec,
    RejectsSpec,
    SubscriptionsSpec,
    TimeseriesSpec,
    UsersSpec,
    UserTimelineSpec,
    read_spec,
)
from headwater.analytics.subscriptions import list_subscriptions
from headwater.analytics.timeline import tell_of_company, tell_of_user
from headwater.analytics.timeseries import draw_timeseries
from headwater.analytics.users import list_users
from headwater.base.clock import Clock
from headwater.base.errors import NotFoundError
from headwater.eventstore import EventStore
from headwater.profiles import read_all_voices

Report = Callable[[Asking, Question, Any], Awaitable[msgspec.Struct]]

KINDS: dict[str, tuple[type[Common], Report]] = {
    "actions": (ActionsSpec, list_actions),
    "companies": (CompaniesSpec, list_companies),
    "company_timeline": (CompanyTimelineSpec, tell_of_company),
    "count": (CountSpec, count_calls),
    "events": (EventsSpec, list_events),
    "rejects": (RejectsSpec, list_rejects),
    "subscriptions": (SubscriptionsSpec, list_subscriptions),
    "timeseries": (TimeseriesSpec, draw_timeseries),
    "user_timeline": (UserTimelineSpec, tell_of_user),
    "users": (UsersSpec, list_users),
}


async def answer(
    store: EventStore, scope: QueryScope, kind: str, spec: bytes, clock: Clock
) -> msgspec.Struct:
    """Return the answer to `spec`, a JSON document of the shape that `kind` asks for."""
    if kind not in KINDS:
        raise NotFoundError(
            f"There is no query {kind!r}.", field="kind", hint=f"Queries: {', '.join(KINDS)}."
        )
    shape, report = KINDS[kind]
    asked = read_spec(spec, shape)
    voices = await read_all_voices(store, scope.app_id) if asked.profiles == "then" else NO_VOICES
    return await report(Asking(store), Question(scope, asked, clock.now(), voices), asked)
