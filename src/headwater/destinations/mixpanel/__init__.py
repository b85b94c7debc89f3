"""Mixpanel: events by its import, profiles of users and groups, deletion by its privacy API.

In: messages. Out: events, each under an `$insert_id` that stays the same however often it is sent.
"""

from headwater.destinations.mixpanel.deliver import Mixpanel

__all__ = ["Mixpanel"]
