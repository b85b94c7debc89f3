"""Lines of access logs are stored the same, whether they come column by column or one by one."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.collector.accept import accept_events
from headwater.collector.arrival import Arrival
from headwater.collector.drop_rules import DropRules
from headwater.collector.imports import Plan, Planned, Rejected, plan_events
from headwater.collector.tables import accept_table
from headwater.ingest.guard import Guards
from headwater.ingest.rows import to_call_lines
from headwater.ingest.steps import Step, put_client, put_route, run_steps
from headwater.ingest.tables import lay_out, to_calls
from headwater.model import ApiCall, CallColumns, CallTable
from headwater.workspace import Condition, MaskingPolicy, RegexRule, SamplingPolicy

VAULT = Vault(bytes(32))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POLICIES = (MaskingPolicy(), MaskingPolicy(emails=True, ip_addresses=True))
ADDRESSES = ("203.0.113.7", "2001:db8::7", "host.example", "-")
USERS = ("-", "ana", "ana [the] great", "ann@example.com")
DAYS = ("20/May/2015", "29/Feb/2016", "31/Feb/2016", "01/Jan/1999", "9/May/2015", "19/Nov/2026")
CLOCKS = ("12:05:17 +0000", "23:59:59 -0730", "00:00:00 +1400", "12:05:60 +0000", "24:00:00 +0000")
REQUESTS = (
    "GET / HTTP/1.1", "get /items/12345?page=2 HTTP/2.0", "POST /a?token=planted HTTP/1.1", "-", "",
    "GET /a b c", "GET https://u:planted@api.example.com/v1/users/7 HTTP/1.1", "\\x16\\x03", "GET ",
    'GET /a"b HTTP/1.1', 'GET /a\\"b HTTP/1.1', "GET /caf\u00e9 HTTP/1.1", "GET /a\tb HTTP/1.1",
    " GET /a HTTP/1.1", "GET /a HTTP/1.1 ", "G" * 40 + " / HTTP/1.1", "GET /ann@example.com",
)  # fmt: skip
SIZES = ("235", "-", "0", "007", "999999999999", "4111111111111111", "1" * 30)
TEXTS = (
    "-", "", "curl/8.1", "https://parcel.example/?password=planted", "eyJhbGciOi.eyJzdWIiOiIx.c2ln",
    "Mozilla/5.0 (X11; Linux x86_64)", 'odd" "quotes', "4111 1111 1111 1111", "na\u00efve", "\\",
)  # fmt: skip


def one_of(*known: str) -> st.SearchStrategy[str]:
    """Return mostly what logs hold, and now and then what strangers send."""
    return st.sampled_from(known) | st.text(max_size=12)


@st.composite
def log_lines(draw: st.DrawFn) -> bytes:
    """Return a line that may be anything, and usually is one of a log."""
    day, clock = draw(st.sampled_from(DAYS)), draw(st.sampled_from(CLOCKS))
    request, status = draw(one_of(*REQUESTS)), draw(st.integers(0, 1200))
    text = (
        f"{draw(st.sampled_from(ADDRESSES))} - {draw(one_of(*USERS))} [{day}:{clock}] "
        f'"{request}" {status:03} {draw(st.sampled_from(SIZES))}'
        f' "{draw(one_of(*TEXTS))}" "{draw(one_of(*TEXTS))}"'
    )
    return draw(st.sampled_from((text, text, text, text[:-1], text + " 0.012"))).encode()


def read(lines: list[bytes], user_from: str, *, by_column: bool) -> tuple[Any, list[Any]]:
    """Return the columns and the rest."""
    page = Plan("combined", user_from, by_column=by_column).read(lines)
    return page.bulk, page.rest


def arrival(policy: MaskingPolicy) -> Arrival:
    return Arrival(
        app_id="app_1", received_at=NOW, ip_address="192.0.2.1", sdk="import", masking=policy,
        is_backfill=True,
    )  # fmt: skip


def as_records(events: list[Planned], policy: MaskingPolicy) -> dict[str, ApiCall]:
    """Return what the door makes of events, by call id."""
    body = b"[" + b",".join(event.event for event in events) + b"]"
    accepted = accept_events(body, arrival(policy), VAULT, 1_000_000) if events else None
    return by_id(accepted.records if accepted else [])


def by_id(records: Iterable[bytes]) -> dict[str, ApiCall]:
    calls = [msgspec.json.decode(record, type=ApiCall) for record in records]
    return {call.call_id: call for call in calls}


def as_table(columns: CallColumns, policy: MaskingPolicy) -> CallTable:
    """Return what the log holds of columns, once it was written and read."""
    table = accept_table(msgspec.json.encode(columns), arrival(policy), VAULT)
    return msgspec.json.decode(msgspec.json.encode(table), type=CallTable)


@settings(max_examples=100)
@given(
    st.lists(log_lines(), min_size=1, max_size=12),
    st.sampled_from(POLICIES),
    st.sampled_from(("", "ip", "remote_user")),
)
def test_both_ways_give_the_same_records(
    lines: list[bytes], policy: MaskingPolicy, user_from: str
) -> None:
    """Line for line: the same ids, the same masked facts, the same rejects."""
    lines = lines + lines[:2]
    bulk, rest = read(lines, user_from, by_column=True)
    _, singly = read(lines, user_from, by_column=False)
    expected = as_records([item for item in singly if isinstance(item, Planned)], policy)
    found = as_records([item for item in rest if isinstance(item, Planned)], policy)
    if bulk is not None:
        table = as_table(bulk.columns, policy)
        found |= by_id(bytes(call.line) for call in to_calls([(7, table)]))
    assert found == expected
    rejects = [item for item in singly if isinstance(item, Rejected)]
    assert [item for item in rest if isinstance(item, Rejected)] == rejects


def line_of(agent: str, size: str = "235") -> bytes:
    head = '203.0.113.7 - - [20/May/2015:12:05:17 +0000] "GET / HTTP/1.1" 200'
    return f'{head} {size} "-" "{agent}"'.encode()


@settings(max_examples=50)
@given(st.lists(log_lines(), min_size=1, max_size=12))
@example([line_of("-"), line_of("refused/1", size="007"), line_of("curl/8.1")])
def test_rows_are_those_of_single_calls(lines: list[bytes]) -> None:
    """Column for column, after all steps."""
    bulk, _ = read(lines, "", by_column=True)
    if bulk is None:
        return
    tables = [(7, as_table(bulk.columns, MaskingPolicy()))]
    guards = Guards(max_routes=2, max_clients=2)
    rows = lay_out(tables, guards, country_of).to_pylist()
    guards = Guards(max_routes=2, max_clients=2)
    steps = (
        Step("put_route", put_route), Step("put_client", put_client),
        Step("put_country", lambda call: call.put("country", country_of(call.head.ip_address))),
        Step("limit_variety", guards.limit_variety),
    )  # fmt: skip
    calls = run_steps(list(to_calls(tables)), steps)
    singly = [json.loads(line) for line in to_call_lines(calls).splitlines()]
    for row, single in zip_longest(rows, singly):
        assert {name: value for name, value in map(as_stored, row.items()) if value} == {
            name: value for name, value in map(as_stored, single.items()) if value and name != "t"
        }


def country_of(ip_address: str) -> str:
    return "DE" if ip_address.startswith("203") else ""


def as_stored(item: tuple[str, Any]) -> tuple[str, Any]:
    """Return a fact as the engine has it: headers as they are written, times without a zone."""
    name, value = item
    if name.endswith("_headers") and not isinstance(value, str):
        value = msgspec.json.encode(value).decode()
    if isinstance(value, datetime):
        value = value.isoformat().replace("+00:00", "Z")
    return name, value


def some_columns() -> CallColumns:
    bulk, _ = read(
        [b'203.0.113.7 - ana [20/May/2015:12:05:17 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'],
        "", by_column=True,
    )  # fmt: skip
    columns: CallColumns = bulk.columns
    return columns


def long_ago(microseconds: int) -> bytes:
    return microseconds.to_bytes(8, "little", signed=True)


TOMORROW = int((NOW + timedelta(days=1)).timestamp() * 1e6)
UNSOUND = {
    "a time of tomorrow": {"times": long_ago(TOMORROW)},
    "a time before 2000": {"times": long_ago(0)},
    "a time beyond all clocks": {"times": long_ago(2**62)},
    "a status of four digits": {"statuses": b"\xff\xff"},
    "half a status": {"statuses": b"\xff\xff\xff"},
    "no rows": {"statuses": b""},
    "a negative size": {"response_sizes": long_ago(-2)},
    "an id too many": {"call_ids": bytes(32)},
}


@pytest.mark.parametrize("name", UNSOUND)
def test_columns_that_do_not_hold_together_are_refused(name: str) -> None:
    """Whoever sends them: numbers out of range, facts that are missing."""
    columns = msgspec.structs.replace(some_columns(), **UNSOUND[name])
    with pytest.raises(InvalidInputError):
        as_table(columns, MaskingPolicy())


@pytest.mark.parametrize("fact", ["verbs", "uris", "user_ids", "ip_addresses", "user_agents"])
@pytest.mark.parametrize("places", [b"\x01\0\0\0", b"\xff\xff\xff\xff", b"", bytes(8)])
def test_a_text_that_is_not_there_is_refused(fact: str, places: bytes) -> None:
    """The engine would read beyond the end."""
    texts = msgspec.structs.replace(getattr(some_columns(), fact), places=places)
    with pytest.raises(InvalidInputError):
        as_table(msgspec.structs.replace(some_columns(), **{fact: texts}), MaskingPolicy())


def test_what_an_app_decides_call_by_call_goes_one_by_one() -> None:
    """Rules that leave calls out, and a policy that hides sizes."""
    body = msgspec.json.encode(some_columns())
    rule = RegexRule(conditions=(Condition(path="request.verb", value="GET"),), sample_rate=0)
    drops = DropRules(SamplingPolicy(regex_config=(rule,)))
    with pytest.raises(InvalidInputError, match="call by call"):
        accept_table(body, msgspec.structs.replace(arrival(POLICIES[0]), drops=drops), VAULT)
    sizes_hidden = MaskingPolicy(mask=("content-length",))
    with pytest.raises(InvalidInputError, match="call by call"):
        accept_table(body, arrival(sizes_hidden), VAULT)


def test_plain_lines_go_by_column() -> None:
    """The quick way is taken, not only right."""
    lines = [
        b'203.0.113.7 - - [20/May/2015:12:05:%02d +0000] "GET /%d HTTP/1.1" 200 5 "-" "curl/8"'
        % (n, n)
        for n in range(50)
    ]
    bulk, rest = read([*lines, b"not a line"], "", by_column=True)
    assert (len(bulk.lines), len(rest)) == (50, 1)
    ids = [item.call_id for item in plan_events(lines, "combined") if isinstance(item, Planned)]
    assert bulk.call_ids == ids
