"""Lay out tables of calls, as the lines of access logs come, as rows of `landing`.

In: the tables of a range of the log. Out: rows, column by column, the same as the same calls would
have one by one: route, host, client and country are found by the very functions that find them for
a single call, once for each different text. Or the single calls themselves. Pure.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headwater.base.packed import PLACE_BYTES, unpack, unpack_texts
from headwater.ingest.clients import recognise_client
from headwater.ingest.guard import OTHER_CLIENT, OTHER_ROUTE, Guards
from headwater.ingest.heads import Added, Call, CallHead
from headwater.ingest.routes import split_uri, to_route
from headwater.model import ID_BYTES, ApiCall, CallColumns, CallTable, Texts, note_headers

Tables = Sequence[tuple[int, CallTable]]
"""Each with the offset of its log entry."""
CountryOf = Callable[[str], str]

_ROWS = re.compile(rb'\{"t":"table","rows":(\d+)')
_ROWS_PER_CALL = 5
_FLAG = "backfill"
_MILLISECONDS = pa.timestamp("ms", "UTC")
_MICROSECONDS = pa.timestamp("us", "UTC")
_encode = msgspec.json.Encoder().encode
_read_head = msgspec.json.Decoder(CallHead).decode


def weigh_table(entry: bytes) -> int:
    """Return how many calls would cost as much as the table that an entry begins with."""
    found = _ROWS.match(entry)
    return int(found[1]) // _ROWS_PER_CALL if found else 0


def lay_out(tables: Tables, guards: Guards, country_of: CountryOf) -> pa.Table:
    """Return the rows of all tables of a range; there is at least one."""
    laid = [_lay_out(offset, table, guards, country_of) for offset, table in tables]
    return pa.concat_tables(laid).unify_dictionaries().combine_chunks()


def _lay_out(offset: int, table: CallTable, guards: Guards, country_of: CountryOf) -> pa.Table:
    facts, rows = table.columns, table.rows
    sizes, addresses = unpack(facts.response_sizes, pa.int64()), facts.ip_addresses
    return pa.table(
        {
            "app_id": unpack_texts([table.app_id], bytes(rows * PLACE_BYTES)),
            "time": _times(facts),
            "call_id": _call_ids(facts.call_ids),
            "user_id": _column(facts.user_ids),
            "verb": _column(facts.verbs),
            "uri": _column(facts.uris),
            **_places(facts.uris, table.app_id, guards),
            "status": unpack(facts.statuses, pa.uint16()),
            **_clients(facts.user_agents, table.app_id, guards),
            "sdk": unpack_texts([table.sdk], bytes(rows * PLACE_BYTES)),
            "country": unpack_texts([*map(country_of, addresses.values)], addresses.places),
            "ip_address": _column(addresses),
            "response_bytes": pc.max_element_wise(sizes, 0).cast(pa.uint64()),
            "flags": pa.ListArray.from_arrays(
                pa.array(range(rows + 1), pa.int32()), pa.repeat(_FLAG, rows)
            ),
            "received_at": pa.repeat(pa.scalar(table.received_at, _MILLISECONDS), rows),
            "log_offset": pa.repeat(pa.scalar(offset, pa.uint64()), rows),
            "user_agent": _column(facts.user_agents),
            "request_headers": _request_headers(facts.referers, facts.user_agents),
            "response_headers": _response_headers(sizes),
        }
    )


def _column(texts: Texts) -> pa.DictionaryArray:
    return unpack_texts(texts.values, texts.places)


def _times(facts: CallColumns) -> pa.TimestampArray:
    return unpack(facts.times, pa.int64()).cast(_MICROSECONDS)


def _places(uris: Texts, app_id: str, guards: Guards) -> dict[str, pa.DictionaryArray]:
    """Return host and route, the latter within the variety that is left."""
    found = [split_uri(uri) for uri in uris.values]
    routes = [to_route(path) for _, path in found]
    admitted = [r if guards.routes.admit(app_id, r) else OTHER_ROUTE for r in routes]
    return {
        "host": unpack_texts([host for host, _ in found], uris.places),
        "route": unpack_texts(admitted, uris.places),
    }


def _clients(agents: Texts, app_id: str, guards: Guards) -> dict[str, pa.DictionaryArray]:
    """Return who called, as far as there is room for another name."""
    found = [
        client
        if guards.clients.admit(app_id, client.name)
        else client._replace(name=OTHER_CLIENT, version="")
        for client in map(recognise_client, agents.values)
    ]
    return {
        f"client_{fact}": unpack_texts([getattr(client, fact) for client in found], agents.places)
        for fact in ("kind", "name", "version")
    }


def _request_headers(referers: Texts, agents: Texts) -> pa.StringArray:
    """Return both headers as JSON, each written once for each different text."""
    written = (_members("referer", referers), _members("user-agent", agents), "")
    members = pc.binary_join_element_wise(*written)
    begun = pc.replace_substring(members, ",", "{", max_replacements=1)
    texts = pc.binary_join_element_wise(begun, "}", "")
    return pc.if_else(pc.equal(members, ""), "", texts)


def _members(name: str, texts: Texts) -> pa.StringArray:
    """Return a member of a JSON object for each row, behind a comma; none where no text is."""
    written = ["," + _encode({name: text})[1:-1].decode() if text else "" for text in texts.values]
    return pa.array(written, pa.string()).take(unpack(texts.places, pa.uint32()))


def _given(referer: str, agent: str) -> dict[str, str]:
    headers = {"referer": referer, "user-agent": agent}
    return {name: value for name, value in headers.items() if value}


def _response_headers(sizes: pa.Int64Array) -> pa.StringArray:
    texts = pc.binary_join_element_wise('{"content-length":"', sizes.cast(pa.string()), '"}', "")
    return pc.if_else(pc.less(sizes, 0), "", texts)


def _call_ids(packed: bytes) -> pa.StringArray:
    digits, width = packed.hex().encode(), 2 * ID_BYTES
    rows = len(packed) // ID_BYTES
    ends = pa.array(range(0, (rows + 1) * width, width), pa.int32())
    return pa.StringArray.from_buffers(rows, ends.buffers()[1], pa.py_buffer(digits))


def to_calls(tables: Tables) -> Iterator[Call]:
    """Return the calls of tables one by one, as if each had come alone."""
    for offset, table in tables:
        for record in _records(table):
            note_headers(record)
            line = _encode(record)
            yield Call(offset, line, _read_head(line), Added(offset))


def _records(table: CallTable) -> Iterator[ApiCall]:
    facts = table.columns
    texts = (
        facts.verbs, facts.uris, facts.user_ids, facts.ip_addresses, facts.referers,
        facts.user_agents,
    )  # fmt: skip
    columns = (
        _call_ids(facts.call_ids),
        _times(facts),
        unpack(facts.statuses, pa.uint16()),
        unpack(facts.response_sizes, pa.int64()),
        *map(_column, texts),
    )
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    for call_id, time, status, size, verb, uri, user_id, ip_address, referer, agent in rows:
        yield ApiCall(
            app_id=table.app_id,
            call_id=call_id,
            time=time,
            received_at=table.received_at,
            verb=verb,
            uri=uri,
            status=status,
            user_id=user_id,
            ip_address=ip_address,
            sdk=table.sdk,
            request_headers=_given(referer, agent),
            response_headers={} if size < 0 else {"content-length": str(size)},
            response_bytes=max(size, 0),
            flags=(_FLAG,),
        )
