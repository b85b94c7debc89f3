"""The promise to users of `moesifapi` 1.5: the library, unmodified, against the Collector API."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater.collector import MARK
from headwater.model import ApiCall, ProfileUpdate, Reject
from tests.support.collector_door import Door, open_door

PROGRAM = Path(__file__).parent / "programs" / "moesifapi_client.py"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A Collector API."""
    with open_door(tmp_path_factory.mktemp("moesifapi")) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen_by_client(door: Door) -> dict[str, Any]:
    """What the library read, after it has sent everything; its base URI is that of a proxy."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), f"{door.url}/collector", door.key],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.fixture(scope="module")
def calls(door: Door, seen_by_client: dict[str, Any]) -> list[ApiCall]:
    """The calls that reached the log."""
    assert seen_by_client
    assert door.only(Reject) == []
    return door.only(ApiCall)


def test_the_library_reads_the_same_tag_everywhere(seen_by_client: dict[str, Any]) -> None:
    """It would fetch the configuration again and again if they differed."""
    tag = seen_by_client["config_tag"]
    assert tag
    assert seen_by_client == {
        "event_tag": tag, "batch_tag": tag, "config_tag": tag,
        "sample_rate": 100, "rules": [], "alive": True,
    }  # fmt: skip


def test_every_field_of_an_event_arrives(calls: list[ApiCall], door: Door) -> None:
    """Single and in a batch, gzip-compressed by the library; secrets masked on the way."""
    assert [call.call_id for call in calls[:3]] == ["t-1", "t-2", "t-3"]
    call = calls[0]
    extra = msgspec.json.decode(call.extra)
    expected = {
        "app_id": door.app_id,
        "time": datetime(2026, 11, 23, 2, 23, 57, 914_000, UTC),
        "verb": "POST",
        "uri": "https://api.parcel.example/v2/labels/1?dry=1",
        "status": 422,
        "duration_ms": 86.0,
        "user_id": "u-81",
        "company_id": "c-9",
        "session_key": door.vault.fingerprint("planted-2"),
        "ip_address": "203.0.113.7",
        "direction": "Outgoing",
        "weight": 4,
        "blocked_by": "rule-1",
        "api_version": "2.1",
        "sdk": "moesifapi-python/1.5.5",
        "request_headers": {"content-type": "application/json", "authorization": MARK},
        "response_headers": {"content-type": "text/plain"},
        "request_encoding": "",
        "response_encoding": "base64",
        "flags": (),
    }
    assert {name: getattr(call, name) for name in expected} == expected
    assert msgspec.json.decode(call.request_body) == {"weight_g": 420, "card": {"number": MARK}}
    assert base64.b64decode(msgspec.json.decode(call.response_body)) == b"bad zip"
    assert msgspec.json.decode(call.metadata) == {"dc": "eu"}
    assert extra == {"tags": "a,b", "response": {"ip_address": "10.0.0.7"}}


def test_unset_fields_are_sent_as_null_and_mean_nothing(calls: list[ApiCall]) -> None:
    """Only the request is given: the library makes the id, the peer gives the address."""
    call = calls[3]
    assert len(call.call_id) == 36
    assert (call.uri, call.status, call.weight, call.direction) == ("/", 0, 1, "Incoming")
    assert (call.user_id, call.ip_address, bytes(call.extra)) == ("", "127.0.0.1", b"")


def test_profiles_arrive(calls: list[ApiCall], door: Door) -> None:
    """Users and companies, single and in batches, with links, times, metadata and campaign."""
    assert calls
    profiles = door.only(ProfileUpdate)
    assert [(p.kind, p.id) for p in profiles] == [
        ("user", "u-81"), ("user", "u-82"), ("user", "u-83"),
        ("company", "c-9"), ("company", "c-10"),
    ]  # fmt: skip
    ana, parcel = profiles[0], profiles[3]
    assert (ana.company_id, ana.time) == ("c-9", datetime(2026, 11, 1, tzinfo=UTC))
    assert ana.session_key == door.vault.fingerprint("planted-3")
    fields = msgspec.json.decode(ana.fields)
    assert fields["metadata"] == {"email": "ana@parcel.example", "crm": {"stage": "trial"}}
    assert fields["campaign"]["utm_source"] == "newsletter"
    assert (fields["ip_address"], fields["user_agent_string"]) == ("203.0.113.7", "parcel/1")
    assert msgspec.json.decode(parcel.fields) == {
        "company_domain": "parcel.example", "metadata": {"seats": 40},
    }  # fmt: skip


def test_no_planted_secret_reached_the_log(calls: list[ApiCall], door: Door) -> None:
    """Tokens, keys and cards end at the door."""
    assert calls
    text = msgspec.json.encode(door.records())
    assert b"planted" not in text
    assert b"4111111111111111" not in text
