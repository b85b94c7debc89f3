"""Hold what ingest knows beside the records: what is stored, who is who, where addresses are.

In: the store, settings. Out: one set of these for the process, shared with those who ask the same.
"""

from typing import NamedTuple

from headwater.base.clock import Clock
from headwater.base.settings import Settings
from headwater.eventstore import EventStore
from headwater.ingest.countries import Countries
from headwater.ingest.repeats import Repeats
from headwater.profiles import Identity, Profiles, RulesOf


class Knowledge(NamedTuple):
    """One of each."""

    profiles: Profiles
    repeats: Repeats
    identity: Identity
    countries: Countries


def open_knowledge(
    store: EventStore, clock: Clock, settings: Settings, rules_of: RulesOf | None = None
) -> Knowledge:
    """Return it; `MisconfiguredError` when the file of countries cannot be used."""
    return Knowledge(
        Profiles(store, clock, rules_of),
        Repeats(store, clock, dedup_days=settings.eventstore.dedup_days),
        Identity(store, settings.identity),
        Countries(settings.ingest.country_database, clock),
    )
