"""The Segment extension: each user's API activity as identify calls, over HTTP, once.

In: people and their numbers, a partner key. Out: messages at a Tracking API. Knows that API only by
its wire: Segment, a compatible receiver and this server's own source are the same to it.
"""

from headwater.extensions.segment.connection import (
    Connection,
    connect,
    find_connection,
    get_connection,
    list_connections,
    masked_partner_key,
    set_enabled,
)
from headwater.extensions.segment.runs import Run, RunResult
from headwater.extensions.segment.settings import PAYLOAD_VERSIONS, clean_endpoint
from headwater.extensions.segment.status import SegmentStatus
from headwater.extensions.segment.worker import MOST_PREVIEWED, SegmentSync

__all__ = [
    "MOST_PREVIEWED",
    "PAYLOAD_VERSIONS",
    "Connection",
    "Run",
    "RunResult",
    "SegmentStatus",
    "SegmentSync",
    "clean_endpoint",
    "connect",
    "find_connection",
    "get_connection",
    "list_connections",
    "masked_partner_key",
    "set_enabled",
]
