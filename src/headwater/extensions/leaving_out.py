"""Leave things out of metadata and of numbers: under every name that clients have for them.

In: what is left out; metadata, or a rollup. Out: the same without it; metadata at any depth, in
lists too. Pure. The one place for all extensions, so that what one never sends another never sends
either.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from headwater.model import Rollup
from headwater.profiles import SPELLINGS

IN_METADATA = "metadata."
"""Begins the name of something that stands inside metadata; further dots are levels."""
SPELLED: Mapping[str, tuple[str, ...]] = {
    "campaign": ("utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term"),
    "company": ("company", "company_id", "company_name"),
    "companyDomain": SPELLINGS["domain"],
    "email": (*SPELLINGS["email"], "email_address", "mail"),
    "ip": ("ip", "ip_address"),
    "locale": SPELLINGS["locale"],
    "location": SPELLINGS["location"],
    "name": SPELLINGS["name"],
    "phone": SPELLINGS["phone"],
    "photoUrl": SPELLINGS["photo_url"],
    "userAgent": ("user_agent", "user_agent_string"),
    "username": SPELLINGS["username"],
}
"""How clients call a fact inside metadata; neither case nor separators count there."""
IN_NUMBERS: Mapping[str, str] = {
    "firstSeenTime": "firstCallAt",
    "lastSeenTime": "lastCallAt",
    "userAgent": "clients",
}
"""What tells a fact in the numbers of a day."""


class LeavingOut:
    """What is left out of metadata and numbers."""

    def __init__(self, facts: Collection[str], names: Iterable[str]) -> None:
        """`facts` are those above; of `names` those count that begin with `metadata.`."""
        self._numbers = {number for fact, number in IN_NUMBERS.items() if fact in facts}
        spelled = (spelt for fact in facts for spelt in SPELLED.get(fact, ()))
        self._spelled = frozenset(map(_plain, spelled))
        self._paths = [
            name.removeprefix(IN_METADATA).lower() for name in names if name.startswith(IN_METADATA)
        ]

    def thin(self, metadata: Any) -> Any:
        """Return the metadata without what is left out."""
        for path in self._paths:
            metadata = _without_path(metadata, path)
        return _without_names(metadata, self._spelled) if self._spelled else metadata

    def thin_numbers(self, numbers: Rollup) -> Rollup | dict[str, Any]:
        """Return the numbers without what is left out: absent, not zero."""
        if not self._numbers:
            return numbers
        told: dict[str, Any] = msgspec.to_builtins(numbers)
        return {name: number for name, number in told.items() if name not in self._numbers}


def _without_path(value: Any, path: str) -> Any:
    """Return metadata without what stands at a path; its dots are levels, or part of a name."""
    if isinstance(value, list):
        return [_without_path(inner, path) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_path(inner, path.removeprefix(f"{name.lower()}."))
        if path.startswith(f"{name.lower()}.")
        else inner
        for name, inner in value.items()
        if name.lower() != path
    }


def _without_names(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_names(inner, names)
            for name, inner in value.items()
            if _plain(name) not in names
        }
    if isinstance(value, list):
        return [_without_names(inner, names) for inner in value]
    return value


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
