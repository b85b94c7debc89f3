"""Say what an extension is: what it declares, what it makes of people, and how it sends.

In: nothing. Out: the shapes that the mechanism and the extensions share. The mechanism knows every
extension by these alone: connections, schedule, outbox, delivery, runs and status are the same for
all of them. An extension is a folder with an object of this protocol, named in the gallery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, Protocol, TypeVar

import msgspec

from headwater.base.egress import Egress
from headwater.extensions.packet import Limits, Packet
from headwater.extensions.people import People, Wanted


class Suggestion(msgspec.Struct, frozen=True):
    """A value that many choose, by name."""

    name: str
    title: str
    value: str
    example: str = ""
    """Not empty: everybody has a value of their own, of this form."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fill in when connecting."""

    name: str
    title: str
    description: str
    required: bool = False
    secret: bool = False
    """Stored encrypted, shown masked; each extension has exactly one."""
    kind: Literal["text", "flag", "list"] = "text"
    default: str = ""
    choices: tuple[str, ...] = ()
    """The only values there are; of a list, those that can be in it."""
    suggestions: tuple[Suggestion, ...] = ()
    """Values among others."""
    of_source: str = ""
    """Left empty, it is this field of the source of this server whose write key the secret is."""


class ExtensionType(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the gallery."""

    type: str
    title: str
    description: str
    settings: tuple[Setting, ...]

    @property
    def secret(self) -> Setting:
        """The setting that is the secret."""
        return next(setting for setting in self.settings if setting.secret)


class Target(msgspec.Struct, frozen=True):
    """Where a connection sends, and in which shape: another target gets everybody afresh."""

    url: str
    """Empty: this server itself."""
    shape: str = ""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One message, made."""

    message_id: str
    user_id: str
    """Whom it is about: nothing about a suppressed user enters."""
    subject: str
    """What it is the newest word about, such as `user:ann`: of one subject the same message enters
    once in a row. Empty: it always enters."""
    payload: bytes | None
    """Its JSON; None: it could not be made small enough."""


class Verdict(Enum):
    """What to do after one batch."""

    ACCEPTED = "accepted"
    """Delivered, but for the rejected ones."""
    REFUSED = "refused"
    """Something in it is wrong: smaller batches find out what."""
    HALTED = "halted"
    """The connection is wrong: a person has to look; the messages wait."""
    LATER = "later"
    """Trouble that passes."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and answered, for people to see; without the body that was sent."""

    method: str
    url: str
    headers: dict[str, str]
    """The secret is masked."""
    status: int | None = None
    """None: no answer."""
    answer_headers: dict[str, str] = {}
    answer: str = ""


class KeyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint said of a secret."""

    checked: bool
    word: str
    """For people: what is known, or why nothing is."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one batch went."""

    verdict: Verdict
    reason: str = ""
    rejected: dict[int, str] = {}
    """Place in the batch, and the endpoint's word."""
    wait_s: float | None = None
    """What the endpoint asked for."""
    exchange: Exchange | None = None


class Sender(Protocol):
    """One target, ready to send."""

    async def send(self, packet: Packet, sent_at: datetime) -> Outcome:
        """Send one batch, once: who calls decides about another try."""
        ...

    async def check(self, at: datetime) -> KeyCheck:
        """Ask whether the secret is right, changing nothing; raise `HeadwaterError` if it is not.

        Where there is no way to ask, say so.
        """
        ...


@dataclass(frozen=True)
class Outside:
    """What a sender needs to reach the world."""

    egress: Egress
    built_in_url: str
    """Where this server itself answers."""
    timeout_s: float


S = TypeVar("S", bound=msgspec.Struct)


class Extension(Protocol[S]):
    """What is particular about one kind of receiver."""

    @property
    def declaration(self) -> ExtensionType:
        """The entry of the gallery."""
        ...

    @property
    def limits(self) -> Limits:
        """How large a batch may be."""
        ...

    def read_settings(self, values: Mapping[str, object]) -> S:
        """Check what was filled in or stored, without the secret; name the field that is wrong."""
        ...

    def read_secret(self, text: str) -> str:
        """Check the secret's form."""
        ...

    def target(self, settings: S) -> Target:
        """Tell where and in which shape these settings send."""
        ...

    def wanted(self, settings: S) -> Wanted:
        """Tell which numbers the messages need."""
        ...

    def compose(self, settings: S, people: People) -> Sequence[Item]:
        """Make the messages of a page of users: pure, the same for the same page."""
        ...

    def open(self, settings: S, secret: str, outside: Outside) -> Sender:
        """Return what sends."""
        ...
