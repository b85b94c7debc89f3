"""Say whose calls are that lack a user or a company. Pure.

In: callers, and what is known of the keys they came with. Out: owners. Callers that say the same
are asked about once, for as long as what they say means the same at all times: nearly always.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from headwater.profiles.identity.known import Known
from headwater.profiles.identity.links import Caller, Key, Owner


class Said(NamedTuple):
    """What callers say who lack something."""

    app_id: str
    user_id: str
    company_id: str
    session_key: str
    anonymous_id: str

    @property
    def keys(self) -> list[Key]:
        """The keys that may name the user, a credential before a browser."""
        found: list[Key] = []
        if self.session_key and not self.user_id:
            found.append((self.app_id, "session", self.session_key))
        if self.anonymous_id and not self.user_id:
            found.append((self.app_id, "anonymous", self.anonymous_id))
        return found

    def users(self, known: Mapping[Key, Known]) -> list[Key]:
        """Return everybody it may be, as keys that name companies; nobody when one is said."""
        if self.company_id:
            return []
        names = (name for key in self.keys for name in known[key].names)
        return [(self.app_id, "user", user) for user in (self.user_id, *names) if user]


def group(callers: Sequence[Caller]) -> dict[Said, list[int]]:
    """Return the places of those who lack something that could be found, by what they say."""
    groups: dict[Said, list[int]] = {}
    for place, c in enumerate(callers):
        user, company = c.user_id, c.company_id
        if user and company:
            continue
        session, browser = c.session_key, c.anonymous_id
        if user or session or browser:
            said = Said(c.app_id, user, company, session, browser)
            groups.setdefault(said, []).append(place)
    return groups


def find_owners(
    said: Said,
    places: Iterable[int],
    time_of: Callable[[int], datetime],
    known: Mapping[Key, Known],
) -> list[tuple[int, Owner]]:
    """Return the owner of each place that has one; `known` holds `keys` and `users`."""
    somewhen = time_of(next(iter(places)))
    if all(len(known[key].names) <= 1 for key in (*said.keys, *said.users(known))):
        owner = _find_owner(said, somewhen, known)
        owners = [(place, owner) for place in places] if owner else []
    else:
        owners = [
            (place, owner)
            for place in places
            if (owner := _find_owner(said, time_of(place), known))
        ]
    return owners


def _find_owner(said: Said, moment: datetime, known: Mapping[Key, Known]) -> Owner | None:
    """Return the owner; None when nothing was found that is not said."""
    user, user_by = said.user_id, ""
    for key in said.keys:
        if not user and (name := known[key].at(moment)):
            user, user_by = name, key[1]
    company, company_by = said.company_id, ""
    if user and not company and (name := known[said.app_id, "user", user].at(moment)):
        company, company_by = name, "user"
    return Owner(user, user_by, company, company_by) if user_by or company_by else None
