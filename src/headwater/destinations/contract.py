"""Say what a destination is: a type, its settings, and a way to deliver.

In: parcels of messages. Out: an outcome for each, with its fate. A destination keeps no state and
never waits for a second try: `federation` does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from headwater.base.egress import Egress, Reply
from headwater.base.errors import HeadwaterError, InvalidInputError, Terminal
from headwater.base.retry import retry_after_s
from headwater.model import Message

SAMPLE_BYTES = 500
_SUCCESS = range(200, 300)
_SERVER_ERRORS = range(500, 600)
_TRY_AGAIN = frozenset({408, 425, 429})

Values = Mapping[str, str]
"""Settings of one instance, complete and checked."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One field that a person fills in."""

    name: str
    title: str
    help: str
    kind: Literal["url", "text", "integer"] = "text"
    is_secret: bool = False
    is_required: bool = False
    default: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message."""

    fate: Literal["delivered", "retry", "dead"]
    status: int | None = None
    error: str = ""
    """What went wrong, with the beginning of the answer."""
    retry_after_s: float | None = None
    """What the other side asked for."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What travels together in one request."""

    messages: Sequence[Message]
    sent_at: datetime
    timeout_s: float


class Destination(Protocol):
    """A type of destination; one object serves all its instances."""

    @property
    def type(self) -> str:
        """The name in commands and tables."""
        ...

    @property
    def title(self) -> str:
        """The display name, which `integrations` of a message may use."""
        ...

    @property
    def settings(self) -> tuple[Setting, ...]: ...

    def check(self, values: Values, egress: Egress) -> dict[str, str]:
        """Return the settings, completed with what is made here; refuse wrong ones."""
        ...

    def batch_size(self, values: Values) -> int:
        """Return how many messages travel together."""
        ...

    async def deliver(self, egress: Egress, values: Values, parcel: Parcel) -> list[Outcome]:
        """Send one parcel; return an outcome for each of its messages, in order."""
        ...


def check_names(settings: Sequence[Setting], values: Values) -> dict[str, str]:
    """Refuse unknown and missing settings; fill in defaults."""
    known = {setting.name: setting for setting in settings}
    for name in values:
        if name not in known:
            raise InvalidInputError(
                f"There is no setting {name!r}.",
                field=name,
                hint=f"Settings are {', '.join(known)}.",
            )
    for setting in settings:
        if setting.is_required and not values.get(setting.name):
            raise InvalidInputError(f"The setting {setting.name} is needed.", field=setting.name)
    return {name: values.get(name) or setting.default for name, setting in known.items()}


def judge_reply(reply: Reply) -> Outcome:
    """Say what a status means: 2xx done; 408, 425, 429 and 5xx try again; all others never."""
    if reply.status in _SUCCESS:
        return Outcome(fate="delivered", status=reply.status)
    sample = reply.body[:SAMPLE_BYTES].decode("utf-8", "replace").strip()
    error = f"answered {reply.status}" + (f": {sample}" if sample else "")
    if reply.status in _TRY_AGAIN or reply.status in _SERVER_ERRORS:
        wait_s = retry_after_s(reply.headers.get("retry-after"))
        return Outcome(fate="retry", status=reply.status, error=error, retry_after_s=wait_s)
    return Outcome(fate="dead", status=reply.status, error=error)


def judge_error(err: HeadwaterError) -> Outcome:
    """Say what an error without an answer means: its own fate."""
    return Outcome(fate="dead" if isinstance(err, Terminal) else "retry", error=err.message)
