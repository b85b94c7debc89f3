"""The promise to users of `moesif-browser-js` 1.8: the script, unmodified, in real Chromium.

The page has an origin of its own, so that every post to the collector is a cross-origin request
with a preflight. The page fails its test on any error in its console: a refused preflight is one.
"""

from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from playwright.sync_api import Browser

from headwater.collector import MARK
from tests.support.browser import open_chromium, open_page
from tests.support.clients import Recording, Stage, record
from tests.support.eventually import eventually
from tests.support.npm import NODE
from tests.support.site import serving_site
from tests.wire.parcels import PAGE, check_clock, check_secrets, named_in, text_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
_CAMPAIGN = {"utm_source": "newsletter", "utm_medium": "mail", "gclid": "g-1"}
_BATCH_EVERY_MS = 600


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, node_modules: Path, chromium: str) -> Recording:
    """What is stored after two visits: one that ends known, and one with batches."""
    script = (node_modules / "moesif-browser-js" / "moesif.min.js").read_bytes()
    pages = {
        "/": ("text/html", (NODE / "page.html").read_bytes()),
        "/moesif.min.js": ("text/javascript", script),
        "/terms": ("text/html; charset=utf-8", PAGE.encode()),
    }

    def play(stage: Stage) -> None:
        with serving_site(pages) as origin, open_chromium(chromium) as browser:
            _visit_and_log_in(stage, browser, origin)
            _visit_with_batches(stage, browser, origin)

    return record(tmp_path_factory.mktemp("moesif-browser"), play)


def _visit_and_log_in(stage: Stage, browser: Browser, origin: str) -> None:
    """An unknown visitor comes from a newsletter, acts, becomes known, and acts again."""
    with open_page(browser) as page:
        page.goto(f"{origin}/?utm_source=newsletter&utm_medium=mail&gclid=g-1")
        options = {"applicationId": stage.key, "host": stage.tap.host}
        page.evaluate("options => { moesif.init(options); moesif.start() }", options)
        page.evaluate("parcels.makeLabel('/v2/labels?api_key=planted-key')")
        page.evaluate("moesif.track('Clicked Sign Up', {button: 'top', password: 'planted'})")
        stage.wait_for_calls(1)
        page.evaluate("parcels.logIn()")
        page.evaluate("parcels.readTerms()")
        page.evaluate("moesif.track('Read Terms')")
        stage.wait_for_calls(2)
        eventually(lambda: len(stage.actions()) == 2)
        # What the visitor did becomes the user's as soon as the log-in is known.
        eventually(lambda: {it["user_id"] for it in (*stage.calls(), *stage.actions())} == {"ana"})


def _visit_with_batches(stage: Stage, browser: Browser, origin: str) -> None:
    """Another visitor calls thrice and does three things; the script sends them together."""
    with open_page(browser) as page:
        page.goto(f"{origin}/")
        options = {"batchEnabled": True, "batchMaxTime": _BATCH_EVERY_MS, "apiVersion": "2.1"}
        page.evaluate(
            "options => { moesif.init(options); moesif.start() }",
            options | {"applicationId": stage.key, "host": stage.tap.host},
        )
        page.evaluate("Promise.all([1, 2, 3].map((n) => parcels.makeLabel(`/v2/labels/${n}00`)))")
        page.evaluate("[1, 2, 3].forEach((n) => moesif.track(`Step ${n}`))")
        stage.wait_for_calls(5)
        eventually(lambda: len(stage.actions()) == 5)


def _visitor(kept: Recording) -> str:
    """Return the anonymous id of the first visitor, as the script sent it."""
    sent = kept.sent("/v1/users")[0]
    assert sent == {"anonymous_id": ANY, "campaign": _CAMPAIGN}
    return str(sent["anonymous_id"])


def test_an_unknown_visitor_is_accepted(kept: Recording) -> None:
    """`/v1/users` takes an anonymous id without a user id: the script begins every visit so."""
    visitor = _visitor(kept)
    assert kept.posts("/v1/users")[0].status == 201
    campaign = {"campaign": _CAMPAIGN, "initial_campaign": _CAMPAIGN}
    assert ("user", visitor, campaign) in kept.documents()


def test_every_field_of_a_visitors_call_is_stored(kept: Recording) -> None:
    """A call by fetch, before anybody is known; the log-in tells later whose it was."""
    call = kept.call("/v2/labels")
    expected = _expected(
        user_id="ana", company_id="parcel", anonymous_id=_visitor(kept), session_token=""
    ) | {
        "request": {
            "verb": "POST",
            "route": "/v2/labels",
            "uri": ANY,
            "headers": {
                "authorization": MARK,
                "content-type": "application/json",
                "user-agent": ANY,
            },
            "body": {"weight_g": 420, "password": MARK},
            "transfer_encoding": "json",
            "bytes": 46,
            "ip_address": "127.0.0.1",
            "api_version": "",
        },
        "response": {
            "status": 201,
            "headers": {"content-type": "application/json", "content-length": "27"},
            "body": {"id": "lb_1", "bytes": 46},
            "transfer_encoding": "json",
            "bytes": 27,
        },
    }
    assert named_in(call, expected) == expected
    assert call["request"]["uri"].endswith(f"/v2/labels?api_key={MARK}")
    assert len(call["transaction_id"]) == 36
    check_clock(call)


def test_a_known_users_call_has_all_ids(kept: Recording) -> None:
    """A call by XMLHttpRequest, after the log-in; its page comes as base64."""
    call = kept.call("/terms")
    expected = _expected(
        user_id="ana",
        company_id="parcel",
        anonymous_id="",
        session_token=kept.vault.fingerprint("planted-session"),
    )
    assert named_in(call, expected) == expected
    assert (call["response"]["status"], text_of(call["response"])) == (200, PAGE)
    check_clock(call)


def _expected(**ids: str) -> dict[str, Any]:
    return {
        **ids,
        "client": {"name": "Chrome", "version": ANY, "kind": "browser"},
        "sdk": "moesif-browser-js/1.8.13",
        "direction": "Incoming",
        "weight": 1,
        "flags": [],
        "metadata": None,
        "extra": None,
    }


def test_identifying_joins_the_visitor_to_the_user(kept: Recording) -> None:
    """The user has the visitor's anonymous id, the company, and the campaign of the first visit."""
    ana = kept.profile("user", "ana")
    campaign = {"campaign": _CAMPAIGN, "initial_campaign": _CAMPAIGN}
    known = {"company_id": "parcel", "metadata": {"email": "ana@parcel.example"}}
    assert (ana["doc"], ana["company_id"]) == (known | campaign, "parcel")
    assert ana["anonymous_ids"] == [_visitor(kept)]
    company = {"company_id": "parcel", "company_domain": "parcel.example"}
    described = company | {"metadata": {"plan": "scale"}} | campaign
    assert ("company", "parcel", described) in kept.documents()


def test_every_field_of_an_action_is_stored(kept: Recording) -> None:
    """Before the log-in it names the visitor, after it the user; in the end both are the user's."""
    before, after = kept.actions[:2]
    expected: dict[str, Any] = {
        "action_name": "Clicked Sign Up",
        "user_id": "ana",
        "company_id": "parcel",
        "anonymous_id": _visitor(kept),
        "session_token": "",
        "sdk": "moesif-browser-js/1.8.13",
        "client": {"name": "Chrome", "version": ANY, "kind": "browser"},
        "flags": ["time_missing"],  # the script never sends one
        "metadata": {"button": "top", "password": MARK},
        "request": {"uri": ANY, "ip_address": "127.0.0.1", "user_agent_string": ANY},
    }
    assert named_in(before, expected) == expected
    assert "?utm_source=newsletter" in before["request"]["uri"]
    assert "Chrome" in before["request"]["user_agent_string"]
    assert len(before["transaction_id"]) == 36
    assert [after[name] for name in ("action_name", "user_id", "company_id", "anonymous_id")] == [
        *("Read Terms", "ana", "parcel", ""),
    ]
    assert after["session_token"] == kept.vault.fingerprint("planted-session")


def test_batches_of_calls_and_actions_are_stored(kept: Recording) -> None:
    """All three of each; actions of a batch are marked, since their time is only roughly known."""
    assert kept.posts("/v1/events/batch")
    assert kept.posts("/v1/actions/batch")
    uris = [call["request"]["uri"] for call in kept.calls[2:]]
    assert sorted(uri[-4:] for uri in uris) == ["/100", "/200", "/300"]
    assert {call["request"]["route"] for call in kept.calls[2:]} == {"/v2/labels/:id"}
    assert {call["request"]["api_version"] for call in kept.calls[2:]} == {"2.1"}
    assert sorted(a["action_name"] for a in kept.actions[2:]) == ["Step 1", "Step 2", "Step 3"]
    assert all("time_approximate" in action["flags"] for action in kept.actions[2:])


def test_the_script_does_not_report_itself(kept: Recording) -> None:
    """Its own posts, which its own capture sees, are no calls."""
    assert len(kept.calls) == 5
    assert kept.rejects == []


def test_the_browser_asks_leave_once_a_path_and_visit(kept: Recording) -> None:
    """Preflights are answered for every site, and remembered."""
    asked = kept.lines("OPTIONS")
    assert set(asked) == {
        f"OPTIONS /v1/{path}"
        for path in ("users", "companies", "events", "actions", "events/batch", "actions/batch")
    }
    assert all(asked.count(line) <= 2 for line in asked)  # two visits, each in a fresh profile
    assert {e.answer_headers["access-control-allow-origin"] for e in kept.exchanges} == {"*"}
    assert {e.status for e in kept.exchanges} == {201, 204}
    assert len(kept.tags()) == 1


def test_no_planted_secret_is_stored(kept: Recording) -> None:
    """Neither in what can be asked for nor in any file on disk."""
    check_secrets(kept)
