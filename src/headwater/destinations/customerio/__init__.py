"""Customer.io: people, their events and their companies by its Track API; deletion by the same.

In: messages. Out: entities of one batch request, each judged by itself.
"""

from headwater.destinations.customerio.deliver import Customerio

__all__ = ["Customerio"]
