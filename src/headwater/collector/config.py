"""Publish what client libraries fetch: their configuration and the governance rules.

In: an app. Out: two JSON documents and the headers with their tags. Served from memory: some
libraries fetch both while the host application starts. Every key is always there, since several
libraries fail on a missing one, and all rates are whole numbers, since one refuses others.
"""

import hashlib

import msgspec

from headwater.base.asgi import Header
from headwater.collector.drop_rules import DropRules
from headwater.workspace import App, SamplingPolicy

_ORGANISATION = "headwater"
_RULES = b"[]"
"""No rules yet: a rule named in the configuration but missing here breaks the customer's API."""


class Published(msgspec.Struct, frozen=True):
    """One consistent snapshot of both documents, and of what the server does of them itself."""

    config: bytes
    rules: bytes
    tags: tuple[Header, ...]
    """Sent with every answer: libraries fetch again when a tag changes."""
    drops: DropRules


def publish(app_id: str, sampling: SamplingPolicy) -> Published:
    """Return the documents of an app."""
    config = msgspec.json.encode(
        {
            "org_id": _ORGANISATION,
            "app_id": app_id,
            "block_bot_traffic": False,
            "user_rules": {},
            "company_rules": {},
            "ip_addresses_blocked_by_name": {},
            "billing_config_jsons": {},
            **msgspec.to_builtins(sampling),
        }
    )
    tags = ((b"x-moesif-config-etag", _tag(config)), (b"x-moesif-rules-tag", _tag(_RULES)))
    return Published(config, _RULES, tags, DropRules(sampling))


def _tag(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=12).hexdigest().encode()


NOBODYS = publish("", SamplingPolicy())
"""What goes with answers to unknown callers."""


class Publisher:
    """Remembers the documents of each app until its policy changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[SamplingPolicy, Published]] = {}

    def of(self, app: App) -> Published:
        """Return the app's present documents."""
        policy, published = self._known.get(app.id, (None, NOBODYS))
        if policy is not app.sampling:
            # Read anew from the database every few seconds, seldom with another content.
            if policy != app.sampling:
                published = publish(app.id, app.sampling)
            self._known[app.id] = app.sampling, published
        return published
