"""The promise to users of `moesifwsgi` 1.10: the middleware, unmodified, in a Flask API."""

import base64
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from headwater.collector import MARK
from headwater.model import ApiCall, ProfileUpdate, Reject
from tests.support.collector_door import Door, open_door
from tests.support.programs import run_program

PROGRAM = Path(__file__).parent / "programs" / "moesifwsgi_app.py"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A Collector API to which the program has sent all it had."""
    with open_door(tmp_path_factory.mktemp("moesifwsgi")) as opened:
        run_program(str(PROGRAM), opened.url, opened.key)
        yield opened


@pytest.fixture(scope="module")
def calls(door: Door) -> dict[str, ApiCall]:
    """The three calls, by the last part of their path."""
    assert door.only(Reject) == []
    found = door.only(ApiCall)
    assert len(found) == 3
    return {call.uri.partition("?")[0].rpartition("/")[2]: call for call in found}


def test_every_request_is_a_call_with_its_people(calls: dict[str, ApiCall], door: Door) -> None:
    """Verb, URI, status, the hooks' answers, the library's name and its own id."""
    call = calls["labels"]
    assert (call.verb, call.uri, call.status) == ("POST", "http://localhost/v2/labels?dry=1", 201)
    assert (call.user_id, call.company_id, call.api_version) == ("ana", "parcel", "2.1")
    assert call.session_key == door.vault.fingerprint("planted-session")
    assert call.sdk == "moesifwsgi-python/1.10.5"
    assert (call.direction, call.weight, len(call.call_id), call.flags) == ("Incoming", 1, 36, ())
    assert 0 <= call.duration_ms < 10_000
    assert abs((call.received_at - call.time).total_seconds()) < 60
    assert msgspec.json.decode(call.metadata) == {"dc": "eu", "secret": MARK}


def test_headers_and_bodies_are_kept(calls: dict[str, ApiCall]) -> None:
    """JSON as JSON, with lower-case header names and the sizes of the wire."""
    call = calls["labels"]
    assert msgspec.json.decode(call.request_body) == {"weight_g": 420}
    assert msgspec.json.decode(call.response_body) == {"id": "lb_1", "weight_g": 420}
    assert call.request_headers["content-type"] == "application/json"
    assert call.response_headers["content-type"] == "application/json"
    assert (call.request_bytes, call.response_bytes) == (17, 29)
    assert calls["broken"].status == 500
    assert calls["broken"].request_headers["user-agent"] == "parcel-python/2.1.0"


def test_a_form_and_a_page_are_kept_as_base64_with_secrets_masked(
    calls: dict[str, ApiCall],
) -> None:
    """What is no JSON the middleware sends as base64; the password and the cookie are masked."""
    call = calls["login"]
    assert call.request_encoding == call.response_encoding == "base64"
    form = base64.b64decode(msgspec.json.decode(call.request_body)).decode()
    assert form == f"user=ana&password={MARK}"
    page = base64.b64decode(msgspec.json.decode(call.response_body)).decode()
    assert page == "<p>Zoë is welcome</p>"
    assert call.response_headers["set-cookie"] == MARK


def test_profiles_of_the_middleware_arrive(calls: dict[str, ApiCall], door: Door) -> None:
    """Plain dictionaries, single and batch."""
    assert calls
    found = [(profile.kind, profile.id) for profile in door.only(ProfileUpdate)]
    assert found == [("user", "ana"), ("user", "bob"), ("company", "parcel")]


def test_no_planted_secret_passed_the_door(door: Door) -> None:
    """Neither the form's password nor cookie, session token or metadata secret."""
    assert b"planted" not in msgspec.json.encode(door.records())
