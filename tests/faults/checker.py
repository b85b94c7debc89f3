"""Compare what was stored with what was sent.

In: the producers' ledger, and every stored event. Out: what is wrong. An acknowledged event must be
there exactly once; one that was sent and not acknowledged may be there once; nothing else may be.
Pure: it asks nobody.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.ledger import Sent

_SHOWN = 5


@dataclass(frozen=True)
class Stored:
    """One event as it was read back."""

    id: str
    fingerprint: str


@dataclass(frozen=True)
class Verdict:
    """The ids of whatever is wrong."""

    lost: frozenset[str] = frozenset()
    """Acknowledged, and not there."""
    duplicated: frozenset[str] = frozenset()
    """There more than once, acknowledged or not."""
    phantom: frozenset[str] = frozenset()
    """There, and never sent."""
    corrupted: frozenset[str] = frozenset()
    """There with other content than was sent."""

    @property
    def is_clean(self) -> bool:
        return self == Verdict()

    def __str__(self) -> str:
        kinds = {name: sorted(ids) for name, ids in vars(self).items() if ids}
        told = (f"{len(ids)} {name}, such as {ids[:_SHOWN]}" for name, ids in kinds.items())
        return "; ".join(told) or "nothing is wrong"


def check(sent: Sent, stored: Iterable[Stored]) -> Verdict:
    """Return what is wrong with `stored`."""
    events = list(stored)
    times = Counter(event.id for event in events)
    return Verdict(
        lost=frozenset(sent.acknowledged - times.keys()),
        duplicated=frozenset(id_ for id_, count in times.items() if count > 1),
        phantom=frozenset(times.keys() - sent.intended.keys()),
        corrupted=frozenset(
            event.id
            for event in events
            if sent.intended.get(event.id, event.fingerprint) != event.fingerprint
        ),
    )
