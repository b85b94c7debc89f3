"""Who uses the API: people and companies, what they are, and each one's activity in numbers.

In: profile updates from the log, and questions. Out: merged profiles, `Person`, `Company` and
`Rollup`. Calls themselves are counted by the store's own views; nothing here writes calls.
"""

from headwater.profiles.agent import Agent
from headwater.profiles.identity import Caller, Identity, Owner, Relinking
from headwater.profiles.people import Company, Lifecycle, Person, Subscription
from headwater.profiles.store import Profiles
from headwater.profiles.timeline import ProfileChange, read_changes
from headwater.profiles.windows import day_window, last_complete_day

__all__ = [
    "Agent",
    "Caller",
    "Company",
    "Identity",
    "Lifecycle",
    "Owner",
    "Person",
    "ProfileChange",
    "Profiles",
    "Relinking",
    "Subscription",
    "day_window",
    "last_complete_day",
    "read_changes",
]
