"""Keep profiles: fold updates into what is known, and answer questions about people.

In: batches of updates with their log offsets and a token. Out: new versions of the profiles they
touch, and the reading side of the room. One writer at a time: ingest.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from headwater.base.clock import Clock, SystemClock
from headwater.base.crash import crash_point
from headwater.eventstore import EventStore
from headwater.model import KeyKind, ProfileRules, ProfileUpdate, Rollup
from headwater.profiles.aging import LAST_ID, read_aged_users
from headwater.profiles.changes import (
    read_changed_companies,
    read_company_offsets,
    read_touched_users,
    read_users_of,
)
from headwater.profiles.companies import CompanyLink, read_company_history
from headwater.profiles.drawing import Key, Version, draw, gather_versions
from headwater.profiles.errors import CallsAndErrors, read_errors
from headwater.profiles.fold import fold
from headwater.profiles.history import Spoken, keep_history
from headwater.profiles.identity.rulings import UserLink, has_link, read_user_links
from headwater.profiles.people import Company, Person, Subscription
from headwater.profiles.reading import (
    read_companies,
    read_companies_as_of,
    read_people,
    read_people_as_of,
    read_subscriptions,
    read_subscriptions_as_of,
)
from headwater.profiles.rollup import read_rollups
from headwater.profiles.usage import read_last_used
from headwater.profiles.visitors import users_behind

RulesOf = Callable[[str], Awaitable[ProfileRules]]
"""How an app reads its profiles."""


async def _usual_rules(app_id: str) -> ProfileRules:  # noqa: ARG001 - the same for every app
    return ProfileRules()


class Profiles:
    """The room's one object; holds nothing but the store, and whom to ask for an app's rules."""

    def __init__(
        self, store: EventStore, clock: Clock | None = None, rules_of: RulesOf | None = None
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._rules_of = rules_of or _usual_rules

    async def fold(self, updates: Sequence[tuple[int, ProfileUpdate]], *, token: str) -> None:
        """Merge updates, each with its log offset, into the profiles they name.

        Safe to repeat with the same updates and token. A visitor without a user id is kept as a
        user under the anonymous id, marked; the users behind it show its words as their own.
        """
        if not updates:
            return
        spoken = [(offset, update, fold(update)) for offset, update in updates]
        await keep_history(self._store, spoken, token=token)
        crash_point("profiles.history")
        fresh = gather_versions(
            [
                *((_key(update), Version(offset, state)) for offset, update, state in spoken),
                *await self._behind(spoken),
            ]
        )
        await draw(self._store, fresh, token=token)

    async def _behind(self, spoken: Spoken) -> list[tuple[Key, Version]]:
        """Return the users who show what was said of visitors here: nothing was said of them."""
        offsets: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for offset, update, _ in spoken:
            if update.kind == "user" and not update.id:
                offsets[update.app_id][update.anonymous_id] = offset
        return [
            ((app_id, "user", user), Version(visitors[visitor], None))
            for app_id, visitors in offsets.items()
            for visitor, users in (await users_behind(self._store, app_id, visitors)).items()
            for user in users
        ]

    async def touched_users(
        self,
        app_id: str,
        *,
        after: int,
        active: tuple[datetime, datetime] | None,
        passed: tuple[datetime, datetime] | None = None,
        companies: Sequence[str] = (),
        above: str,
        limit: int,
    ) -> list[str]:
        """Return users that changed after a log offset, or called within `active`.

        And those whose lifecycle changed because `passed` went by, and those of `companies`. A page
        of `limit` ids beyond `above`, in their order. The bounds lie on quarters of an hour, as
        those of all days do.
        """
        found = await read_touched_users(
            self._store, app_id, after=after, active=active, above=above, limit=limit
        )
        if companies:
            found += await read_users_of(self._store, app_id, companies, above=above, limit=limit)
            found = sorted({*found})[:limit]
        if passed is None:
            return found
        rule = (await self._rules_of(app_id)).lifecycle
        upto = found[-1] if len(found) == limit else LAST_ID
        aged = await read_aged_users(
            self._store, app_id, rule, passed, above=above, upto=upto, limit=limit
        )
        return sorted({*found, *aged})[:limit]

    async def last_used(
        self, app_id: str, route: str, user_ids: Sequence[str], start: datetime, end: datetime
    ) -> dict[str, datetime]:
        """Return when each of those users who called a route within [start, end] did so last."""
        return await read_last_used(self._store, app_id, route, user_ids, start, end)

    async def changed_companies(self, app_id: str, *, after: int) -> list[str]:
        """Return the companies of which something else was said after a log offset."""
        return await read_changed_companies(self._store, app_id, after=after)

    async def company_offsets(self, app_id: str, company_ids: Sequence[str]) -> dict[str, int]:
        """Return the log offset of the newest update of each company that has one."""
        return await read_company_offsets(self._store, app_id, company_ids)

    async def errors_within(
        self, app_id: str, user_ids: Sequence[str], spans: Sequence[tuple[datetime, datetime]]
    ) -> dict[str, list[CallsAndErrors]]:
        """Return how many calls, and errors, each user made within each span; absent: none ever.

        The bounds lie on quarters of an hour.
        """
        return await read_errors(self._store, app_id, user_ids, spans)

    async def people(
        self, app_id: str, user_ids: Sequence[str], *, standing: bool = True
    ) -> dict[str, Person]:
        """Return those of the users that are known, by a profile or by a call.

        Without `standing` their lifecycle and silence stay empty: finding them costs a third.
        """
        rules, now = await self._rules_of(app_id), self._clock.now() if standing else None
        return await read_people(self._store, app_id, user_ids, rules, now)

    async def people_as_of(
        self, app_id: str, user_ids: Sequence[str], at: datetime
    ) -> dict[str, Person]:
        """Return those of the users that were known at a moment, as they were then.

        Without keys, and with the User-Agent that the profile named.
        """
        rules = await self._rules_of(app_id)
        return await read_people_as_of(self._store, app_id, user_ids, at, rules)

    async def companies(
        self, app_id: str, company_ids: Sequence[str], *, standing: bool = True
    ) -> dict[str, Company]:
        """Return those of the companies that are known, by a profile or by a call.

        Without `standing` their lifecycle and silence stay empty.
        """
        rules, now = await self._rules_of(app_id), self._clock.now() if standing else None
        return await read_companies(self._store, app_id, company_ids, rules, now)

    async def companies_as_of(
        self, app_id: str, company_ids: Sequence[str], at: datetime
    ) -> dict[str, Company]:
        """Return those of the companies that were known at a moment, as they were then."""
        rules = await self._rules_of(app_id)
        return await read_companies_as_of(self._store, app_id, company_ids, at, rules)

    async def subscriptions_as_of(
        self, app_id: str, subscription_ids: Sequence[str], at: datetime
    ) -> dict[str, Subscription]:
        """Return those of the subscriptions that had been described by a moment, as they were."""
        return await read_subscriptions_as_of(self._store, app_id, subscription_ids, at)

    async def subscriptions(
        self, app_id: str, subscription_ids: Sequence[str]
    ) -> dict[str, Subscription]:
        """Return those of the subscriptions that were described."""
        return await read_subscriptions(self._store, app_id, subscription_ids)

    async def company_history(self, app_id: str, user_id: str) -> list[CompanyLink]:
        """Return the companies of a user, one after the other, oldest first."""
        return (await read_company_history(self._store, app_id, [user_id]))[user_id]

    async def links(self, app_id: str, user_id: str, *, limit: int = 100) -> list[UserLink]:
        """Return who said which session keys and browsers are the user's, and what was ruled."""
        return await read_user_links(self._store, app_id, user_id, limit=limit)

    async def has_link(self, app_id: str, kind: KeyKind, key: str, user_id: str) -> bool:
        """Tell whether anything ever said that a session key or browser is the user's."""
        return await has_link(self._store, app_id, kind, key, user_id)

    async def rollups(
        self,
        app_id: str,
        timezone: str,
        user_ids: Sequence[str],
        start: datetime,
        end: datetime,
        *,
        day: str | None,
    ) -> Mapping[str, Rollup]:
        """Return the activity of each user within [start, end); of a local `day` when given."""
        return await read_rollups(self._store, app_id, timezone, user_ids, start, end, day=day)


def _key(update: ProfileUpdate) -> Key:
    return update.app_id, update.kind, update.id or update.anonymous_id
