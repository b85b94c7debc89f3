"""What a client sends becomes records: bounded, masked, one for each item."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.vault import Vault
from headwater.collector.accept import accept_events, accept_profiles
from headwater.collector.arrival import Arrival
from headwater.collector.secret_shapes import MARK
from headwater.model import ApiCall, ProfileKind, ProfileUpdate, Record, Reject

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ARRIVAL = Arrival(app_id="app_1", received_at=AT, ip_address="198.51.100.9", sdk="lib/1.0")
VAULT = Vault(b"k" * 32)
MOST_BYTES = 1_000_000
GOOD: dict[str, Any] = {
    "request": {"time": "2026-11-23T09:59:59.000", "uri": "/v2/labels?dry=1", "verb": "post"},
    "response": {"time": "2026-11-23T09:59:59.250", "status": 201},
}


def records_of(sent: object, most_bytes: int = MOST_BYTES) -> list[Record]:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    accepted = accept_events(body, ARRIVAL, VAULT, most_bytes)
    records = [msgspec.json.decode(record, type=Record) for record in accepted.records]
    assert accepted.rejected == sum(isinstance(record, Reject) for record in records)
    assert not any(b"\n" in record for record in accepted.records)
    return records


def call_of(**changes: Any) -> ApiCall:
    """Return the call that one event becomes; `request` and `response` are merged."""
    parts = {name: {**GOOD[name], **(changes.pop(name, None) or {})} for name in GOOD}
    (record,) = records_of({**parts, **changes})
    assert isinstance(record, ApiCall), record
    return record


def profile_of(kind: ProfileKind, sent: object) -> ProfileUpdate | Reject:
    accepted = accept_profiles(json.dumps(sent).encode(), kind, ARRIVAL, VAULT, MOST_BYTES)
    (record,) = (msgspec.json.decode(r, type=ProfileUpdate | Reject) for r in accepted.records)
    return record


def test_a_plain_event_becomes_a_call() -> None:
    """Defaults: Incoming, weight 1, the peer's address, a new id, the duration from both times."""
    call = call_of()
    assert call.call_id.startswith("call_")
    assert msgspec.structs.replace(call, call_id="") == ApiCall(
        app_id="app_1",
        call_id="",
        time=datetime(2026, 11, 23, 9, 59, 59, tzinfo=UTC),
        received_at=AT,
        verb="POST",
        uri="/v2/labels?dry=1",
        status=201,
        duration_ms=250.0,
        ip_address="198.51.100.9",
        sdk="lib/1.0",
    )


def test_everything_that_is_sent_is_kept() -> None:
    """Each field of the wire has its place; what has no column goes to `extra`."""
    call = call_of(
        request={
            "headers": {"Content-Type": "application/json", "CONTENT-LENGTH": "17"},
            "api_version": "2.1", "ip_address": "203.0.113.7", "body": {"weight_g": 420},
            "transfer_encoding": "json", "user_agent_string": "curl/8",
        },
        response={"headers": {"ETag": "x"}, "body": "YmFkIHppcA==", "transfer_encoding": "base64"},
        user_id="u-81", company_id="c-9", anonymous_id="a-1", transaction_id="t-1",
        trace_id="tr", action_name="Label", direction="outgoing", weight=4, blocked_by="rule",
        metadata={"dc": "eu"}, subscription_id="s-1", tags="a,b", span={"id": "1"}, novel=[1],
    )  # fmt: skip
    assert call.request_headers == {
        "content-type": "application/json", "content-length": "17", "user-agent": "curl/8",
    }  # fmt: skip
    assert (call.request_bytes, call.response_bytes) == (17, 7)
    assert (bytes(call.request_body), call.request_encoding) == (b'{"weight_g":420}', "")
    assert msgspec.json.decode(msgspec.json.decode(call.response_body)) == "YmFkIHppcA=="
    assert call.response_encoding == "base64"
    assert (call.user_id, call.company_id, call.anonymous_id) == ("u-81", "c-9", "a-1")
    assert (call.call_id, call.trace_id, call.action_name) == ("t-1", "tr", "Label")
    assert (call.direction, call.weight, call.blocked_by) == ("Outgoing", 4, "rule")
    assert (call.api_version, call.ip_address) == ("2.1", "203.0.113.7")
    assert msgspec.json.decode(call.metadata) == {"dc": "eu"}
    assert msgspec.json.decode(call.extra) == {
        "subscription_id": "s-1", "tags": "a,b", "span": {"id": "1"}, "novel": [1],
    }  # fmt: skip


def test_null_means_not_given_everywhere() -> None:
    """Clients send every unset field as null; a null response is no response."""
    nulls = dict.fromkeys(
        ("user_id", "company_id", "session_token", "transaction_id", "metadata", "tags", "weight",
         "direction", "span", "trace_id", "action_name", "blocked_by", "anonymous_id"),
    )  # fmt: skip
    request = {**GOOD["request"], "headers": None, "body": None, "transfer_encoding": None}
    (call,) = records_of({"request": request, "response": None, **nulls})
    assert isinstance(call, ApiCall)
    assert (call.status, call.duration_ms, call.weight) == (0, 0.0, 1)
    assert (bytes(call.metadata), bytes(call.extra), call.request_headers) == (b"", b"", {})


def test_the_session_token_is_kept_as_a_fingerprint_only() -> None:
    """The same token gives the same key; the token itself is nowhere in the record."""
    sent = json.dumps({**GOOD, "session_token": "tok-planted"}).encode()
    (record,) = accept_events(sent, ARRIVAL, VAULT, MOST_BYTES).records
    assert b"tok-planted" not in record
    assert msgspec.json.decode(record, type=ApiCall).session_key == VAULT.fingerprint("tok-planted")


@pytest.mark.parametrize(("time", "flag"), [(None, "time_missing"), ("soon", "time_unreadable")])
def test_without_a_readable_time_the_arrival_counts(time: str | None, flag: str) -> None:
    """And the call says so."""
    call = call_of(request={"time": time})
    assert (call.time, call.flags, call.duration_ms) == (AT, (flag,), 0.0)


def test_a_response_before_its_request_lasts_no_time() -> None:
    """A gateway writes milliseconds without leading zeros."""
    assert call_of(response={"time": "2026-11-23T09:59:58.9"}).duration_ms == 0.0


@pytest.mark.parametrize("time", [None, "yesterday", 10**30])
def test_without_a_beginning_there_is_no_duration(time: object) -> None:
    """The arrival stands in for the beginning; measured from there, a duration would be made up."""
    later = (AT + timedelta(minutes=5)).isoformat()
    call = call_of(request={"time": time}, response={"time": later})
    assert call.duration_ms == 0.0


def test_history_is_marked_as_such() -> None:
    """So that old times in an import are no sign of trouble."""
    arrival = msgspec.structs.replace(ARRIVAL, is_backfill=True)
    (record,) = accept_events(json.dumps(GOOD).encode(), arrival, VAULT, MOST_BYTES).records
    assert msgspec.json.decode(record, type=ApiCall).flags == ("backfill",)


def test_masking_comes_before_the_record() -> None:
    """No planted secret is in what goes to the log, wherever it was."""
    event = {
        "request": {
            **GOOD["request"], "uri": "/a?api_key=planted-1",
            "headers": {"Authorization": "Bearer planted-2", "X-Id": "7"},
            "body": {"login": {"password": "planted-3"}},
        },
        "response": {
            "status": 200, "headers": {"Set-Cookie": ["sid=planted-4"]},
            "body": base64.b64encode(b"token=planted-5").decode(), "transfer_encoding": "base64",
        },
        "metadata": {"secret": "planted-6"}, "novel": {"session_id": "planted-7"},
    }  # fmt: skip
    (record,) = accept_events(json.dumps(event).encode(), ARRIVAL, VAULT, MOST_BYTES).records
    call = msgspec.json.decode(record, type=ApiCall)
    assert b"planted" not in record
    assert call.request_headers == {"authorization": MARK, "x-id": "7"}
    assert base64.b64decode(msgspec.json.decode(call.response_body)) == f"token={MARK}".encode()


BAD = [
    (42, "$"), ({}, "$.request"), ({"request": None}, "$.request"), ({"request": []}, "$.request"),
    ({"request": {"uri": "/"}}, "$.request.verb"), ({"request": {"verb": "GET"}}, "$.request.uri"),
    ({"request": {"verb": "GET", "uri": " "}}, "$.request.uri"),
    ({"request": {"verb": "G" * 33, "uri": "/"}}, "$.request.verb"),
    ({**GOOD, "user_id": "u" * 513}, "$.user_id"), ({**GOOD, "user_id": "é" * 257}, "$.user_id"),
    ({**GOOD, "company_id": {"a": 1}}, "$.company_id"),
    ({**GOOD, "response": {"status": "ok"}}, "$.response.status"),
    ({**GOOD, "response": {"status": -1}}, "$.response.status"),
    ({**GOOD, "request": {**GOOD["request"], "headers": {"a": [{"b": 1}, "c"]}}}, ""),
    ({**GOOD, "request": {**GOOD["request"], "headers": ["a"]}}, "$.request.headers"),
    ({**GOOD, "metadata": json.loads("[" * 150 + "]" * 150)}, "$.metadata"),
    ({**GOOD, "novel": json.loads("[" * 150 + "]" * 150)}, "$"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "field"), BAD, ids=range(len(BAD)))
def test_a_bad_event_costs_only_itself(bad: object, field: str) -> None:
    """It becomes a reject with the path of its fault; its neighbours become calls."""
    first, middle, last = records_of([GOOD, bad, GOOD])
    assert isinstance(first, ApiCall)
    assert isinstance(last, ApiCall)
    assert (middle.field if isinstance(middle, Reject) else "") == field


def test_a_reject_shows_the_item_without_its_secrets() -> None:
    """Masked although it cannot be read, and cut to some kilobytes."""
    bad = b'[{"request": {"password": "planted", "uri": tru, "x": "' + b"y" * 50_000 + b'"}}, 1]'
    reject, _ = records_of(bad)
    assert isinstance(reject, Reject)
    assert "planted" not in reject.sample
    assert reject.sample.startswith('{"request": {"password": "*masked*"')
    assert len(reject.sample) <= 4096
    assert reject.reason.startswith("This is not JSON")


def test_line_breaks_between_json_tokens_do_not_break_the_log() -> None:
    """The log keeps one record a line, so pretty-printed bodies are joined."""
    sent = json.dumps({**GOOD, "metadata": {"a": [1, "x\ny"]}}, indent=2).replace("\n", "\r\n")
    (call,) = records_of(sent.encode())
    assert isinstance(call, ApiCall)
    assert msgspec.json.decode(call.metadata) == {"a": [1, "x\ny"]}


def test_bodies_over_the_limit_are_cut_and_marked() -> None:
    """The beginning stays as base64, the event is kept, the size is the true one."""
    big = {"items": ["abcdefgh"] * 20_000, "password": "planted"}
    call = call_of(request={"body": big}, response={"body": {"ok": 1}})
    assert call.flags == ()
    (cut,) = records_of({**GOOD, "request": {**GOOD["request"], "body": big}}, 100_000)
    assert isinstance(cut, ApiCall)
    assert (cut.flags, cut.request_encoding) == (("truncated",), "base64")
    assert cut.request_bytes > 200_000
    kept = base64.b64decode(msgspec.json.decode(cut.request_body))
    assert 24_000 < len(kept) <= 25_000
    assert kept.startswith(b'{"items"')


def test_two_bodies_that_are_too_large_together_are_cut_as_well() -> None:
    """Each is below the limit, the record is not."""
    body = {"items": ["abcdefgh"] * 5_000}
    parts = {name: {**GOOD[name], "body": body} for name in GOOD}
    (call,) = records_of({**parts, "user_id": "u"}, 100_000)
    assert isinstance(call, ApiCall)
    assert (call.flags, call.user_id) == (("truncated",), "u")


def test_an_event_too_large_without_its_bodies_is_rejected() -> None:
    """The log has a limit for one entry; the sample shows what it was."""
    (reject,) = records_of({**GOOD, "metadata": {"a": "x" * 200_000}}, 100_000)
    assert isinstance(reject, Reject)
    assert "larger than 100000 bytes" in reject.reason


def test_ten_thousand_keys_are_no_trouble() -> None:
    """In the body, the metadata, the headers and unknown fields."""
    keys = {f"k{i}": f"v{i}" for i in range(10_000)}
    call = call_of(request={"body": keys, "headers": keys}, metadata=keys, novel=keys)
    assert len(call.request_headers) == len(msgspec.json.decode(call.extra)["novel"]) == 10_000


def test_a_user_becomes_a_profile_change() -> None:
    """Ids, link, time and token have their places; all the rest is in `fields`, masked."""
    sent = {
        "user_id": 81, "company_id": "c-9", "session_token": ["old", "tok-2"],
        "modified_time": "2026-11-01T00:00:00Z", "campaign": {"utm_source": "news"},
        "metadata": {"email": "ana@parcel.example", "password": "planted"}, "ip_address": None,
    }  # fmt: skip
    update = profile_of("user", sent)
    assert isinstance(update, ProfileUpdate)
    assert (update.kind, update.id, update.company_id) == ("user", "81", "c-9")
    assert update.time == datetime(2026, 11, 1, tzinfo=UTC)
    assert update.session_key == VAULT.fingerprint("tok-2")
    assert msgspec.json.decode(update.fields) == {
        "campaign": {"utm_source": "news"},
        "metadata": {"email": "ana@parcel.example", "password": MARK},
    }


def test_an_unknown_visitor_needs_no_user_id() -> None:
    """Browsers post an anonymous id and a campaign at page load."""
    update = profile_of("user", {"anonymous_id": "a-1", "campaign": {}, "modified_time": None})
    assert isinstance(update, ProfileUpdate)
    assert (update.id, update.anonymous_id, update.time) == ("", "a-1", AT)


@pytest.mark.parametrize(
    ("kind", "sent", "field"),
    [
        ("user", {"metadata": {}}, "$.user_id"),
        ("company", {"user_id": "u"}, "$.company_id"),
        ("company", ["c"], "$"),
        ("user", {"user_id": {}}, "$.user_id"),
        ("user", {"user_id": "x" * 513}, "$.user_id"),
    ],
)
def test_a_profile_without_its_id_is_a_reject(kind: ProfileKind, sent: Any, field: str) -> None:
    """The reason names the field."""
    reject = profile_of(kind, [sent] if isinstance(sent, list) else sent)
    assert isinstance(reject, Reject)
    assert (reject.kind, reject.field) == (kind, field)


def test_a_company_keeps_its_domain() -> None:
    """The company's id is its own, not a link."""
    update = profile_of("company", {"company_id": "c-9", "company_domain": "parcel.example"})
    assert isinstance(update, ProfileUpdate)
    assert (update.kind, update.id) == ("company", "c-9")
    assert msgspec.json.decode(update.fields) == {"company_domain": "parcel.example"}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = ["user_id", "company_id", "session_token", "weight", "metadata", "direction", "span"]
PARTS = ["time", "uri", "verb", "headers", "body", "transfer_encoding", "status", "content_length"]
EVENTS = st.fixed_dictionaries(
    {
        "request": st.dictionaries(st.sampled_from(PARTS), ODD).map(
            lambda odd: GOOD["request"] | odd
        )
    },
    optional={
        "response": st.dictionaries(st.sampled_from(PARTS), ODD) | ODD,
        **dict.fromkeys(FIELDS, ODD),
    },
)


@given(st.lists(EVENTS | ODD, max_size=5))
def test_any_batch_gives_one_readable_record_for_each_item(items: list[object]) -> None:
    """Law: nothing raises, nothing is lost, every record can be read again."""
    records = records_of([*items, GOOD])
    assert len(records) == len(items) + 1
    assert isinstance(records[-1], ApiCall)


def test_json_in_json_in_json_cannot_exhaust_us() -> None:
    """Each document is shallow enough, all of them together are not: masked or a reject."""
    text = '{"password": "planted"}'
    for _ in range(9):
        text = "[" * 90 + json.dumps(text) + "]" * 90
    sent = json.dumps([GOOD, {**GOOD, "metadata": json.loads(text)}, GOOD]).encode()
    records = accept_events(sent, ARRIVAL, VAULT, MOST_BYTES).records
    assert len(records) == 3
    assert not any(b"planted" in record for record in records)
