"""The Segment extension: each user's API activity as identify calls, over HTTP, once.

In: people and their numbers, a partner key. Out: messages at a Tracking API. Only what is Segment's
is here; connections, outbox, delivery and the rest are the room's one mechanism.
"""

from headwater.extensions.segment.extension import Segment

__all__ = ["Segment"]
