"""Hold what all reports share: whose data, which time, which calls.

In: a scope, a spec and the time. Out: the FROM and WHERE of a query, with its values bound. The
app and the range are put in here and nowhere else, so a query without them cannot be built.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from headwater.analytics.bound import Bound
from headwater.analytics.fields import Fields, Need, Table
from headwater.analytics.filters import compile_filters
from headwater.analytics.scope import QueryScope
from headwater.analytics.spec import Common
from headwater.analytics.time_range import read_range, read_zone
from headwater.analytics.told import Past, Said
from headwater.profiles import Voices

COUNTED = frozenset(
    {"request.verb", "request.route", "response.status", "response.status_class", "client.name"}
)
"""The fields that the counters are kept by."""
QUARTER = timedelta(minutes=15)
_HELD = "verb, route, status, client_name"
_TIME = "DateTime64(6, 'UTC')"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_VOICES: Voices = {}


class Question:
    """One question about one app."""

    def __init__(
        self, scope: QueryScope, spec: Common, now: datetime, voices: Voices = NO_VOICES
    ) -> None:
        """`voices` are those of visitors, and needed when profiles are those of `then`."""
        self.zone = read_zone(spec.timezone or scope.timezone)
        self.span = read_range(spec.from_, spec.to, self.zone, now)
        self.bound = Bound()
        self.app_id = scope.app_id
        self.app = self.bound.put(scope.app_id, "String")
        self.start = self.bound.put(self.span.start, _TIME)
        self.end = self.bound.put(self.span.end, _TIME)
        self.has_filters = bool(spec.filters)
        then = spec.profiles == "then"
        past = Past(self.bound, self.app, self.end, voices) if then else None
        self.names = Fields(self.bound, past)
        self._condition = compile_filters(spec.filters, self.names)

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that the filters are about."""
        return self._condition.fields

    @property
    def where(self) -> str:
        """The condition on `c`, a call."""
        return f"{self.in_scope('c')} AND ({self._condition.sql})"

    def counted(self, fields: Collection[str] = ()) -> str | None:
        """Return `(…) AS c WHERE …`: calls counted beforehand, when they can answer.

        None when filters or `fields` are about more than the counters hold, or when no whole
        quarter of an hour lies in the range. `c` has `calls`, `errors` and `events` to be summed.
        """
        first, last = _next_quarter(self.span.start), _last_quarter(self.span.end)
        if first >= last or not COUNTED.issuperset({*self._condition.fields, *fields}):
            return None
        begin, end = self.bound.put(first, _TIME), self.bound.put(last, _TIME)
        held = f"{_HELD}, toDateTime64(slot, 6, 'UTC') AS time, calls, errors, events FROM counters"
        edges = (
            f"{_HELD}, time, toUInt64(weight) AS calls, if(status >= 400, calls, 0) AS errors,"
            f" 1 AS events FROM calls AS e WHERE {self.in_scope('e')}"
            f" AND (e.time < {begin} OR e.time >= {end})"
            f" AND toDate(e.time) IN (toDate({self.start}), toDate({end}))"
        )
        whole = f"app_id = {self.app} AND slot >= {begin} AND slot < {end}"
        return (
            f"(SELECT {held} WHERE {whole} UNION ALL SELECT {edges}) AS c"
            f" WHERE {self._condition.sql}"
        )

    def in_scope(self, alias: str) -> str:
        """The condition that no query goes without."""
        time = f"{alias}.time"
        return (
            f"{alias}.app_id = {self.app} AND {time} >= {self.start} AND {time} < {self.end}"
            # Rows lie by their day, and the engine looks for days only if it is told of days.
            f" AND toDate({time}) >= toDate({self.start}) AND toDate({time}) <= toDate({self.end})"
        )

    def calls(self, also: Collection[Need] = ()) -> str:
        """Return `calls AS c` joined with the tables that filters and `also` need."""
        bodies = f"SELECT * FROM bodies AS n WHERE {self.in_scope('n')}"
        return self._joined("calls AS c", bodies, also)

    def actions(self) -> str:
        """Return actions as `c`, in the words of calls, with the tables that filters need."""
        facts = f"SELECT *, action_id AS call_id FROM actions AS n WHERE {self.in_scope('n')}"
        return self._joined(f"({facts}) AS c", facts, ())

    def _joined(self, rows: str, bodies: str, also: Collection[Need]) -> str:
        needs = self._condition.needs | set(also)
        joins: dict[Need, str] = {
            "bodies": f"INNER JOIN ({bodies}) AS b"
            " ON b.log_offset = c.log_offset AND b.call_id = c.call_id",
            "user": f"LEFT JOIN ({self.profiles('user')}) AS u ON u.id = c.user_id",
            "company": f"LEFT JOIN ({self.profiles('company')}) AS o ON o.id = c.company_id",
        }
        wanted = [join for table, join in joins.items() if table in needs]
        said = sorted(need for need in needs if isinstance(need, Said))
        return " ".join([rows, *wanted, *(one.join for one in said)])

    def profiles(self, kind: Table) -> str:
        """Return the query for the app's profiles of one kind."""
        return f"SELECT id, doc FROM profiles FINAL WHERE app_id = {self.app} AND kind = '{kind}'"


def _last_quarter(at: datetime) -> datetime:
    return at - (at - _EPOCH) % QUARTER


def _next_quarter(at: datetime) -> datetime:
    return at + (_EPOCH - at) % QUARTER
