"""Any Tracking API: Segment, RudderStack, Jitsu, another Headwater.

In: messages. Out: batches of them, each message under its own `messageId`.
"""

from headwater.destinations.segment.deliver import Segment

__all__ = ["Segment"]
