"""A webhook: messages as signed JSON, posted to a URL.

In: messages. Out: one request for each, or one for several as an array.
"""

from headwater.destinations.webhook.deliver import Webhook

__all__ = ["Webhook"]
