"""Write numbers, changes and days the way people read them.

In: numbers and aware times. Out: text. Pure. Full digits in tables, one decimal for percentages, a
sign and an arrow for changes, `20 Nov 2026` for days.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

DAYS = 30
_SECONDS_FROM_MS = 10_000
_MANY_TIMES = 10
_SPARK_FOOT = 26
_THOUSAND = 1000
Rising = Literal["good", "bad"]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The last days of an app in its own time zone, and as many before; today is not over."""

    start: datetime
    end: datetime
    before_start: datetime
    before_end: datetime

    @property
    def days(self) -> list[date]:
        first = self.start.date()
        return [first + timedelta(days=n) for n in range(DAYS)]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How a figure moved: text with sign and arrow, and whether that is good."""

    text: str
    tone: Literal["good", "bad", ""] = ""


def last_days(now: datetime, timezone: str) -> Window:
    """Return the window that ends with this quarter of an hour; both halves end alike.

    Whole quarters are what the store keeps counters for, and they hold the very last call too.
    """
    here = now.astimezone(ZoneInfo(timezone))
    quarter = here.replace(minute=here.minute // 15 * 15, second=0, microsecond=0)
    end = quarter + timedelta(minutes=15)
    today = here.replace(hour=0, minute=0, second=0, microsecond=0)
    # Wall-clock arithmetic on purpose: a day of 23 or 25 hours is one day.
    return Window(
        start=today - timedelta(days=DAYS - 1),
        end=end,
        before_start=today - timedelta(days=2 * DAYS - 1),
        before_end=end - timedelta(days=DAYS),
    )


def show_count(number: float) -> str:
    return f"{number:,.0f}"


def show_percent(share: float) -> str:
    return f"{share * 100:.1f}%"


def show_ms(duration_ms: float) -> str:
    if duration_ms >= _SECONDS_FROM_MS:
        return f"{duration_ms / 1000:,.1f} s"
    return f"{duration_ms:,.0f} ms"


def show_bytes(count: int) -> str:
    """Return `512 B`, `12.3 kB`, `4.0 MB`, `1.2 GB`."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < _THOUSAND:
            return f"{size:,.0f} B" if unit == "B" else f"{size:,.1f} {unit}"
        size /= _THOUSAND
    return f"{size:,.1f} GB"


def show_span(seconds: float) -> str:
    """Return the two largest units of a span: `45 s`, `3 min 5 s`, `2 h 10 min`, `4 days 3 h`."""
    left = int(seconds)
    days, left = divmod(left, 86_400)
    hours, left = divmod(left, 3_600)
    minutes, rest = divmod(left, 60)
    parts = ((days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"), (rest, "s"))
    first = next((n for n, (count, _) in enumerate(parts) if count), len(parts) - 1)
    told = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(told) or "0 s"


def show_day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def show_tick(day: date) -> str:
    return f"{day.day} {day:%b}"


def show_moment(at: datetime, timezone: str) -> str:
    local = at.astimezone(ZoneInfo(timezone))
    return f"{show_day(local)}, {local:%H:%M}"


def show_period(window: Window) -> str:
    """Return `24 Oct - 22 Nov 2026`, with the year twice when it changes."""
    first, last = window.days[0], window.days[-1]
    head = show_tick(first) if first.year == last.year else show_day(first)
    return f"{head} – {show_day(last)}"  # noqa: RUF001 - a range of days takes an en dash


def spark_points(values: Sequence[float | None]) -> str:
    """Return the points of a line in a box of 100 x 28, the least value at its foot.

    The last day is not over and is left out; so are days without a value.
    """
    days = [(day, value) for day, value in enumerate(values[:-1]) if value is not None]
    least = min((value for _, value in days), default=0.0)
    reach = max((value for _, value in days), default=0.0) - least or 1.0
    step = 100 / max(1, len(values) - 2)
    return " ".join(
        f"{day * step:.1f},{_SPARK_FOOT - (value - least) / reach * _SPARK_FOOT + 1:.1f}"
        for day, value in days
    )


def change_of(now: float, before: float, *, rising: Rising) -> Change:
    """Return the relative change; nothing can be said when there was nothing before."""
    if before <= 0:
        return Change(text="nothing to compare with")
    ratio = now / before
    if ratio >= _MANY_TIMES:
        return Change(text=f"▲ {ratio:,.0f} times", tone=rising)
    return _arrow(ratio - 1, f"{abs(ratio - 1) * 100:.1f}%", rising)


def points_of(now: float, before: float | None, *, rising: Rising) -> Change:
    """Return the change of a share in percentage points."""
    if before is None:
        return Change(text="nothing to compare with")
    return _arrow(now - before, f"{abs(now - before) * 100:.1f} points", rising)


def _arrow(difference: float, size: str, rising: Rising) -> Change:
    if size.startswith("0.0"):
        return Change(text=f"± {size}")
    falling: Rising = "bad" if rising == "good" else "good"
    if difference > 0:
        return Change(text=f"▲ +{size}", tone=rising)
    return Change(text=f"▼ −{size}", tone=falling)  # noqa: RUF001 - a minus as wide as the plus
