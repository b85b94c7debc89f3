"""An app's API analytics: what customer data tells of its users enriches their profiles.

In: messages. Out: users, companies and actions for the Collector API, of this server or another.
"""

from headwater.destinations.analytics.deliver import Analytics

__all__ = ["Analytics"]
