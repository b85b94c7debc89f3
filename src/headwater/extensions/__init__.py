"""Extensions: send what is known of people to the systems where the company works.

In: profiles. Out: messages over HTTP. Each extension is one folder that declares itself in the
gallery; everything else is one mechanism that knows none of them by name. House two is never
imported here: it is reached by its URL.
"""

from headwater.extensions.audience import Condition, read_condition
from headwater.extensions.backfill import Backfill
from headwater.extensions.cohorts import (
    Cohort,
    add_cohort,
    change_cohort,
    delete_cohort,
    get_cohort,
    list_cohorts,
)
from headwater.extensions.connections import Connection, list_connections
from headwater.extensions.contract import ExtensionType, Setting
from headwater.extensions.dead import DeadItem
from headwater.extensions.gallery import GALLERY, find_extension
from headwater.extensions.members import Members
from headwater.extensions.parts import Parts
from headwater.extensions.preview import MOST_PREVIEWED
from headwater.extensions.room import Extensions
from headwater.extensions.runs import Run, RunResult
from headwater.extensions.status import Status
from headwater.extensions.trial import Trial
from headwater.extensions.windows import ProfileOf

__all__ = [
    "GALLERY",
    "MOST_PREVIEWED",
    "Backfill",
    "Cohort",
    "Condition",
    "Connection",
    "DeadItem",
    "ExtensionType",
    "Extensions",
    "Members",
    "Parts",
    "ProfileOf",
    "Run",
    "RunResult",
    "Setting",
    "Status",
    "Trial",
    "add_cohort",
    "change_cohort",
    "delete_cohort",
    "find_extension",
    "get_cohort",
    "list_cohorts",
    "list_connections",
    "read_condition",
]
