"""Merge what is known of one user or company, in any order, any grouping, any number of times.

In: states. Out: their union, and the document that people see. Pure. A state keeps the newest value
of every path, so merging is a maximum per path: commutative, associative, idempotent. Conflicts of
an object with a scalar are settled only when the document is drawn: both sides stay in the state,
so that what arrives late still finds what it has to beat.
"""

from datetime import datetime
from heapq import nsmallest
from typing import Any

import msgspec
from msgspec import Raw

MOST_LEAVES = 2_000
MOST_IDS = 1_000
CAMPAIGN = "campaign"
INITIAL_CAMPAIGN = "initial_campaign"
_FIRST_TOUCH = frozenset({(INITIAL_CAMPAIGN,)})
_KEPT_FIRST = frozenset(
    {
        ("metadata",),
        *(
            ("metadata", name)
            for name in ("email", "name", "first_name", "last_name", "username", "phone")
        ),
    }
)

Path = tuple[str, ...]


class Leaf(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One value that is not an object, with the moment that decides which of two wins."""

    path: Path
    value: Raw
    at: datetime
    by: str
    """The update's id: breaks ties of time."""

    def stamp(self) -> tuple[datetime, str, bytes]:
        return self.at, self.by, bytes(self.value)


class ProfileState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Everything that updates said of one user or company."""

    created_at: datetime
    """The earliest moment that an update speaks of."""
    modified_at: datetime
    anonymous: bool = False
    """Only ever named by an anonymous id."""
    leaves: tuple[Leaf, ...] = ()
    anonymous_ids: tuple[str, ...] = ()
    session_keys: tuple[str, ...] = ()
    overflowed: bool = False
    """Some values were too many, or too long, to keep."""


def merge(one: ProfileState, other: ProfileState) -> ProfileState:
    """Return what both say together."""
    best = {leaf.path: leaf for leaf in one.leaves}
    for leaf in other.leaves:
        known = best.get(leaf.path)
        best[leaf.path] = leaf if known is None else _choose(known, leaf)
    leaves = keep_leaves(best)
    return ProfileState(
        created_at=min(one.created_at, other.created_at),
        modified_at=max(one.modified_at, other.modified_at),
        anonymous=one.anonymous and other.anonymous,
        leaves=leaves,
        anonymous_ids=_unite(one.anonymous_ids, other.anonymous_ids),
        session_keys=_unite(one.session_keys, other.session_keys),
        overflowed=one.overflowed or other.overflowed or len(leaves) < len(best),
    )


def _choose(one: Leaf, other: Leaf) -> Leaf:
    better = min if one.path in _FIRST_TOUCH else max
    return better(one, other, key=Leaf.stamp)


def keep_leaves(best: dict[Path, Leaf]) -> tuple[Leaf, ...]:
    """Return at most `MOST_LEAVES`, those of the smallest rank, sorted.

    The rank looks at paths alone, so the same leaves stay whatever the order of merging; and a path
    ranks before all below it, so nothing is kept whose rival above was dropped.
    """
    if len(best) > MOST_LEAVES:
        best = {path: best[path] for path in nsmallest(MOST_LEAVES, best, key=_rank)}
    return tuple(best[path] for path in sorted(best))


def _rank(path: Path) -> tuple[int, Path]:
    return (0 if path in _KEPT_FIRST else len(path)), path


def _unite(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*one, *other})[:MOST_IDS])


def to_document(state: ProfileState) -> dict[str, Any]:
    """Draw the document: of two values in each other's way, the newer one shows.

    `campaign` is the last touch, `initial_campaign` the first. Values are `Raw` JSON.
    """
    document: dict[str, Any] = {}
    for leaf in _visible(state.leaves):
        inner = document
        for key in leaf.path[:-1]:
            inner = inner.setdefault(key, {})
        inner[leaf.path[-1]] = leaf.value
    return document


def _visible(leaves: tuple[Leaf, ...]) -> list[Leaf]:
    by_path = {leaf.path: leaf for leaf in leaves}
    hidden: set[Path] = set()
    for leaf in leaves:
        for length in range(1, len(leaf.path)):
            above = by_path.get(leaf.path[:length])
            if above is not None:
                hidden.add(min(above, leaf, key=Leaf.stamp).path)
    return [leaf for leaf in leaves if leaf.path not in hidden]
