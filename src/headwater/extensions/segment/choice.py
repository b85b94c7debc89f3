"""Leave out and rename what people chose, in every message alike.

In: a message, and what was chosen. Out: the message without what is left out, wherever it stands:
in traits, context and properties, in numbers, and inside metadata at any depth, under every name
that clients have for it. Pure. No message is sent that has not been here.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.extensions.leaving_out import IN_METADATA, LeavingOut
from headwater.model import Rollup

Json = dict[str, Any]

TRAITS = (
    "campaign", "company", "createdAt", "dailyAggregation", "email", "firstSeenTime",
    "last24HourAggResults", "lastSeenTime", "metadata", "modifiedTime", "name", "userAgent",
    "username",
)  # fmt: skip
"""What can be renamed. An id says whom a message is about, so it stays."""
_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "companyDomain": ("companyDomain",),
    "ip": ("ip", "ipAddress"),
    "lastSeenTime": ("lastSeenTime", "lastCallTime"),
    "locale": ("locale",),
    "location": ("location",),
    "phone": (),
    "photoUrl": (),
    "userAgent": ("userAgent", "os", "device"),
}
"""What stands beside the traits, or has another name there."""
CAN_BE_LEFT_OUT = tuple(sorted({*TRAITS, *_ELSEWHERE}))
_PARTS = ("traits", "context", "properties")
_NEW_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Choice:
    """What one connection leaves out, and what it calls by another name."""

    def __init__(self, without: Iterable[str], renamed: Mapping[str, str]) -> None:
        self._without = frozenset(without)
        self._renamed = renamed
        self._names = {place for name in self._without for place in _ELSEWHERE.get(name, (name,))}
        self._inside = LeavingOut(self._without, self._without)

    def leaves_out(self, name: str) -> bool:
        """Tell whether nothing may be said of this."""
        return name in self._without

    def thin(self, message: Json) -> Json:
        """Return the message without what is left out."""
        if not self._without:
            return message
        return message | {part: self._thin(message[part]) for part in _PARTS if part in message}

    def rename(self, message: Json) -> Json:
        """Return the message with its traits under the chosen names, if it is an identify."""
        if not self._renamed or message["type"] != "identify":
            return message
        named = {self._renamed.get(name, name): it for name, it in message["traits"].items()}
        return message | {"traits": named}

    def _thin(self, part: Json) -> Json:
        return {
            name: self._thin_value(name, value)
            for name, value in part.items()
            if name not in self._names
        }

    def _thin_value(self, name: str, value: Any) -> Any:
        if name == "company" and isinstance(value, dict):
            return self._thin(value)
        if name == "metadata":
            return self._inside.thin(value)
        return self._inside.thin_numbers(value) if isinstance(value, Rollup) else value


@lru_cache(maxsize=256)
def choice_of(without: tuple[str, ...], rename: tuple[str, ...]) -> Choice:
    """Return the choice of checked settings."""
    return Choice(without, dict(_split(pair) for pair in rename))


def clean_without(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names in order, each once; refuse one that means nothing: it would be sent."""
    tidy = tuple(sorted({name.strip() for name in names if name.strip()}))
    for name in tidy:
        inside = name.removeprefix(IN_METADATA)
        if name not in CAN_BE_LEFT_OUT and inside in {"", name}:
            raise InvalidInputError(
                f"There is nothing called {name!r} to leave out.",
                field="without",
                hint=f"Known: {', '.join(CAN_BE_LEFT_OUT)}, and {IN_METADATA}NAME.",
            )
    return tidy


def clean_rename(pairs: Iterable[str]) -> tuple[str, ...]:
    """Return `old=new` pairs in order; refuse names that are unknown, unusable or taken."""
    tidy = tuple(sorted({pair.strip() for pair in pairs if pair.strip()}))
    olds, news = [_split(pair)[0] for pair in tidy], [_split(pair)[1] for pair in tidy]
    for old, new in zip(olds, news, strict=True):
        if old not in TRAITS or olds.count(old) > 1:
            _refuse(f"There is no trait {old!r} to rename, or it is named twice.")
        if not _NEW_NAME.fullmatch(new):
            _refuse(f"{new!r} is no name: letters, digits and _ make one, 64 at most.")
        if news.count(new) > 1 or (new in {"id", *CAN_BE_LEFT_OUT} and new not in olds):
            _refuse(f"The name {new!r} is taken.")
    return tidy


def _split(pair: str) -> tuple[str, str]:
    old, _, new = pair.partition("=")
    return old.strip(), new.strip()


def _refuse(message: str) -> None:
    hint = f"Write old=new, such as email=emailAddress. Known: {', '.join(TRAITS)}."
    raise InvalidInputError(message, field="rename", hint=hint)
