"""Be the Segment extension: read its settings, make its messages, open its client.

In: what the mechanism hands over. Out: what it asks for. Knows Segment by its wire only: Segment, a
compatible receiver and this server's own source are the same to it.
"""

from collections.abc import Iterator, Mapping, Sequence

from headwater.extensions.contract import ExtensionType, Item, Outside, Target
from headwater.extensions.filled_in import read_filled_in
from headwater.extensions.people import People, Wanted
from headwater.extensions.segment.choice import Choice
from headwater.extensions.segment.client import LIMITS, TrackingClient
from headwater.extensions.segment.groups import make_groups
from headwater.extensions.segment.identify import Activity, Json, compose, describe_company
from headwater.extensions.segment.milestones import DORMANT, RESURRECTED, SPIKED, make_milestones
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
        """Another endpoint, version or choice gets everybody afresh; what waits is dropped."""
        return Target(settings.endpoint, settings.shape)

    def wanted(self, settings: SegmentSettings) -> Wanted:
        """The rolling numbers are in the current payload only; milestones need more."""
        return Wanted(
            rolling=settings.payload_version == "current",
            errors=SPIKED in settings.milestones,
            lifecycle=DORMANT in settings.milestones,
            standing=not {DORMANT, RESURRECTED}.isdisjoint(settings.milestones),
            companies=_tells_companies(settings),
        )

    def compose(self, settings: SegmentSettings, people: People) -> Sequence[Item]:
        """Make an identify message of each user, and what else is wanted."""
        return [
            _to_item(subject, message, settings.choice)
            for subject, message in _make_messages(settings, people)
        ]

    def open(self, settings: SegmentSettings, secret: str, outside: Outside) -> TrackingClient:
        """Return the client of the endpoint."""
        return TrackingClient(outside, settings.endpoint or outside.built_in_url, secret)


def _tells_companies(settings: SegmentSettings) -> bool:
    asked = settings.groups or settings.payload_version == "current"
    return asked and not settings.choice.leaves_out("company")


def _make_messages(settings: SegmentSettings, people: People) -> Iterator[tuple[str, Json]]:
    """Yield messages with their subjects; of the past, only what users did then."""
    companies = {id_: describe_company(company) for id_, company in people.companies.items()}
    for user in people.users:
        company = companies.get(user.company_id, {})
        yield subject_of(user.id), _identify(settings, people, user, company)
    if people.window.salt:
        return
    if settings.groups and not settings.choice.leaves_out("company"):
        yield from make_groups(people)
    yield from make_milestones(people, settings.milestones, settings.spike)


def _identify(settings: SegmentSettings, people: People, user: Person, company: Json) -> Json:
    return compose(
        user,
        company,
        Activity(day=people.days[user.id], last_24_hours=people.rolling.get(user.id)),
        version=settings.payload_version,
        id_=people.window.id_of(user),
        at=people.window.now,
    )


def _to_item(subject: str, message: Json, choice: Choice) -> Item:
    return Item(
        message_id=message["messageId"],
        user_id=message["userId"],
        subject=subject,
        payload=encode_within_limit(choice.thin(message), choice.rename),
    )
