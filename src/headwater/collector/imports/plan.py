"""Plan an import: give each line's event an id that is the same at every reading.

In: lines and their format. Out: events ready to send, and rejects with line number and reason. An
id stands for the line's content and for how often that content came before in the file, so that
reading a file again, or going on where a reading broke off, adds nothing. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.ids import stable_id
from headwater.collector.imports.fields import TRIAL_VAULT
from headwater.collector.imports.formats import AUTO, PARSERS, Parser, find_format
from headwater.collector.json_text import write_json
from headwater.collector.masking import masker_for
from headwater.collector.times import read_time
from headwater.collector.tolerance import as_text
from headwater.workspace import MaskingPolicy

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


def plan_events(
    lines: Iterable[bytes], form: str = AUTO, user_from: str = ""
) -> Iterator[Planned | Rejected]:
    """Return what becomes of each line.

    `user_from` names what tells the user: `ip`, `remote_user`, or the path of a field, such as
    `metadata.login`.
    """
    lines = iter(lines)
    if form == AUTO:
        first = list(islice(lines, _LINES_TO_LOOK_AT))
        if not first:
            return
        form, lines = find_format(first), chain(first, lines)
    parse = PARSERS[form]
    came_before: Counter[str] = Counter()
    for number, line in enumerate(lines, 1):
        content = stable_id(line.decode("latin-1"))
        try:
            event = _parse(line, parse)
        except InvalidInputError as err:
            yield Rejected(
                line=number,
                reason=_reason(err),
                sample=masked_sample(line[:_SAMPLE_READ_BYTES])[:_SAMPLE_CHARACTERS],
            )
            continue
        yield _plan(event, stable_id("import", content, str(came_before[content])), user_from)
        came_before[content] += 1


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
