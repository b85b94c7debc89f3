"""Amplitude: events and user properties by its HTTP V2 API, deletion by its user privacy API.

In: messages. Out: events, each under an `insert_id` that stays the same however often it is sent.
"""

from headwater.destinations.amplitude.deliver import Amplitude

__all__ = ["Amplitude"]
