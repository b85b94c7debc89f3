"""Federation: bring each message to every enabled destination of its source.

In: the messages stream of the log. Out: deliveries, tried again while that can help, and dead
letters that can be replayed. A slow or dead destination slows nothing else.
"""

from headwater.federation.counts import resume
from headwater.federation.deliveries import forget_users, replay_dead_letters
from headwater.federation.replays import Replay, cancel_replay, list_replays
from headwater.federation.samples import Sample, list_samples
from headwater.federation.view import (
    DeadLetter,
    DeliveryStatus,
    DeliveryView,
    delivery_status,
    delivery_view,
    list_dead_letters,
    list_waiting,
)
from headwater.federation.workers import FederationWorkers

__all__ = [
    "DeadLetter",
    "DeliveryStatus",
    "DeliveryView",
    "FederationWorkers",
    "Replay",
    "Sample",
    "cancel_replay",
    "delivery_status",
    "delivery_view",
    "forget_users",
    "list_dead_letters",
    "list_replays",
    "list_samples",
    "list_waiting",
    "replay_dead_letters",
    "resume",
]
