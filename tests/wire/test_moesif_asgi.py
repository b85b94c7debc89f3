"""The promise to users of `moesifasgi` 1.1: the middleware, unmodified, around a Starlette API."""

import pytest

from headwater.collector import MARK
from tests.support.clients import Recording, record
from tests.wire.parcels import (
    FORM,
    PAGE,
    PEOPLE,
    check_clock,
    check_secrets,
    expected_label,
    named_in,
    text_of,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What is stored after a program's four calls and its profiles."""
    folder = tmp_path_factory.mktemp("moesifasgi")
    return record(folder, lambda stage: stage.run_python("moesifasgi_app.py", calls=4))


def test_every_field_of_a_call_is_stored(kept: Recording) -> None:
    """The hooks' answers, both sides with lower-case headers, the library's name and its own id."""
    call = kept.call("/v2/labels")
    expected = expected_label(
        request={"accept-encoding": "identity", "content-length": "46"},
        response={"content-type": "application/json", "content-length": "28"},
        sizes=(46, 28),
        session_token=kept.vault.fingerprint("planted-session"),
        sdk="moesifasgi-python/None",  # so it calls itself
    )
    assert named_in(call, expected) == expected
    assert len(call["transaction_id"]) == 36
    check_clock(call)


def test_a_form_and_a_page_are_kept_as_base64(kept: Recording) -> None:
    """The form's password is masked inside of the base64; so is the cookie."""
    call = kept.call("/login")
    assert (text_of(call["request"]), text_of(call["response"])) == (FORM, PAGE)
    assert call["response"]["headers"]["set-cookie"] == MARK


def test_a_stream_is_kept_whole(kept: Recording) -> None:
    """Its pieces are one body; the id in the path is no part of the route."""
    call = kept.call("/v2/labels/1001/track")
    assert text_of(call["response"]) == "picked up,sorted,delivered"
    assert (call["request"]["route"], call["request"]["body"]) == ("/v2/labels/:id/track", None)
    assert call["response"]["bytes"] == 26  # without a Content-Length


def test_an_error_is_a_call_and_a_skipped_path_is_none(kept: Recording) -> None:
    """Four calls of five requests."""
    call = kept.call("/broken")
    assert (call["response"]["status"], call["response"]["status_class"]) == (500, "5xx")
    assert call["response"]["body"] == {"error": "no"}
    assert len(kept.calls) == 4
    assert kept.rejects == []


def test_it_asks_for_its_configuration_once(kept: Recording) -> None:
    """The tags of the batch's answer are those of the configuration: nothing is fetched again."""
    assert kept.lines("GET") == ["GET /v1/config", "GET /v1/rules"]
    assert len(kept.tags()) == 1
    assert {p.headers["content-encoding"] for p in kept.posts("/v1/events/batch")} == {"gzip"}


def test_profiles_are_stored(kept: Recording) -> None:
    """Users and companies, single and in batches; what was not given is not there."""
    assert kept.documents() == PEOPLE


def test_no_planted_secret_is_stored(kept: Recording) -> None:
    """Neither in what can be asked for nor in any file on disk."""
    check_secrets(kept)
