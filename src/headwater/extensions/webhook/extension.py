"""Be the webhook extension: read its settings, make its messages, open its client.

In: what the mechanism hands over. Out: what it asks for.
"""

from collections.abc import Mapping, Sequence

import msgspec

from headwater.extensions.contract import ExtensionType, Item, Outside, Target
from headwater.extensions.filled_in import read_filled_in
from headwater.extensions.people import People, Wanted
from headwater.extensions.webhook.client import LIMITS, WebhookClient
from headwater.extensions.webhook.messages import make_messages
from headwater.extensions.webhook.settings import (
    WEBHOOK,
    WebhookSettings,
    check_settings,
    clean_secret,
)


class Webhook:
    """The extension; see `contract.Extension`."""

    declaration: ExtensionType = WEBHOOK
    limits = LIMITS

    def read_settings(self, values: Mapping[str, object]) -> WebhookSettings:
        """Check what was filled in, or read what was stored."""
        return check_settings(read_filled_in(values, WebhookSettings))

    def read_secret(self, text: str) -> str:
        """Check the signing secret's form."""
        return clean_secret(text)

    def target(self, settings: WebhookSettings) -> Target:
        """Whoever asks for other messages gets everybody afresh, in the new form."""
        shape = msgspec.structs.replace(settings, url="")
        return Target(settings.url, msgspec.json.encode(shape).decode())

    def wanted(self, settings: WebhookSettings) -> Wanted:
        """Only messages about users have numbers, and tell how they stand to the API."""
        users = settings.about_users
        return Wanted(
            day=settings.numbers and users,
            lifecycle=settings.tells_lifecycle and users,
            standing=settings.tells_lifecycle,
            companies=settings.about_companies,
        )

    def compose(self, settings: WebhookSettings, people: People) -> Sequence[Item]:
        """Make one message of each user, each company, or both."""
        return list(make_messages(settings, people))

    def open(self, settings: WebhookSettings, secret: str, outside: Outside) -> WebhookClient:
        """Return the client of the URL."""
        return WebhookClient(outside, settings.url, secret)
