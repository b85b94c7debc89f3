"""Be the Segment extension: read its settings, make its messages, open its client.

In: what the mechanism hands over. Out: what it asks for. Knows Segment by its wire only: Segment, a
compatible receiver and this server's own source are the same to it.
"""

from collections.abc import Mapping, Sequence

from headwater.extensions.contract import ExtensionType, Item, Outside, Target
from headwater.extensions.filled_in import read_filled_in
from headwater.extensions.people import People, Wanted
from headwater.extensions.segment.client import LIMITS, TrackingClient
from headwater.extensions.segment.identify import Activity, compose
from headwater.extensions.segment.settings import (
    SEGMENT,
    SegmentSettings,
    check_settings,
    clean_partner_key,
)
from headwater.extensions.segment.trim import encode_within_limit
from headwater.extensions.windows import subject_of
from headwater.profiles import Person


class Segment:
    """The extension; see `contract.Extension`."""

    declaration: ExtensionType = SEGMENT
    limits = LIMITS

    def read_settings(self, values: Mapping[str, object]) -> SegmentSettings:
        """Check what was filled in, or read what was stored."""
        return check_settings(read_filled_in(values, SegmentSettings))

    def read_secret(self, text: str) -> str:
        """Check the partner key's form."""
        return clean_partner_key(text)

    def target(self, settings: SegmentSettings) -> Target:
        """Another endpoint or payload version gets everybody afresh."""
        return Target(settings.endpoint, settings.payload_version)

    def wanted(self, settings: SegmentSettings) -> Wanted:
        """The rolling numbers are in the current payload only."""
        return Wanted(rolling=settings.payload_version == "current")

    def compose(self, settings: SegmentSettings, people: People) -> Sequence[Item]:
        """Make one identify message of each user."""
        return [_identify(settings, people, user) for user in people.users]

    def open(self, settings: SegmentSettings, secret: str, outside: Outside) -> TrackingClient:
        """Return the client of the endpoint."""
        return TrackingClient(outside, settings.endpoint or outside.built_in_url, secret)


def _identify(settings: SegmentSettings, people: People, user: Person) -> Item:
    id_ = people.window.id_of(user)
    message = compose(
        user,
        people.companies.get(user.company_id),
        Activity(day=people.days[user.id], last_24_hours=people.rolling.get(user.id)),
        version=settings.payload_version,
        id_=id_,
        at=people.window.now,
    )
    return Item(
        message_id=id_,
        user_id=user.id,
        subject=subject_of(user.id),
        payload=encode_within_limit(message),
    )
