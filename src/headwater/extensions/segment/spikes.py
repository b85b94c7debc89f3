"""Say on which days a user's error rate rose far above the user's own.

In: the errors of two days, each beside those of the week before. Out: the days that count as a
spike. Pure. A day is one occurrence: it is told once, as soon as a run sees it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.extensions.people import ErrorDay
from headwater.extensions.windows import Window
from headwater.profiles import day_window

_INSTANT = timedelta(milliseconds=1)
_PERCENT = 100


class Spike(msgspec.Struct, frozen=True):
    """From when on errors are a spike: all three hold."""

    calls: int = 100
    """Made on the day; and in the seven days before: fewer are no usual rate."""
    percent: int = 10
    """Of the day's calls are errors."""
    times: int = 3
    """As large a share as in the seven days before."""


def check_spike(spike: Spike) -> None:
    """Refuse what would call everything a spike, or nothing."""
    for name, value, most in (
        ("spike_calls", spike.calls, None),
        ("spike_percent", spike.percent, _PERCENT),
        ("spike_times", spike.times, None),
    ):
        if value < 1 or (most is not None and value > most):
            beyond = f" and at most {most}" if most else ""
            raise InvalidInputError(f"It is at least 1{beyond}, not {value}.", field=name)


def find_spikes(
    spike: Spike, days: Sequence[ErrorDay], window: Window
) -> Iterator[tuple[ErrorDay, datetime]]:
    """Yield the days, each with its moment: its end, or that of the run while it lasts."""
    for one in days:
        if is_spike(spike, one):
            end = day_window(window.app.timezone, one.day)[1]
            yield one, min(end - _INSTANT, window.now)


def is_spike(spike: Spike, one: ErrorDay) -> bool:
    """Tell whether the day is a spike; in whole numbers, so that a bound is a bound."""
    day, before = one.of_day, one.before
    return (
        min(day.calls, before.calls) >= spike.calls
        and day.errors * _PERCENT >= spike.percent * day.calls
        and day.errors * before.calls >= spike.times * before.errors * day.calls
    )
