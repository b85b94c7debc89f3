"""Plan an import: what becomes of each line of a file.

In: pages of lines and their format. Out: for each page the calls that can go column by column,
events ready to send, and rejects with line number and reason. Ids are the same at every reading, so
that reading a file again, or going on where a reading broke off, adds nothing. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from headwater.base.errors import InvalidInputError
from headwater.collector.imports.call_ids import CallIds
from headwater.collector.imports.columns import read_plain, span_of, take_rows
from headwater.collector.imports.fields import TRIAL_VAULT
from headwater.collector.imports.formats import AUTO, PARSERS, Parser, find_format
from headwater.collector.json_text import write_json
from headwater.collector.masking import masker_for
from headwater.collector.times import read_time
from headwater.collector.tolerance import as_text
from headwater.model import ID_BYTES, CallColumns
from headwater.workspace import MaskingPolicy

_USERS_BY_COLUMN = ("", "ip", "remote_user")
_USER_PATHS = {"ip": "request.ip_address", "remote_user": "user_id"}
_SAMPLE_READ_BYTES = 4_096
_SAMPLE_CHARACTERS = 200
_LINES_TO_LOOK_AT = 20
_LONGEST_LINE_BYTES = 10_000_000


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """An event to send."""

    call_id: str
    time: datetime | None
    event: bytes
    """JSON, ready for the Collector API."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A line that says nothing."""

    line: int
    reason: str
    sample: str
    """Its beginning, secrets masked."""


class Bulk(msgspec.Struct, frozen=True):
    """Calls of one page that go column by column, and the lines that tell of them."""

    columns: CallColumns
    lines: list[bytes]

    @property
    def call_ids(self) -> list[str]:
        """The id of each."""
        digits, width = self.columns.call_ids.hex(), 2 * ID_BYTES
        return [digits[at : at + width] for at in range(0, len(digits), width)]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The first and the last time."""
        return span_of(self.columns)

    def without(self, known: AbstractSet[str]) -> "Bulk":
        """Return the calls whose ids are not among these."""
        left = [place for place, id_ in enumerate(self.call_ids) if id_ not in known]
        if len(left) == len(self.lines):
            return self
        return Bulk(take_rows(self.columns, left), [self.lines[place] for place in left])


class Page(msgspec.Struct, frozen=True):
    """What becomes of some lines that follow on each other."""

    lines: int
    bulk: Bulk | None
    rest: list[Planned | Rejected]


class Plan:
    """Reads one file, page by page.

    `user_from` names what tells the user: `ip`, `remote_user`, or the path of a field, such as
    `metadata.login`.
    """

    def __init__(self, form: str = AUTO, user_from: str = "", *, by_column: bool = False) -> None:
        self._form = form
        self._user_from = user_from
        self._by_column = by_column and user_from in _USERS_BY_COLUMN
        self._ids = CallIds()
        # Of their own: which lines are plain does not depend on how a file is cut into pages.
        self._ids_of_plain = CallIds()
        self._before = 0

    def read(self, lines: Sequence[bytes]) -> Page:
        """Return what becomes of the next lines."""
        if self._form == AUTO:
            self._form = find_format(lines[:_LINES_TO_LOOK_AT])
        bulk, rest = self._split(lines) if self._has_columns else (None, enumerate(lines))
        parse = PARSERS[self._form]
        planned = [self._plan_line(self._before + n, line, parse) for n, line in rest]
        self._before += len(lines)
        return Page(len(lines), bulk, planned)

    def read_singly(self, bulk: Bulk) -> list[Planned]:
        """Return the events of calls that cannot go column by column after all."""
        parse = PARSERS[self._form]
        pairs = zip(bulk.lines, bulk.call_ids, strict=True)
        return [_plan(parse(line), call_id, self._user_from) for line, call_id in pairs]

    @property
    def _has_columns(self) -> bool:
        return self._by_column and self._form == "combined"

    def _split(self, lines: Sequence[bytes]) -> tuple[Bulk | None, list[tuple[int, bytes]]]:
        places, columns = read_plain(lines)
        if columns is None:
            return None, list(enumerate(lines))
        plain = [lines[place] for place in places]
        call_ids = self._ids_of_plain.of_all(plain)
        user_ids = columns.ip_addresses if self._user_from == "ip" else columns.user_ids
        columns = replace(columns, call_ids=call_ids, user_ids=user_ids)
        left = set(range(len(lines))).difference(places) if len(places) < len(lines) else ()
        return Bulk(columns, plain), [(place, lines[place]) for place in sorted(left)]

    def _plan_line(self, before: int, line: bytes, parse: Parser) -> Planned | Rejected:
        try:
            event = _parse(line, parse)
        except InvalidInputError as err:
            return Rejected(
                line=before + 1,
                reason=_reason(err),
                sample=masked_sample(line[:_SAMPLE_READ_BYTES])[:_SAMPLE_CHARACTERS],
            )
        return _plan(event, self._ids.of(line), self._user_from)


def plan_events(
    lines: Iterable[bytes], form: str = AUTO, user_from: str = ""
) -> Iterator[Planned | Rejected]:
    """Return what becomes of each line, one by one."""
    lines = iter(lines)
    plan = Plan(form, user_from)
    if first := list(islice(lines, _LINES_TO_LOOK_AT)):
        yield from plan.read(first).rest
    for line in lines:
        yield from plan.read([line]).rest


def _parse(line: bytes, parse: Parser) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE_BYTES:
        raise InvalidInputError(f"The line is longer than {_LONGEST_LINE_BYTES} bytes.")
    return parse(line)


def _plan(event: dict[str, Any], call_id: str, user_from: str) -> Planned:
    own_id = event.get("transaction_id")
    if own_id is None or own_id == "":
        event["transaction_id"] = call_id
    user = _at(event, _USER_PATHS.get(user_from, user_from)) if user_from else None
    if user is not None and not isinstance(user, dict | list):
        event["user_id"] = user
    time = _at(event, "request.time")
    return Planned(
        call_id=as_text(event["transaction_id"], "$.transaction_id"),
        time=read_time(time) if isinstance(time, str | int | float) else None,
        event=write_json(event),
    )


def _at(event: dict[str, Any], path: str) -> Any:
    value: Any = event
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _reason(err: InvalidInputError) -> str:
    return f"{err.field}: {err.message}" if err.field.strip("$") else err.message


def masked_sample(item: bytes) -> str:
    """Return a line or an event as it may be shown to whoever looks over a shoulder.

    By the default policy: which app it is for is known when it is sent.
    """
    return masker_for(MaskingPolicy(), TRIAL_VAULT).sample(item)
