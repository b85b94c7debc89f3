"""Leave things out of metadata: at any depth, in lists too, under every name that clients have.

In: what is left out, and metadata. Out: the metadata without it. Pure. The one place for all
extensions, so that what one never sends another never sends either.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

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


class LeavingOut:
    """What is left out of metadata."""

    def __init__(self, facts: Iterable[str], names: Iterable[str]) -> None:
        """`facts` are those of `SPELLED`; of `names` those count that begin with `metadata.`."""
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
