"""Carry records from the log into the store, each exactly once.

In: the `calls` stream of the log. Out: rows of the store and wider profiles. Sees no HTTP, asks no
questions of the store but which calls and routes it holds.
"""

from headwater.ingest.drops import Dropped, DropReason
from headwater.ingest.held import count_stored, days_with_calls
from headwater.ingest.knowledge import Knowledge, open_knowledge
from headwater.ingest.unreadable import Unreadable, count_unreadable, list_unreadable
from headwater.ingest.worker import IngestWorker

__all__ = [
    "DropReason",
    "Dropped",
    "IngestWorker",
    "Knowledge",
    "Unreadable",
    "count_stored",
    "count_unreadable",
    "days_with_calls",
    "list_unreadable",
    "open_knowledge",
]
