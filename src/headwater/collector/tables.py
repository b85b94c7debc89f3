"""Take the lines of an access log that an import sends column by column.

In: a body of `CallColumns`, and who sent it when. Out: one record for the log, which holds what the
same lines would hold as events: secrets masked, each different text once. Raises
`InvalidInputError` for what cannot go this way, such as calls of an app with drop rules or of
tomorrow: an import then sends these lines as events. Pure.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from headwater.base.errors import InvalidInputError
from headwater.base.packed import PLACE_BYTES, highest_place, unpack
from headwater.base.vault import Vault
from headwater.collector.arrival import Arrival
from headwater.collector.checks import checked_id, label, required
from headwater.collector.masking import Masker, masker_for
from headwater.collector.times import EPOCH
from headwater.model import ID_BYTES, UNKNOWN_SIZE, CallColumns, CallTable, Texts

_MOST_ROWS = 100_000
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = (datetime(2000, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
_CLOCK_SKEW = timedelta(minutes=1)
_MOST_STATUS = 999
_MOST_BYTES = 10**12
_MOST_REMEMBERED = 10_000
_A_SIZE = {"content-length": "1"}
_VERB = re.compile(r"[A-Z-]{1,32}")
_decode = msgspec.json.Decoder(CallColumns).decode


def accept_table(body: bytes, arrival: Arrival, vault: Vault) -> CallTable:
    """Return the record of a post to `/v1/events/table`."""
    try:
        columns = _decode(body)
    except (msgspec.MsgspecError, RecursionError) as err:
        raise InvalidInputError(f"This is no table of calls: {err}.") from err
    masker = masker_for(arrival.masking, vault)
    _check_rows(columns)
    _check_numbers(columns, arrival)
    if not arrival.drops.is_empty or masker.headers([_A_SIZE]) != [_A_SIZE]:
        raise InvalidInputError("What this app drops or hides is decided call by call.")
    return CallTable(
        rows=columns.rows,
        app_id=arrival.app_id,
        received_at=arrival.received_at,
        sdk=arrival.sdk,
        columns=_settle(columns, arrival, masker),
    )


def _check_rows(columns: CallColumns) -> None:
    if columns.rows > _MOST_ROWS:
        raise InvalidInputError(f"A table has at most {_MOST_ROWS} rows.")
    if not _are_sound(columns):
        raise InvalidInputError("Some rows of this table lack a fact.")


def _are_sound(columns: CallColumns) -> bool:
    """Tell whether there are rows, and each has all of its facts."""
    rows = columns.rows
    numbers = (
        (columns.times, 8),
        (columns.statuses, 2),
        (columns.response_sizes, 8),
        (columns.call_ids, ID_BYTES),
    )
    texts = (
        columns.verbs, columns.uris, columns.user_ids, columns.ip_addresses, columns.referers,
        columns.user_agents,
    )  # fmt: skip
    return (
        rows > 0
        and all(len(column) == rows * size for column, size in numbers)
        and all(len(column.places) == rows * PLACE_BYTES for column in texts)
        and all(highest_place(column.places) < len(column.values) for column in texts)
    )


def _check_numbers(columns: CallColumns, arrival: Arrival) -> None:
    latest = arrival.received_at + _CLOCK_SKEW
    for column, type_, least, most in (
        ("times", pa.int64(), _EARLIEST, (latest - EPOCH) // _MICROSECOND),
        ("statuses", pa.uint16(), 0, _MOST_STATUS),
        ("response_sizes", pa.int64(), UNKNOWN_SIZE, _MOST_BYTES),
    ):
        found = pc.min_max(unpack(getattr(columns, column), type_)).as_py()
        if found["min"] < least or found["max"] > most:
            raise InvalidInputError("A number is out of range.", field=column)


def _settle(columns: CallColumns, arrival: Arrival, masker: Masker) -> CallColumns:
    """Check and mask each different text as it would be in an event."""
    users = columns.user_ids.values
    uris = [required(uri, "uris") for uri in columns.uris.values]
    addresses = [label(ip) or arrival.ip_address for ip in columns.ip_addresses.values]
    return replace(
        columns,
        verbs=_with(columns.verbs, map(_verb, columns.verbs.values)),
        uris=_with(columns.uris, masker.uris(uris)),
        user_ids=_with(columns.user_ids, (checked_id(u, "user_ids") for u in users)),
        ip_addresses=_with(columns.ip_addresses, map(masker.address, addresses)),
        referers=_masked(columns.referers, "referer", masker),
        user_agents=_masked(columns.user_agents, "user-agent", masker),
    )


def _verb(text: str) -> str:
    verb = text.upper()
    if not _VERB.fullmatch(verb):
        raise InvalidInputError("A verb has letters only.", field="verbs")
    return verb


def _masked(headers: Texts, name: str, masker: Masker) -> Texts:
    known = _known(masker, name)
    found = {value: known.get(value) for value in headers.values}
    new = [value for value, masked in found.items() if masked is None]
    masked = [header.get(name, "") for header in masker.headers([_header(name, v) for v in new])]
    found.update(zip(new, masked, strict=True))
    if len(known) > _MOST_REMEMBERED:
        known.clear()
    known.update(zip(new, masked, strict=True))
    return _with(headers, (found[value] or "" for value in headers.values))


def _header(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}


@lru_cache(maxsize=256)
def _known(masker: Masker, name: str) -> dict[str, str]:  # noqa: ARG001 - they are the key
    """Return what became of a header's values before: page after page has the same few."""
    return {}


def _with(texts: Texts, values: Iterable[str]) -> Texts:
    return Texts(list(values), texts.places)
