"""Say in SQL what was known of a caller at the time of the call, one field at a time.

In: a field's path below `user` or `company`, and which words of visitors are whose. Out: a join
that gives every call the newest value said until then. A value is looked for where a profile keeps
it: whole, or inside a list or another value that was said in one piece. Of an object that was said
in parts only that it is there is told (`{}`): its parts are fields of their own.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from headwater.analytics.bound import Bound
from headwater.analytics.member import member
from headwater.profiles import INITIAL_CAMPAIGN, Voices, bind_visitors, words_sql

ProfileKind = Literal["user", "company"]


class Said(NamedTuple):
    """The values of one path over time: a table of `id`, `at`, `value`."""

    alias: str
    kind: ProfileKind
    sql: str

    @property
    def value(self) -> str:
        """What was said until the call; empty if nothing."""
        return f"{self.alias}.value"

    @property
    def join(self) -> str:
        """Lays beside each call `c` what was said of its caller until then."""
        return (
            f"LEFT ASOF JOIN ({self.sql}) AS {self.alias}"
            f" ON {self.alias}.id = c.{self.kind}_id AND {self.alias}.at <= c.time"
        )


class Past:
    """What was said of an app's people, when: made for one question."""

    def __init__(self, bound: Bound, app: str, end: str, voices: Voices) -> None:
        self._bound = bound
        self._app = app
        self._end = end
        self._visitors = bound.put(bind_visitors(voices), "String") if voices else ""
        self._count = 0

    def said(self, kind: ProfileKind, path: Sequence[str]) -> Said:
        """Return the values of one path."""
        self._count += 1
        words = words_sql(self._app, kind, self._end, self._visitors if kind == "user" else "")
        speaks, value = _read_path(path, self._bound)
        rows = f"SELECT id, time, update_id, {value} AS value FROM ({words}) WHERE {speaks}"
        # Of a first touch the earliest word counts, of everything else the newest.
        sql = (
            "SELECT id, min(time) AS at, argMin(value, (time, update_id)) AS value"
            f" FROM ({rows}) GROUP BY id"
            if path[0] == INITIAL_CAMPAIGN
            else "SELECT id, time AS at, argMax(value, update_id) AS value"
            f" FROM ({rows}) GROUP BY id, time"
        )
        return Said(f"said{self._count}", kind, sql)


def _read_path(path: Sequence[str], bound: Bound) -> tuple[str, str]:
    """Return whether an update says anything of a path, and what: JSON text, or nothing.

    What is said above it, such as a text where an object was, says that nothing is there any more.
    """
    cases: list[tuple[str, str]] = []
    for length in range(1, len(path) + 1):
        leaf = bound.put(list(path[:length]), "Array(String)")
        within = member(f"values[indexOf(paths, {leaf})]", path[length:], bound)
        cases.append((f"has(paths, {leaf})", within))
    whole = bound.put(list(path), "Array(String)")
    cases.append((f"arrayExists(path -> startsWith(path, {whole}), paths)", "'{}'"))
    speaks = " OR ".join(condition for condition, _ in cases)
    return speaks, f"multiIf({', '.join(part for case in cases for part in case)}, '')"
