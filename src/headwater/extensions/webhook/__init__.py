"""The webhook extension: what changed about users and companies, as signed JSON posted to a URL.

In: people and their numbers, a signing secret. Out: batches of messages, once. Only what is the
webhook's is here; connections, outbox, delivery and the rest are the room's one mechanism.
"""

from headwater.extensions.webhook.extension import Webhook

__all__ = ["Webhook"]
