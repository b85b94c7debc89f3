"""The promise to users of `moesifapi` 1.5: the library, unmodified, against a running server."""

import json
from datetime import datetime
from typing import Any

import pytest

from headwater.collector import MARK
from tests.support.clients import Recording, Stage, record
from tests.wire.parcels import check_secrets, named_in, seconds_between, text_of


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, dict[str, Any]]:
    """What is stored, and what the program says that it sent and read."""
    printed = []

    def play(stage: Stage) -> None:
        printed.append(stage.run_python("moesifapi_client.py", calls=4))

    kept = record(tmp_path_factory.mktemp("moesifapi"), play)
    return kept, json.loads(printed[0])


@pytest.fixture(scope="module")
def kept(played: tuple[Recording, dict[str, Any]]) -> Recording:
    """What is stored."""
    return played[0]


@pytest.fixture(scope="module")
def said(played: tuple[Recording, dict[str, Any]]) -> dict[str, Any]:
    """What the program says."""
    return played[1]


def test_the_library_reads_the_same_tag_everywhere(said: dict[str, Any]) -> None:
    """It would fetch the configuration again and again if they differed."""
    assert said["config_tag"]
    assert said["event_tag"] == said["batch_tag"] == said["config_tag"]
    assert (said["sample_rate"], said["rules"], said["alive"]) == (100, [], True)


def test_every_field_of_an_event_is_stored(kept: Recording, said: dict[str, Any]) -> None:
    """A naive time is UTC; all that was set is there, secrets masked; nothing else."""
    calls = {call["transaction_id"]: call for call in kept.calls}
    call = calls["t-1"]
    expected = {
        "request": {
            "verb": "POST",
            "uri": f"https://api.parcel.example/v2/labels/1?dry=1&api_key={MARK}",
            "route": "/v2/labels/:id",
            "host": "api.parcel.example",
            "ip_address": "203.0.113.7",
            "api_version": "2.1",
            "headers": {"content-type": "application/json", "authorization": MARK},
            "body": {"weight_g": 420, "card": {"number": MARK}},
            "transfer_encoding": "json",
        },
        "response": {
            "status": 422,
            "status_class": "4xx",
            "headers": {"content-type": "text/plain"},
            "transfer_encoding": "base64",
            "bytes": 7,
        },
        "client": {"name": "", "version": "", "kind": ""},
        "user_id": "u-81",
        "company_id": "c-9",
        "anonymous_id": "",
        "session_token": kept.vault.fingerprint("planted-2"),
        "direction": "Outgoing",
        "weight": 4,
        "blocked_by": "rule-1",
        "action_name": "",
        "trace_id": "",
        "sdk": "moesifapi-python/1.5.5",
        "duration_ms": 86.0,
        "flags": [],
        "metadata": {"dc": "eu"},
        "extra": {"tags": "a,b", "response": {"ip_address": "10.0.0.7"}},
    }
    assert named_in(call, expected) == expected
    assert text_of(call["response"]) == "bad zip"
    assert seconds_between(said["time"], call["request"]["time"]) == 0


def test_a_batch_is_stored_like_single_events(kept: Recording) -> None:
    """All calls of the batch, the same but for what differs."""
    calls = {call["transaction_id"]: call for call in kept.calls}
    for number in (2, 3):
        call = calls[f"t-{number}"]
        assert f"/v2/labels/{number}?" in call["request"]["uri"]
        same = ("response", "client", "user_id", "weight", "metadata", "extra", "duration_ms")
        assert {n: call[n] for n in same} == {n: calls["t-1"][n] for n in same}
    assert len(kept.calls) == 4
    assert kept.rejects == []


def test_unset_fields_are_sent_as_null_and_mean_nothing(kept: Recording) -> None:
    """Only the request is given: the library makes the id, the peer gives the address."""
    assert kept.sent("/collector/v1/events")[1]["response"] is None
    (call,) = [call for call in kept.calls if call["request"]["verb"] == "GET"]
    expected: dict[str, Any] = {
        "request": {"uri": "/", "route": "/", "ip_address": "127.0.0.1", "headers": {}}
        | {"body": None, "api_version": ""},
        "response": {"status": None, "status_class": "none", "headers": {}, "body": None},
        **dict.fromkeys(("user_id", "company_id", "session_token", "blocked_by"), ""),
        "direction": "Incoming",
        "weight": 1,
        "duration_ms": 0.0,
        "metadata": None,
        "extra": None,
        "flags": [],
    }
    assert named_in(call, expected) == expected
    assert len(call["transaction_id"]) == 36


def test_every_field_of_a_user_is_stored(kept: Recording, said: dict[str, Any]) -> None:
    """With the link to the company, and the campaign as first and as newest."""
    ana = kept.profile("user", "u-81")
    campaign = {"utm_source": "newsletter", "gclid": "g-1"}
    assert ana["doc"] == {
        "company_id": "c-9",
        "ip_address": "203.0.113.7",
        "user_agent_string": "parcel/1",
        "metadata": {
            "email": "ana@parcel.example",
            "crm": {"stage": "trial", "password": MARK},
        },
        "campaign": campaign,
        "initial_campaign": campaign,
    }
    assert (ana["company_id"], ana["anonymous_ids"]) == ("c-9", [])
    assert ana["modified_at"] == datetime.fromisoformat(said["day"])


def test_every_field_of_a_company_is_stored(kept: Recording, said: dict[str, Any]) -> None:
    """As that of a user."""
    parcel = kept.profile("company", "c-9")
    campaign = {"referring_domain": "example.com"}
    assert parcel["doc"] == {
        "company_id": "c-9",
        "company_domain": "parcel.example",
        "ip_address": "203.0.113.8",
        "metadata": {"seats": 40},
        "campaign": campaign,
        "initial_campaign": campaign,
    }
    assert parcel["modified_at"] == datetime.fromisoformat(said["day"])


def test_every_field_of_a_subscription_is_stored(kept: Recording, said: dict[str, Any]) -> None:
    """In the report too, with its company and status."""
    paid = kept.subscriptions[0]
    assert [paid[name] for name in ("subscription_id", "company_id", "status")] == [
        *("s-1", "c-9", "active"),
    ]
    assert paid["doc"] == {
        "company_id": "c-9",
        "status": "active",
        "current_period_start": said["day"],
        "current_period_end": said["end"],
        "metadata": {"plan": "scale"},
    }


def test_profiles_of_batches_are_stored(kept: Recording) -> None:
    """Each item, even when it says nothing but who it is."""
    assert [document for document in kept.documents() if len(document[2]) <= 1] == [
        ("company", "c-10", {"company_id": "c-10"}),
        ("subscription", "s-2", {"company_id": "c-10"}),
        ("user", "u-82", {}),
        ("user", "u-83", {}),
    ]
    assert len(kept.profiles) == 7


def test_only_events_are_packed_and_no_planted_secret_is_stored(kept: Recording) -> None:
    """The prefix of a proxy before every path; tokens, keys and cards end at the door."""
    packed = {e.path for e in kept.exchanges if "content-encoding" in e.headers}
    assert packed == {"/collector/v1/events", "/collector/v1/events/batch"}
    assert all(exchange.path.startswith("/collector/") for exchange in kept.exchanges)
    check_secrets(kept)
    assert "4111111111111111" not in kept.text()
    assert kept.files_with(b"4111111111111111") == []
