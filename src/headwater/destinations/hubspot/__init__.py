"""HubSpot: contacts, companies and custom events by its CRM API; deletion of contacts by e-mail.

In: messages. Out: upserts, which are the same however often they are sent.
"""

from headwater.destinations.hubspot.deliver import Hubspot

__all__ = ["Hubspot"]
