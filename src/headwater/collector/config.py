"""Publish what client libraries fetch: their configuration and the governance rules.

In: an app. Out: two JSON documents and the headers with their tags. Served from memory: some
libraries fetch both while the host application starts. Every key is always there, since several
libraries fail on a missing one, and all rates are whole numbers, since one refuses others.
"""

import hashlib
from functools import lru_cache

import msgspec

from headwater.base.asgi import Header

_ORGANISATION = "headwater"
_RULES = b"[]"
"""No rules yet: a rule named in the configuration but missing here breaks the customer's API."""


class Published(msgspec.Struct, frozen=True):
    """One consistent snapshot of both documents."""

    config: bytes
    rules: bytes
    tags: tuple[Header, ...]
    """Sent with every answer: libraries fetch again when a tag changes."""


@lru_cache(maxsize=1024)
def published(app_id: str) -> Published:
    """Return the documents of an app; those of "" go with answers to unknown callers."""
    config = msgspec.json.encode(
        {
            "org_id": _ORGANISATION,
            "app_id": app_id,
            "sample_rate": 100,
            "block_bot_traffic": False,
            "user_sample_rate": {},
            "company_sample_rate": {},
            "user_rules": {},
            "company_rules": {},
            "ip_addresses_blocked_by_name": {},
            "regex_config": [],
            "billing_config_jsons": {},
        }
    )
    tags = ((b"x-moesif-config-etag", _tag(config)), (b"x-moesif-rules-tag", _tag(_RULES)))
    return Published(config, _RULES, tags)


def _tag(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=12).hexdigest().encode()
