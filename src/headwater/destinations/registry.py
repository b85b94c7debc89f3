"""List the types of destination.

Out: one object for each type. A new type is a folder beside `webhook` and a line here.
"""

from headwater.base.errors import InvalidInputError
from headwater.destinations.amplitude import Amplitude
from headwater.destinations.analytics import Analytics
from headwater.destinations.contract import Destination
from headwater.destinations.customerio import Customerio
from headwater.destinations.filesystem import Filesystem
from headwater.destinations.hubspot import Hubspot
from headwater.destinations.mixpanel import Mixpanel
from headwater.destinations.segment import Segment
from headwater.destinations.slack import Slack
from headwater.destinations.webhook import Webhook

DESTINATIONS: tuple[Destination, ...] = (
    Webhook(),
    Segment(),
    Filesystem(),
    Analytics(),
    Amplitude(),
    Mixpanel(),
    Slack(),
    Customerio(),
    Hubspot(),
)


def find_destination(kind: str) -> Destination:
    """Return the type, or raise `InvalidInputError` with the known names."""
    for destination in DESTINATIONS:
        if destination.declaration.type == kind:
            return destination
    known = ", ".join(destination.declaration.type for destination in DESTINATIONS)
    raise InvalidInputError(
        f"There is no destination type {kind!r}.", field="type", hint=f"Types are {known}."
    )
