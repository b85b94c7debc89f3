"""The promise to users of `moesif-nodejs` 3.11: the middleware, unmodified, in an Express API."""

import os
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from headwater.collector import MARK
from tests.support.clients import Recording, Stage, record
from tests.support.npm import NODE
from tests.wire.parcels import (
    PAGE,
    PEOPLE,
    SUBSCRIPTIONS,
    check_clock,
    check_secrets,
    expected_label,
    named_in,
    seconds_between,
    text_of,
)

pytestmark = pytest.mark.timeout(300)
"""The first test may install the packages."""
_FIRST, _AFTERWARDS = 3, 60
"""Calls that go into the first batch, and calls that are made when it was answered."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, node_modules: Path) -> Recording:
    """What is stored after a program's calls, profiles and actions."""

    def play(stage: Stage) -> None:
        stage.run(
            "node",
            str(NODE / "moesif_nodejs_app.cjs"),
            calls=_FIRST + _AFTERWARDS,
            env={**os.environ, "NODE_PATH": str(node_modules)},
        )

    return record(tmp_path_factory.mktemp("moesif-nodejs"), play)


def test_every_field_of_a_call_is_stored(kept: Recording) -> None:
    """The library gives no id to a call, so the collector does; all else is as in every client."""
    call = kept.call("/v2/labels")
    expected = expected_label(
        request={"content-length": "46", "connection": "keep-alive"},
        response={
            "content-type": "application/json; charset=utf-8",
            "content-length": "28",
            "etag": ANY,
            "x-powered-by": "Express",
        },
        sizes=(46, 28),
        session_token=kept.vault.fingerprint("planted-session"),
        sdk="moesif-nodejs/3.11.0",
    )
    assert named_in(call, expected) == expected
    assert call["transaction_id"].startswith("call_")
    check_clock(call)


def test_a_form_that_express_parsed_and_a_page_are_kept(kept: Recording) -> None:
    """The form comes as the object that Express made of it, the page as base64."""
    call = kept.call("/login")
    assert call["request"]["body"] == {"user": "ana", "password": MARK}
    assert call["request"]["transfer_encoding"] == "json"
    assert text_of(call["response"]) == PAGE
    assert call["response"]["headers"]["set-cookie"] == MARK


def test_an_error_is_a_call_and_a_skipped_path_is_none(kept: Recording) -> None:
    """All calls are there, once, and nothing else."""
    call = kept.call("/broken")
    assert (call["response"]["status"], call["response"]["body"]) == (500, {"error": "no"})
    assert len(kept.calls) == _FIRST + _AFTERWARDS
    routes = [call["request"]["route"] for call in kept.calls]
    assert routes.count("/v2/labels/:id") == _AFTERWARDS
    assert kept.rejects == []


def test_it_asks_for_its_configuration_no_more_after_a_batch(kept: Recording) -> None:
    """The batch is answered with the tag of the configuration: sixty more calls fetch nothing.

    Were the tag on one of the two only, the library would ask at every call, one after another.
    """
    lines = kept.lines()
    assert set(lines[:2]) == {"GET /v1/config", "GET /v1/rules"}
    answered = lines.index("POST /v1/events/batch")
    assert lines[:answered].count("GET /v1/config") <= 1 + _FIRST
    assert [line for line in lines[answered:] if line.startswith("GET")] == []
    assert len(kept.tags()) == 1


def test_profiles_are_stored(kept: Recording) -> None:
    """Users, companies and subscriptions; the empty campaign that comes with each is nothing."""
    assert b'"campaign":{}' in kept.posts("/v1/users")[0].unpacked
    assert kept.documents() == [*PEOPLE[:2], *SUBSCRIPTIONS, *PEOPLE[2:]]


def test_every_field_of_an_action_is_stored(kept: Recording) -> None:
    """With a time it is kept at that time; without one it is kept as it comes, and marked."""
    created, again, read = (
        next(a for a in kept.actions if name in (a["transaction_id"], a["action_name"]))
        for name in ("act-1", "act-2", "Read Docs")
    )
    expected: dict[str, Any] = {
        "action_name": "Created Key",
        "user_id": "ana",
        "company_id": "parcel",
        "anonymous_id": "",
        "session_token": kept.vault.fingerprint("planted-token"),
        "sdk": "moesif-nodejs/3.11.0",
        "flags": [],
        "metadata": {"plan": "trial", "password": MARK},
        "extra": None,
        "request": {
            "time": ANY,
            "uri": f"https://parcel.example/keys?token={MARK}",
            "ip_address": "203.0.113.7",
        },
    }
    assert named_in(created, expected) == expected
    assert (again["metadata"], again["request"]["uri"]) == (None, created["request"]["uri"])
    assert (read["user_id"], read["request"]["uri"]) == ("bob", "/docs")
    assert "time_missing" in read["flags"]
    assert len(kept.actions) == 3


def test_an_action_keeps_its_own_time(kept: Recording) -> None:
    """The program says a minute ago."""
    created = next(a for a in kept.actions if a["transaction_id"] == "act-1")
    assert 59 < seconds_between(created["request"]["time"], created["received_at"]) < 120


def test_all_posts_are_packed_and_no_planted_secret_is_stored(kept: Recording) -> None:
    """Neither in what can be asked for nor in any file on disk."""
    assert {e.headers["content-encoding"] for e in kept.exchanges if e.method == "POST"} == {"gzip"}
    check_secrets(kept)
