"""Say what is known of people, companies and subscriptions.

Nouns only: typed, frozen. `reading` fills them. Those known only by calls exist, and so do those
known only by a profile; what nobody said or did is empty.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from headwater.profiles.agent import NO_AGENT, Agent

Lifecycle = Literal["", "new", "active", "resurrected", "dormant"]
"""How a user or company stands to the API; empty when it was never called."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A time without calls that was long enough to be dormant: users by quarters of an hour."""

    since: datetime
    """The quarter of an hour, or the day, of the last call before it; names this silence."""
    dormant_at: datetime
    ended_at: datetime | None
    """When the next call came; None: still silent."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a person and a company have in common."""

    id: str
    doc: dict[str, Any]
    """The merged profile; empty when only calls are known."""
    created_at: datetime
    """The earliest moment we know of: a profile update or a call."""
    modified_at: datetime
    """When the profile last changed; the first call when there is no profile."""
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    first_success_at: datetime | None = None
    """The first call that the app counts as a success: with 2xx or 3xx, unless it says else."""
    last_ip: str = ""
    changed_offset: int = 0
    """The log offset of the newest call or update."""
    name: str = ""
    lifecycle: Lifecycle = ""
    silence: Silence | None = None
    """The silence that made dormant, or resurrected; with the word for it."""

    @property
    def ttfhw_s(self) -> int | None:
        """Seconds to the first hello world: from the earliest moment to the first success."""
        if self.first_success_at is None:
            return None
        return max(0, int((self.first_success_at - self.created_at).total_seconds()))


class Company(Known, frozen=True, kw_only=True):
    """An organisation whose people call the API."""

    domain: str = ""


class Person(Known, frozen=True, kw_only=True):
    """A user of the API."""

    email: str = ""
    username: str = ""
    phone: str = ""
    photo_url: str = ""
    company_id: str = ""
    """As the profile says, else as the latest call says."""
    company_since: datetime | None = None
    """When the user was first seen with this company, since last seen with another one."""
    last_user_agent: str = ""
    agent: Agent = NO_AGENT
    """The parts of the last User-Agent."""
    first_touch: dict[str, Any] = {}
    """The campaign that the user came by first: `utm_source`, …"""
    last_touch: dict[str, Any] = {}
    location: dict[str, Any] = {}
    locale: str = ""
    anonymous_ids: tuple[str, ...] = ()
    """Browsers that were seen with the user."""
    session_keys: tuple[str, ...] = ()
    """Keyed fingerprints of session tokens that came with the user; never a token."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a company pays for, as a billing system said it."""

    id: str
    company_id: str
    status: str
    created_at: datetime
    modified_at: datetime
    doc: dict[str, Any]
