"""The durable log: what is acknowledged to a client rests here first.

In: encoded records. Out: offsets, and the same records in order. Knows nothing of what they mean.
"""

from headwater.eventlog.group import GroupCommit, split_records
from headwater.eventlog.keeper import LogKeeper, Progress
from headwater.eventlog.memory import MemoryLog
from headwater.eventlog.opening import open_event_log
from headwater.eventlog.port import MAX_ENTRY_BYTES, Entry, EventLog, LogState, Stream

__all__ = [
    "MAX_ENTRY_BYTES",
    "Entry",
    "EventLog",
    "GroupCommit",
    "LogKeeper",
    "LogState",
    "MemoryLog",
    "Progress",
    "Stream",
    "open_event_log",
    "split_records",
]
