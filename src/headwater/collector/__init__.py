"""The Collector API: API calls, users and companies come in here, as Moesif's clients send them.

In: HTTP posts. Out: records in the durable log, secrets masked, before the client gets its answer.
Also reads access logs and event files for `headwater import`. Never looks into the store.
"""

from headwater.collector.description import describe_collector, describe_otlp
from headwater.collector.http import BACKFILL_HEADER, KEY_HEADER, TABLE_PATH, CollectorApp
from headwater.collector.imports import (
    FORMATS,
    Bulk,
    Follower,
    Page,
    Plan,
    Planned,
    Rejected,
    masked_sample,
    open_pages,
    split_lines,
)
from headwater.collector.secret_shapes import MARK

__all__ = [
    "BACKFILL_HEADER",
    "FORMATS",
    "KEY_HEADER",
    "MARK",
    "TABLE_PATH",
    "Bulk",
    "CollectorApp",
    "Follower",
    "Page",
    "Plan",
    "Planned",
    "Rejected",
    "describe_collector",
    "describe_otlp",
    "masked_sample",
    "open_pages",
    "split_lines",
]
