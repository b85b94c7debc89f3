"""Say what a destination is: what it declares, and how it delivers.

In: nothing. Out: the shapes that the mechanism and the types share. The mechanism knows a type by
these alone: catalogue, settings, filters, mappings, tester, delivery and deletion are the same for
all of them. A type is a folder with an object of this protocol, named in `registry.py`. It keeps
no state and never waits for a second try: `federation` does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from headwater.destinations.conditions import Condition
from headwater.destinations.fields import FieldValue
from headwater.destinations.wire import Outcome, Wire
from headwater.model import Message

Values = Mapping[str, str]
"""Settings of one instance, complete and checked; a flag is `true` or `false`."""

MESSAGE_TYPES = ("identify", "track", "page", "screen", "group", "alias")


class Choice(msgspec.Struct, frozen=True):
    """One of the values that a setting can have."""

    value: str
    title: str


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One field that a person fills in."""

    name: str
    title: str
    help: str
    kind: Literal["url", "text", "integer", "boolean", "choice"] = "text"
    is_secret: bool = False
    """Sealed like all settings, and shown masked."""
    is_required: bool = False
    default: str = ""
    least: int = 0
    most: int = 2**31 - 1
    choices: tuple[Choice, ...] = ()
    """The only values there are, of kind `choice`."""


class ActionField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an action sends."""

    name: str
    title: str
    help: str = ""
    kind: Literal["text", "number", "boolean", "object", "list", "any"] = "text"
    """Texts and numbers become each other where they can; nothing else does."""
    is_required: bool = False
    default: FieldValue | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a destination can do with a message."""

    name: str
    title: str
    help: str = ""
    fields: tuple[ActionField, ...]
    trigger: Condition | None = None
    """A new destination does this for these messages; None: only when somebody maps it."""


class DestinationType(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue."""

    type: str
    """The name in commands and tables."""
    title: str
    """The display name, which `integrations` of a message may use."""
    description: str
    settings: tuple[Setting, ...]
    actions: tuple[Action, ...]
    message_types: tuple[str, ...] = MESSAGE_TYPES
    """Others are never brought here."""

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the settings that nobody may see."""
        return frozenset(setting.name for setting in self.settings if setting.is_secret)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to deliver: what a mapping made of a message."""

    message: Message
    mapping: str
    """The mapping's id."""
    action: str
    fields: dict[str, Any]
    """What to send, complete; fields without a value are not there."""
    error: str = ""
    """Not empty: it must not be sent, the message does not fit the mapping."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What travels together: items of one action, none with an error."""

    action: str
    items: Sequence[Item]
    sent_at: datetime


class Destination(Protocol):
    """A type of destination; one object serves all its instances."""

    @property
    def declaration(self) -> DestinationType: ...

    def complete(self, values: Values) -> dict[str, str]:
        """Return settings with what is made here; refuse what only this type knows to be wrong.

        Names, kinds, needed ones and URLs were checked before.
        """
        ...

    def batch_size(self, values: Values, action: str) -> int:
        """Return how many items travel together."""
        ...

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        """Send one parcel; return an outcome for each of its items, in order."""
        ...


@runtime_checkable
class Forgets(Protocol):
    """A type that can also delete people: a destination with one method more."""

    async def forget(
        self, wire: Wire, values: Values, user_ids: Sequence[str], at: datetime
    ) -> list[Outcome]:
        """Ask to delete each user; return an outcome for each, in order."""
        ...


@runtime_checkable
class Rotates(Protocol):
    """A type whose secret can be changed without a break: a destination with one method more."""

    def rotate(self, values: Values, until: datetime) -> dict[str, str]:
        """Return settings with a new secret; the one of before goes on working until then."""
        ...
