"""The promise to users of `moesifwsgi` 1.10: the middleware, unmodified, in a Flask API."""

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
    """What is stored after a program's three calls and its profiles."""
    folder = tmp_path_factory.mktemp("moesifwsgi")
    return record(folder, lambda stage: stage.run_python("moesifwsgi_app.py", calls=3))


def test_every_field_of_a_call_is_stored(kept: Recording) -> None:
    """The hooks' answers, both sides with lower-case headers, the library's name and its own id."""
    call = kept.call("/v2/labels")
    expected = expected_label(
        request={"content-length": "49"},
        response={"content-type": "application/json", "content-length": "29"},
        sizes=(49, 29),
        session_token=kept.vault.fingerprint("planted-session"),
        sdk="moesifwsgi-python/1.10.5",
    )
    assert named_in(call, expected) == expected
    assert len(call["transaction_id"]) == 36
    check_clock(call)


def test_a_form_and_a_page_are_kept_as_base64(kept: Recording) -> None:
    """The form's password is masked inside of the base64; so is the cookie."""
    call = kept.call("/login")
    assert (text_of(call["request"]), text_of(call["response"])) == (FORM, PAGE)
    assert call["response"]["headers"]["set-cookie"] == MARK


def test_an_error_is_a_call_and_a_skipped_path_is_none(kept: Recording) -> None:
    """Three calls of four requests."""
    call = kept.call("/broken")
    assert (call["response"]["status"], call["response"]["body"]) == (500, {"error": "no"})
    assert len(kept.calls) == 3
    assert kept.rejects == []


def test_it_asks_for_its_configuration_once(kept: Recording) -> None:
    """It would fetch both again, ten milliseconds after a batch, if the tags differed."""
    assert kept.lines("GET") == ["GET /v1/config", "GET /v1/rules"]
    assert len(kept.tags()) == 1
    assert {p.headers["content-encoding"] for p in kept.posts("/v1/events/batch")} == {"gzip"}


def test_profiles_are_stored(kept: Recording) -> None:
    """Users and companies, single and in batches; what was not given is not there."""
    assert kept.documents() == PEOPLE


def test_no_planted_secret_is_stored(kept: Recording) -> None:
    """Neither in what can be asked for nor in any file on disk."""
    check_secrets(kept)
