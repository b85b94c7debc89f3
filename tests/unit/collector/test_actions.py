"""What a browser or a server reports of actions and subscriptions becomes records."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.vault import Vault
from headwater.collector.accept import accept_actions, accept_profiles
from headwater.collector.arrival import Arrival
from headwater.collector.secret_shapes import MARK
from headwater.model import Action, ProfileUpdate, Record, Reject
from headwater.workspace import MaskingPolicy

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ARRIVAL = Arrival(
    app_id="app_1", received_at=AT, ip_address="198.51.100.9", sdk="moesif-browser-js/1.8.13"
)
VAULT = Vault(b"k" * 32)
MOST_BYTES = 1_000_000
GOOD: dict[str, Any] = {
    "action_name": "Created Key",
    "request": {"uri": "https://parcel.example/keys", "time": "2026-11-23T09:59:59Z"},
}


def records_of(sent: object, arrival: Arrival = ARRIVAL) -> list[Record]:
    accepted = accept_actions(json.dumps(sent).encode(), arrival, VAULT, MOST_BYTES)
    records = [msgspec.json.decode(record, type=Record) for record in accepted.records]
    assert accepted.rejected == sum(isinstance(record, Reject) for record in records)
    assert not any(b"\n" in record for record in accepted.records)
    return records


def action_of(sent: object, arrival: Arrival = ARRIVAL) -> Action:
    (record,) = records_of(sent, arrival)
    assert isinstance(record, Action), record
    return record


def test_a_plain_action_becomes_a_record() -> None:
    """A new id, the peer's address, the library's name."""
    action = action_of(GOOD)
    assert action.action_id.startswith("act_")
    assert msgspec.structs.replace(action, action_id="") == Action(
        app_id="app_1",
        action_id="",
        time=datetime(2026, 11, 23, 9, 59, 59, tzinfo=UTC),
        received_at=AT,
        action_name="Created Key",
        uri="https://parcel.example/keys",
        ip_address="198.51.100.9",
        sdk="moesif-browser-js/1.8.13",
    )


def test_everything_that_is_sent_is_kept() -> None:
    """Each field has its place; what has no column goes to `extra`."""
    action = action_of({
        **GOOD,
        "request": {
            **GOOD["request"], "verb": "GET", "ip_address": "203.0.113.7",
            "user_agent_string": "Mozilla/5.0",
        },
        "user_id": 81, "company_id": "c-9", "anonymous_id": "a-1", "subscription_id": "s-1",
        "session_token": "tok-planted", "transaction_id": "t-1", "metadata": {"plan": "trial"},
        "novel": [1],
    })  # fmt: skip
    assert (action.user_id, action.company_id, action.anonymous_id) == ("81", "c-9", "a-1")
    assert (action.action_id, action.ip_address, action.user_agent) == (
        "t-1", "203.0.113.7", "Mozilla/5.0",
    )  # fmt: skip
    assert action.session_key == VAULT.fingerprint("tok-planted")
    assert msgspec.json.decode(action.metadata) == {"plan": "trial"}
    assert msgspec.json.decode(action.extra) == {
        "subscription_id": "s-1", "novel": [1], "request": {"verb": "GET"},
    }  # fmt: skip


UNTIMED: dict[str, Any] = {**GOOD, "request": {"uri": "/keys", "time": None}}


def test_an_action_without_time_happened_when_it_arrived() -> None:
    """And says so; one that waited in a browser's batch says that this is a guess."""
    alone, batched = action_of(UNTIMED), action_of([UNTIMED])
    assert (alone.time, alone.flags) == (AT, ("time_missing",))
    assert (batched.time, batched.flags) == (AT, ("time_missing", "time_approximate"))
    timed = action_of([GOOD])
    assert (timed.time.second, timed.flags) == (59, ())


def test_an_unreadable_time_gives_way_to_the_arrival() -> None:
    """As in calls."""
    action = action_of({**GOOD, "request": {"uri": "/keys", "time": "soon"}})
    assert (action.time, action.flags) == (AT, ("time_unreadable",))


def test_history_is_marked_as_such() -> None:
    """So that old times in an import are no sign of trouble."""
    arrival = msgspec.structs.replace(ARRIVAL, is_backfill=True)
    assert action_of(GOOD, arrival).flags == ("backfill",)


def test_null_means_not_given() -> None:
    """Clients send unset fields as null."""
    nulls = dict.fromkeys(("user_id", "session_token", "metadata", "transaction_id", "company_id"))
    action = action_of({**nulls, **GOOD})
    assert (action.user_id, action.session_key, bytes(action.extra)) == ("", "", b"")


def test_masking_comes_before_the_record() -> None:
    """No planted secret is in what goes to the log, wherever it was."""
    sent = {
        **GOOD, "session_token": "planted-1",
        "request": {"uri": "/a?api_key=planted-2", "headers": {"Authorization": "planted-3"}},
        "metadata": {"deep": [{"password": "planted-4"}]}, "novel": {"secret": "planted-5"},
    }  # fmt: skip
    (record,) = accept_actions(json.dumps(sent).encode(), ARRIVAL, VAULT, MOST_BYTES).records
    assert b"planted" not in record
    assert msgspec.json.decode(record, type=Action).uri == f"/a?api_key={MARK}"


def test_what_the_app_hides_is_hidden_here_as_well() -> None:
    """Its own secret names, e-mail addresses and networks; a profile keeps its address."""
    policy = MaskingPolicy(mask=("plan_code",), emails=True, ip_addresses=True)
    arrival = msgspec.structs.replace(ARRIVAL, masking=policy)
    metadata = {"plan_code": "planted", "note": "ask ana@parcel.example"}
    action = action_of({**GOOD, "metadata": metadata}, arrival)
    assert b"planted" not in bytes(action.metadata)
    assert b"ana@" not in bytes(action.metadata)
    assert action.ip_address == "198.51.100.0"
    sent = json.dumps({"user_id": "u", "metadata": {**metadata, "email": "ana@parcel.example"}})
    (record,) = accept_profiles(sent.encode(), "user", arrival, VAULT, MOST_BYTES).records
    assert b"planted" not in record
    assert b"ana@parcel.example" in record


BAD = [
    (42, "$"),
    ({**GOOD, "action_name": None}, "$.action_name"),
    ({**GOOD, "action_name": " "}, "$.action_name"),
    ({**GOOD, "action_name": {"a": 1}}, "$.action_name"),
    ({"action_name": "x"}, "$.request"),
    ({**GOOD, "request": []}, "$.request"),
    ({**GOOD, "request": {"time": "2026-11-23"}}, "$.request.uri"),
    ({**GOOD, "user_id": "u" * 513}, "$.user_id"),
    ({**GOOD, "metadata": json.loads("[" * 150 + "]" * 150)}, "$.metadata"),
]


@pytest.mark.parametrize(("bad", "field"), BAD, ids=range(len(BAD)))
def test_a_bad_action_costs_only_itself(bad: object, field: str) -> None:
    """It becomes a reject with the path of its fault and a sample; its neighbours stay."""
    first, middle, last = records_of([GOOD, bad, GOOD])
    assert isinstance(first, Action)
    assert isinstance(last, Action)
    assert isinstance(middle, Reject)
    assert (middle.kind, middle.field) == ("action", field)
    assert middle.reason
    assert middle.sample


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from([*GOOD, "user_id", "metadata", "session_token", "transaction_id", "x"])


@given(st.lists(st.dictionaries(NAMES, ODD).map(lambda odd: GOOD | odd) | ODD, max_size=5))
def test_any_batch_gives_one_readable_record_for_each_item(items: list[object]) -> None:
    """Law: nothing raises, nothing is lost, every record can be read again."""
    records = records_of([*items, GOOD])
    assert len(records) == len(items) + 1
    assert isinstance(records[-1], Action)


def subscription_of(sent: object) -> ProfileUpdate | Reject:
    body = json.dumps(sent).encode()
    (record,) = accept_profiles(body, "subscription", ARRIVAL, VAULT, MOST_BYTES).records
    return msgspec.json.decode(record, type=ProfileUpdate | Reject)


def test_a_subscription_becomes_a_profile_change() -> None:
    """Its own id, its company, and every other field as it came; nulls are nothing."""
    sent = {
        "subscription_id": "s-1", "company_id": "c-9", "status": "active", "session_token": None,
        "current_period_start": "2026-11-01", "current_period_end": "2026-12-01",
        "items": [{"plan_id": "p", "price_id": None}], "metadata": {"seats": 4}, "novel": 1,
    }  # fmt: skip
    update = subscription_of(sent)
    assert isinstance(update, ProfileUpdate)
    assert (update.kind, update.id, update.company_id) == ("subscription", "s-1", "c-9")
    assert msgspec.json.decode(update.fields) == {
        "status": "active", "current_period_start": "2026-11-01",
        "current_period_end": "2026-12-01", "items": [{"plan_id": "p", "price_id": None}],
        "metadata": {"seats": 4}, "novel": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"company_id": "c-9"}, "$.subscription_id"),
        ({"subscription_id": "s-1"}, "$.company_id"),
        ({"subscription_id": "s-1", "anonymous_id": "a"}, "$.company_id"),
        ({"subscription_id": ["s"], "company_id": "c"}, "$.subscription_id"),
    ],
)
def test_a_subscription_needs_both_ids(sent: object, field: str) -> None:
    """Without its company it would belong to nobody; the status may be missing."""
    reject = subscription_of(sent)
    assert isinstance(reject, Reject)
    assert (reject.kind, reject.field) == ("subscription", field)


def test_text_as_metadata_stays_json_in_the_store() -> None:
    """The engine takes the quotes off a text, so it is quoted twice, as in calls."""
    action = action_of(GOOD | {"metadata": "hello"})
    assert msgspec.json.decode(msgspec.json.decode(action.metadata)) == "hello"
