"""Hold what the panels of the first page show, ready as text for their templates.

Structs only: made by `panels`, read by the templates and, for the chart, by its custom element.
"""

import msgspec

from headwater.web.figures import Change, show_count


class Stat(msgspec.Struct, frozen=True):
    """One key figure."""

    label: str
    figure: str
    change: Change
    spark: str
    """The days of the window as points of a small line."""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The key figures, and what keeps them from being the whole truth."""

    stats: tuple[Stat, ...]
    remarks: tuple[str, ...]


class DayLabel(msgspec.Struct, frozen=True, kw_only=True):
    """One bar's names: in full and below the axis."""

    text: str
    tick: str


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """One tone of the bars."""

    name: str
    tone: str
    values: tuple[float, ...]


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """The chart: what the custom element draws, and the template lists as a table."""

    label: str
    days: tuple[DayLabel, ...]
    series: tuple[Stack, ...]
    partial: bool = True

    @property
    def spec(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        columns = [series.values for series in self.series]
        return [
            (day.text, [show_count(column[n]) for column in columns])
            for n, day in enumerate(self.days)
        ]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One of the most called endpoints."""

    verb: str
    route: str
    calls: str
    error_rate: str
    p95: str
    share_percent: str
    """Of the most called one."""


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user seen for the first time lately."""

    id: str
    name: str
    detail: str
    company: str
    first_seen: str
    calls: str
