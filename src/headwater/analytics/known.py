"""List who is known, users or companies, with what they did in the range.

In: a search, an order, a cursor, filters, and how the two kinds differ. Out: rows and the next
cursor. With filters only those with such calls are listed; without, all that were ever seen or
described.
"""

from typing import Any, NamedTuple

import msgspec

from headwater.analytics.cursor import read_cursor, write_cursor
from headwater.analytics.meta import Asking
from headwater.analytics.question import Question
from headwater.analytics.spec import KnownSpec

_EPOCH = "toDateTime64(0, 6, 'UTC')"


class Kind(NamedTuple):
    """How one kind of those who are known differs from the other."""

    kind: str
    id: str
    """The column of calls that names them, and of the table of those who were seen."""
    seen: str
    """That table."""
    columns: str
    """What a row has besides."""
    seen_columns: str = ""
    counts: str = ""


class _Place(msgspec.Struct, frozen=True, array_like=True):
    rank: str
    id: str


async def list_known(
    asking: Asking, question: Question, spec: KnownSpec, kind: Kind
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page of rows, and the cursor of the next."""
    rows = await asking.ask(_sql(question, spec, kind), question)
    page = rows[: spec.limit]
    following = None
    if len(rows) > spec.limit:
        following = write_cursor(_Place(page[-1]["rank"], page[-1][kind.id]))
    for row in page:
        for name in ("first_seen_at", "last_seen_at"):
            row[name] = row[name] if row[name].timestamp() > 0 else None
    return page, following


def _sql(question: Question, spec: KnownSpec, kind: Kind) -> str:
    order = spec.order_by.removeprefix("-")
    descending = spec.order_by.startswith("-")
    # One text to order by, whatever the column: digits of fixed width sort like numbers.
    rank = {
        "calls": "leftPad(toString(calls), 20, '0')",
        kind.id: kind.id,
    }.get(order, f"leftPad(toString(toUnixTimestamp64Micro({order})), 20, '0')")
    conditions = ["1"]
    if spec.search:
        needle = question.bound.put(spec.search, "String")
        searched = f"concat({kind.id}, '\\n', name, '\\n', email)"
        conditions.append(f"positionCaseInsensitiveUTF8({searched}, {needle}) > 0")
    if question.has_filters:
        conditions.append("calls > 0")
    if spec.cursor:
        place = read_cursor(spec.cursor, _Place)
        at = question.bound.put(place.rank, "String")
        last = question.bound.put(place.id, "String")
        sign = "<" if descending else ">"
        conditions.append(f"(rank {sign} {at} OR (rank = {at} AND {kind.id} > {last}))")
    return (
        f"SELECT *, {rank} AS rank FROM ({_known(question, kind)})"
        f" WHERE {' AND '.join(conditions)}"
        f" ORDER BY rank {'DESC' if descending else 'ASC'}, {kind.id} LIMIT {int(spec.limit) + 1}"
    )


def _known(question: Question, kind: Kind) -> str:
    """Return the query for all of the kind with the numbers of the range."""
    q = question
    seen = (
        f"SELECT s.{kind.id} AS id, min(s.first_seen_at) AS first_seen,"
        f" max(s.last_seen_at) AS last_seen{kind.seen_columns}"
        f" FROM {kind.seen} AS s WHERE s.app_id = {q.app} GROUP BY s.{kind.id}"
    )
    said = (
        "SELECT id, name, email, company_id AS said_company FROM profiles FINAL"
        f" WHERE app_id = {q.app} AND kind = '{kind.kind}' AND NOT anonymous"
        " AND (own OR doc != '{}')"
    )
    did = (
        f"SELECT c.{kind.id} AS id, sum(toUInt64(c.weight)) AS calls,"
        f" sumIf(toUInt64(c.weight), c.status >= 400) AS errors{kind.counts}"
        f" FROM {q.calls()} WHERE {q.where} AND c.{kind.id} != '' GROUP BY c.{kind.id}"
    )
    return (
        f"SELECT if(s.id != '', s.id, p.id) AS {kind.id},"
        f" p.name AS name, p.email AS email, {kind.columns},"
        f" ifNull(s.first_seen, {_EPOCH}) AS first_seen_at,"
        f" ifNull(s.last_seen, {_EPOCH}) AS last_seen_at,"
        " ifNull(d.calls, 0) AS calls, ifNull(d.errors, 0) AS errors"
        f" FROM ({seen}) AS s FULL OUTER JOIN ({said}) AS p ON s.id = p.id"
        f" LEFT JOIN ({did}) AS d ON d.id = if(s.id != '', s.id, p.id)"
    )
