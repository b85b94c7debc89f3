"""The durable log: what is acknowledged to a client rests here first.

In: encoded records. Out: offsets, and the same records in order. Knows nothing of what they mean.
"""

from headwater.eventlog.group import GroupCommit, split_records
from headwater.eventlog.port import Entry, EventLog, LogState, Stream

__all__ = ["Entry", "EventLog", "GroupCommit", "LogState", "Stream", "split_records"]
