"""Write a destination's last day as a person reads it.

In: a view of its deliveries. Out: figures, and its errors with samples, the most frequent first.
Pure.
"""

import msgspec

from headwater.federation import DeliveryView, Sample
from headwater.web.figures import show_ms

_SAMPLES = 2


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One class of errors."""

    name: str
    meaning: str
    attempts: str
    samples: list[Sample]


class LastDay(msgspec.Struct, frozen=True, kw_only=True):
    """Figures with their titles, and troubles."""

    figures: list[tuple[str, str]]
    troubles: list[Trouble]


def show_view(view: DeliveryView) -> LastDay:
    """Return a view in words."""
    return LastDay(
        figures=[
            ("Delivered", f"{view.delivered:,}"),
            ("At the first try", _share(view.first_try_share)),
            ("In the end", _share(view.delivered_share)),
            ("Age on arrival, p50", _age(view.age_p50_s)),
            ("Age on arrival, p99", _age(view.age_p99_s)),
        ],
        troubles=[
            Trouble(
                name=one.error_class,
                meaning=one.meaning,
                attempts=f"{one.attempts:,}",
                samples=one.samples[:_SAMPLES],
            )
            for one in view.errors
        ],
    )


def _share(share: float | None) -> str:
    return "none yet" if share is None else f"{share:.1%}"


def _age(seconds: float | None) -> str:
    return "none yet" if seconds is None else show_ms(seconds * 1000)
