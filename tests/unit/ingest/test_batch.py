"""A range of log entries gives its records, and no line can stop it."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.eventlog import Entry
from headwater.ingest.batch import decode_entries, reject_call
from headwater.ingest.heads import CallHead, HeadHeaders
from headwater.model import ProfileUpdate, Reject
from tests.support.calls import NOON, encode_entry, in_hand, make_call

_UPDATE = ProfileUpdate(
    app_id="app_1", kind="user", id="user_1", update_id="u1", time=NOON, received_at=NOON
)
_REJECT = Reject(app_id="app_1", reject_id="r1", received_at=NOON, kind="event", reason="why")


def _entry(offset: int, data: bytes) -> Entry:
    return Entry(offset, data, NOON)


def test_records_are_told_apart_and_keep_their_offsets() -> None:
    """Calls, updates and rejects of one entry go three ways."""
    batch = decode_entries([
        _entry(4, encode_entry([make_call("a"), _UPDATE])),
        _entry(5, encode_entry([_REJECT, make_call("b")])),
    ])  # fmt: skip
    assert [(call.offset, call.head.call_id) for call in batch.calls] == [(4, "a"), (5, "b")]
    assert batch.updates == [(4, _UPDATE)]
    assert batch.rejects == [(5, _REJECT)]


@given(st.binary(max_size=60).filter(lambda raw: b"\n" not in raw and raw))
def test_a_line_that_cannot_be_decoded_is_kept_as_a_reject(line: bytes) -> None:
    """Its neighbours are not touched, and its reason is told."""
    data = b"\n".join([encode_entry([make_call("a")]), line, encode_entry([make_call("b")])])
    batch = decode_entries([_entry(9, data)])
    assert [call.head.call_id for call in batch.calls] == ["a", "b"]
    [(offset, reject)] = batch.rejects
    assert offset == 9
    assert reject.reason.startswith("undecodable")
    assert reject.sample == line.decode("utf-8", "replace")


def test_rejects_have_the_same_id_each_time() -> None:
    """A range that is worked on again makes no second reject."""
    entries = [_entry(9, b"no\nno")]
    first, again = decode_entries(entries).rejects, decode_entries(entries).rejects
    assert first == again
    assert len({reject.reject_id for _, reject in first}) == 2


def test_a_call_that_cannot_be_stored_is_kept_whole() -> None:
    """Nothing that was acknowledged is lost, even when we cannot use it."""
    [call] = in_hand(make_call("a"))
    reject = reject_call(call, ValueError("too odd"))
    assert reject.reason == "not storable: too odd"
    assert '"call_id":"a"' in reject.sample


_HOSTILE = '{"t":"call","rest":0,"deep":{"list":[1,"x"],"rest":0}}'


@given(st.text(max_size=30), st.sampled_from((_HOSTILE, "{}", '"a,\\"rest\\":0"')))
def test_the_head_says_what_the_whole_record_does(text: str, document: str) -> None:
    """Whatever stands in the texts before the mark, and in the documents behind it."""
    call = make_call("a", uri=f"/x{text}", user_id=text, metadata=msgspec.Raw(document.encode()))
    [head] = [one.head for one in in_hand(call)]
    whole = msgspec.json.decode(encode_entry([call]), type=CallHead)
    assert msgspec.structs.replace(whole, request_headers=HeadHeaders()) == head


@given(st.sampled_from((_HOSTILE, '{"a":{"b":1},"rest":0}', '[{"c":2,"rest":0}]')))
def test_a_record_of_an_older_version_is_read_whole(document: str) -> None:
    """It ends its head nowhere, and a client may have sent the mark in a body."""
    fields = msgspec.json.decode(encode_entry([make_call("a")]), type=dict[str, msgspec.Raw])
    for name in ("rest", "user_agent"):
        del fields[name]
    old = {"t": fields.pop("t"), "request_body": msgspec.Raw(document.encode()), **fields}
    [call] = decode_entries([_entry(1, msgspec.json.encode(old))]).calls
    assert (call.head.call_id, call.head.user_id) == ("a", "user_1")
    assert call.head.request_headers.user_agent == "stripe-python/5.0.1"
