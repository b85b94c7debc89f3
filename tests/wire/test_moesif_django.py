"""The promise to users of `moesifdjango` 2.3: the middleware, unmodified, in a Django API."""

from operator import itemgetter

import pytest

from headwater.collector import MARK
from tests.support.clients import Recording, record
from tests.wire.parcels import (
    FORM,
    PAGE,
    PEOPLE,
    SUBSCRIPTIONS,
    check_clock,
    check_secrets,
    expected_label,
    named_in,
    text_of,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What is stored after a program's four calls and its profiles."""
    folder = tmp_path_factory.mktemp("moesifdjango")
    return record(folder, lambda stage: stage.run_python("moesifdjango_app.py", calls=4))


def test_the_host_starts_with_what_it_fetches_first(kept: Recording) -> None:
    """The library asks for both documents before it serves; without them no host would start."""
    assert kept.lines()[:2] == ["GET /v1/config", "GET /v1/rules"]


def test_every_field_of_a_call_is_stored(kept: Recording) -> None:
    """Headers that the library writes in capitals are in lower case; hooks' answers are kept."""
    call = kept.call("/v2/labels")
    expected = expected_label(
        request={"content-length": "49", "cookie": MARK},
        response={"content-type": "application/json"},
        sizes=(49, 31),
        session_token=kept.vault.fingerprint("planted-session"),
        sdk="moesifdjango-python/2.3.13",
    )
    assert named_in(call, expected) == expected
    assert len(call["transaction_id"]) == 36
    check_clock(call)


def test_a_form_and_a_page_are_kept_as_base64(kept: Recording) -> None:
    """The form's password is masked inside of the base64; cookies the library does not report."""
    call = kept.call("/login")
    assert (text_of(call["request"]), text_of(call["response"])) == (FORM, PAGE)
    assert call["response"]["bytes"] == 22  # no Content-Length: counted


def test_a_redirect_and_an_exception_are_calls(kept: Recording) -> None:
    """Django answers for a view that raised; the skipped path is no call."""
    moved, failed = kept.call("/v1/labels"), kept.call("/broken")
    assert (moved["response"]["status"], moved["response"]["headers"]["location"]) == (
        302,
        "/v2/labels",
    )
    assert (failed["response"]["status"], failed["response"]["status_class"]) == (500, "5xx")
    assert moved["request"]["body"] is moved["response"]["body"] is None
    assert len(kept.calls) == 4
    assert kept.rejects == []


def test_it_fetches_no_configuration_again(kept: Recording) -> None:
    """After the first batch it fetches the rules once, whatever the tags are; that is all."""
    gets = kept.lines("GET")
    assert gets.count("GET /v1/config") == 1
    assert gets.count("GET /v1/rules") <= 2
    assert len(kept.tags()) == 1
    assert {p.headers["content-encoding"] for p in kept.posts("/v1/events/batch")} == {"gzip"}


def test_profiles_are_stored(kept: Recording) -> None:
    """Users, companies and subscriptions; what was not given is not there."""
    assert kept.documents() == sorted([*PEOPLE, *SUBSCRIPTIONS], key=itemgetter(0, 1))


def test_no_planted_secret_is_stored(kept: Recording) -> None:
    """Neither in what can be asked for nor in any file on disk."""
    check_secrets(kept)
