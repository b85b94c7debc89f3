"""Read files that an API team already has, for `headwater import`.

In: access logs and event files. Out: events as the Collector API takes them, each with an id that
is the same at every reading, and the lines that say nothing, with reasons. Sends nothing.
"""

from headwater.collector.imports.files import open_lines, open_pages, split_lines
from headwater.collector.imports.follow import Follower
from headwater.collector.imports.formats import FORMATS
from headwater.collector.imports.plan import (
    Bulk,
    Page,
    Plan,
    Planned,
    Rejected,
    masked_sample,
    plan_events,
)

__all__ = [
    "FORMATS",
    "Bulk",
    "Follower",
    "Page",
    "Plan",
    "Planned",
    "Rejected",
    "masked_sample",
    "open_lines",
    "open_pages",
    "plan_events",
    "split_lines",
]
