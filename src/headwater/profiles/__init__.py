"""Who uses the API: people and companies, what they are, and each one's activity in numbers.

In: profile updates from the log, and questions. Out: merged profiles, `Person`, `Company` and
`Rollup`. Calls themselves are counted by the store's own views; nothing here writes calls.
"""

from headwater.profiles.agent import Agent
from headwater.profiles.companies import CompanyLink, joined_sql, read_company_history
from headwater.profiles.errors import CallsAndErrors
from headwater.profiles.history import (
    VOICES,
    ProfileChange,
    bind_visitors,
    bind_voices,
    changes_sql,
    own_voice,
    read_changes,
    words_sql,
)
from headwater.profiles.identity import Caller, Identity, Owner, Relinking
from headwater.profiles.identity.rulings import Ruling, UserLink, read_user_links
from headwater.profiles.merge import INITIAL_CAMPAIGN
from headwater.profiles.people import Company, Lifecycle, Person, Silence, Subscription
from headwater.profiles.store import Profiles, RulesOf
from headwater.profiles.traits import SPELLINGS, part, person_traits, text
from headwater.profiles.visitors import Voices, read_all_voices, read_voices
from headwater.profiles.windows import day_window, last_complete_day

__all__ = [
    "INITIAL_CAMPAIGN",
    "SPELLINGS",
    "VOICES",
    "Agent",
    "Caller",
    "CallsAndErrors",
    "Company",
    "CompanyLink",
    "Identity",
    "Lifecycle",
    "Owner",
    "Person",
    "ProfileChange",
    "Profiles",
    "Relinking",
    "RulesOf",
    "Ruling",
    "Silence",
    "Subscription",
    "UserLink",
    "Voices",
    "bind_visitors",
    "bind_voices",
    "changes_sql",
    "day_window",
    "joined_sql",
    "last_complete_day",
    "own_voice",
    "part",
    "person_traits",
    "read_all_voices",
    "read_changes",
    "read_company_history",
    "read_user_links",
    "read_voices",
    "text",
    "words_sql",
]
