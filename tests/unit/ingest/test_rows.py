"""Calls become rows that the store always takes."""

import msgspec

from headwater.ingest.rows import to_call_lines, to_reject_rows
from headwater.model import Reject
from tests.support.calls import NOON, in_hand, make_call


def test_a_row_is_the_record_and_what_was_added() -> None:
    """The record passes as it came, byte for byte."""
    record = make_call(request_body=msgspec.Raw(b'{"a":  1}'), weight=10)
    [call] = in_hand(record, offset=7)
    call.added.route = "/items/:id"
    line = to_call_lines([call])
    assert line.startswith(call.line[:-1])
    row = msgspec.json.decode(line)
    assert (row["call_id"], row["weight"], row["request_body"]) == ("call_1", 10, {"a": 1})
    assert (row["route"], row["log_offset"]) == ("/items/:id", 7)


def test_what_a_record_says_is_replaced_not_doubled() -> None:
    """The engine refuses an object that has a key twice."""
    [call] = in_hand(make_call(flags=("truncated",)))
    call.flag("late", "truncated")
    call.put("time", NOON.replace(year=2000))
    line = to_call_lines([call]).decode()
    assert line.count('"flags"') == 1
    assert line.count('"time"') == 1
    row = msgspec.json.decode(line)
    assert (row["flags"], row["time"]) == (["truncated", "late"], "2000-11-20T12:00:00Z")


def test_a_line_holds_one_call() -> None:
    """Two calls, two lines."""
    lines = to_call_lines(in_hand(make_call("a"), make_call("b"))).splitlines()
    assert [msgspec.json.decode(line)["call_id"] for line in lines] == ["a", "b"]
    assert to_call_lines([]) == b""


def test_rejects_become_rows() -> None:
    """The reason and the sample are kept."""
    reject = Reject(
        app_id="app_1", reject_id="r1", received_at=NOON, kind="event", reason="why", sample="{"
    )
    [row] = to_reject_rows([(3, reject)]).to_pylist()
    assert (row["reason"], row["sample"], row["log_offset"]) == ("why", "{", 3)
