"""Federation: bring each message to every enabled destination of its source.

In: the messages stream of the log. Out: deliveries, tried again while that can help, and dead
letters that can be replayed. A slow or dead destination slows nothing else.
"""

from headwater.federation.deliveries import (
    DeadLetter,
    DeliveryStatus,
    delivery_status,
    list_dead_letters,
    replay_dead_letters,
)
from headwater.federation.workers import FederationWorkers

__all__ = [
    "DeadLetter",
    "DeliveryStatus",
    "FederationWorkers",
    "delivery_status",
    "list_dead_letters",
    "replay_dead_letters",
]
