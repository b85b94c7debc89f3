"""Lines of files become events with ids that never change; the others say why not."""

import gzip
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.collector.imports import Plan, Planned, Rejected, open_lines, plan_events
from headwater.collector.imports.combined import parse_combined

PLAIN = (
    b'203.0.113.7 - ana [20/May/2015:12:05:17 +0200] "GET /a?b=c HTTP/1.1" 200 235 '
    b'"https://parcel.example/" "curl/8.1"'
)


def line(
    request: bytes = b"GET / HTTP/1.1", rest: bytes = b' "-" "-"', user: bytes = b"-"
) -> bytes:
    return (
        b"203.0.113.7 - " + user + b' [20/May/2015:12:05:17 +0000] "' + request + b'" 404 -' + rest
    )


def test_a_combined_line_becomes_an_event() -> None:
    """Every column has its place; a dash means nothing."""
    assert parse_combined(PLAIN) == {
        "request": {
            "time": "2015-05-20T12:05:17+0200", "verb": "GET", "uri": "/a?b=c",
            "headers": {"referer": "https://parcel.example/", "user-agent": "curl/8.1"},
            "ip_address": "203.0.113.7",
        },
        "response": {"status": 200, "headers": {"content-length": "235"}},
        "user_id": "ana",
    }  # fmt: skip
    assert parse_combined(line())["request"]["headers"] == {}
    assert "user_id" not in parse_combined(line())


HOSTILE = [
    (line(b"-"), "-", "-"),
    (line(b""), "-", "-"),
    (line(b"\\x16\\x03\\x01"), "-", "\\x16\\x03\\x01"),
    (line(b"\x16\x03\xff"), "-", "\x16\x03\\xff"),
    (line(b'GET /a\\"b HTTP/1.1'), "GET", '/a\\"b'),
    (line(b'GET /a"b" c" HTTP/1.0'), "GET", '/a"b" c"'),
    (line(b"GET /a b c"), "GET", "/a b c"),
    (line(b"GET /a" + b"%" * 9000 + b" HTTP/1.1"), "GET", "/a" + "%" * 9000),
    (line(b"PROPFIND * HTTP/1.1"), "PROPFIND", "*"),
    (line(user=b"ana [the] great"), "GET", "/"),
    (line(rest=b""), "GET", "/"),
]


@pytest.mark.parametrize(("sent", "verb", "uri"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests_are_read(sent: bytes, verb: str, uri: str) -> None:
    """Strangers wrote them: quotes, escapes, bytes, spaces, nothing at all."""
    request = parse_combined(sent)["request"]
    assert (request["verb"], request["uri"]) == (verb, uri)


AGENTS = [
    (b' "-" "Bot/1 (+http://a.example/bot.html', "Bot/1 (+http://a.example/bot.html"),
    (b' "http://a.example/" "A \\"quoted\\" agent"', 'A \\"quoted\\" agent'),
    (b' "-" "A "quoted" agent"', 'A "quoted" agent'),
    (b' "-" "curl" 0.004', "curl"),
    (b' "-" ""', ""),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "agent"), AGENTS, ids=range(len(AGENTS)))
def test_odd_agents_are_read(rest: bytes, agent: str) -> None:
    """A missing last quote, quotes inside, more columns behind."""
    headers = parse_combined(line(rest=rest))["request"]["headers"]
    assert headers.get("user-agent", "") == agent


NO_LINES = [
    b"hello", b"\x00\x01", PLAIN.replace(b"May", b"Mai"), PLAIN.replace(b"20/May", b"31/Feb"),
    PLAIN.replace(b" 200 ", b" ok "), PLAIN.replace(b"[", b"("),
]  # fmt: skip


@pytest.mark.parametrize("sent", NO_LINES, ids=range(len(NO_LINES)))
def test_what_is_no_access_line_is_rejected_with_its_number(sent: bytes) -> None:
    """The lines around it are planned."""
    first, bad, last = plan_events([PLAIN, sent, PLAIN], "combined")
    assert isinstance(first, Planned)
    assert isinstance(last, Planned)
    assert isinstance(bad, Rejected)
    assert bad.line == 2
    assert bad.reason


def test_ids_stand_for_content_and_occurrence() -> None:
    """The same line twice is two calls; reading again gives the same ids, in any other file too."""
    lines = [PLAIN, line(), PLAIN]
    ids = [item.call_id for item in plan_events(lines) if isinstance(item, Planned)]
    again = [
        item.call_id for item in plan_events([line(), *lines[:1]]) if isinstance(item, Planned)
    ]
    assert len(set(ids)) == 3
    assert again == [ids[1], ids[0]]


def event(**changes: Any) -> bytes:
    return json.dumps(
        {"request": {"time": 1_700_000_000_000, "uri": "/", "verb": "GET"}, **changes}
    ).encode()


def test_json_lines_keep_their_own_ids_and_times() -> None:
    """An event without an id gets one; the time tells where to look for known calls."""
    own, made = plan_events([event(transaction_id=7), event()])
    assert isinstance(own, Planned)
    assert isinstance(made, Planned)
    assert (own.call_id, own.time) == ("7", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))
    assert json.loads(made.event)["transaction_id"] == made.call_id


def test_a_bad_json_line_has_the_reason_of_the_collector() -> None:
    """With the path of the fault, and a sample without secrets."""
    _, broken, lacking = plan_events(
        [event(), b'{"password": "planted", ', b'{"request": {"uri": "/"}}']
    )
    assert isinstance(broken, Rejected)
    assert isinstance(lacking, Rejected)
    assert broken.reason.startswith("This is not JSON")
    assert "planted" not in broken.sample
    assert lacking.reason == "$.request.verb: This is required."


def test_the_user_can_come_from_elsewhere() -> None:
    """The address, the remote user, or any field of an event."""

    def user_of(sent: bytes, user_from: str) -> object:
        (item,) = plan_events([sent], user_from=user_from)
        assert isinstance(item, Planned)
        return json.loads(item.event).get("user_id")

    assert user_of(PLAIN, "") == user_of(PLAIN, "remote_user") == "ana"
    assert user_of(PLAIN, "ip") == "203.0.113.7"
    assert user_of(event(metadata={"login": "bob"}), "metadata.login") == "bob"
    assert user_of(event(metadata={"login": {"a": 1}}, user_id="u"), "metadata.login") == "u"


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_files_are_opened_as_lines_or_as_one_array(compress: Any) -> None:
    """Plain and gzip, with blank lines, either line end, and no end at the end."""
    assert list(open_lines(io.BytesIO(compress(b"a\r\n\n b \nc")))) == [b"a", b" b ", b"c"]
    assert list(open_lines(io.BytesIO(compress(b' [{"a":1},\n{"b":[2]}]')))) == [
        b'{"a":1}',
        b'{"b":[2]}',
    ]
    assert list(open_lines(io.BytesIO(compress(b"")))) == []


@given(
    st.lists(st.binary(max_size=80) | st.just(PLAIN), max_size=6),
    st.sampled_from(["combined", "jsonl"]),
)
def test_no_line_breaks_a_plan(lines: list[bytes], form: str) -> None:
    """Law: one result for each line, whatever it holds."""
    assert len(list(plan_events(lines, form))) == len(lines)


@given(st.lists(st.binary(max_size=80) | st.just(PLAIN) | st.just(b""), max_size=8))
@example([PLAIN, b""])
@example([b"", PLAIN, b'"\n"', PLAIN + b"\r"])
def test_no_line_breaks_a_page_of_columns(lines: list[bytes]) -> None:
    """Law: each line goes column by column or alone, and plain ones go by column."""
    page = Plan("combined", by_column=True).read(lines)
    bulk = page.bulk.lines if page.bulk else []
    assert bulk == [one for one in lines if one == PLAIN]
    assert len(bulk) + len(page.rest) == len(lines)
