"""Rubbish in a body is answered as such: it is no fault of ours."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.web import LOCAL_TOKEN, World

OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}", "content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"[" * 100_000,
        b'{"name": ' * 50_000,
        b'{"name": "\xff\xfe"}',
        b'{"\xed\xa0\x80": 1}',
    ],
    ids=["empty", "words", "deep array", "deep object", "bytes in a value", "bytes in a name"],
)
async def test_a_body_that_cannot_be_read_is_refused(
    browser: AsyncTestClient[Litestar], body: bytes
) -> None:
    """400 with a code, whatever the reader of bodies stumbled over."""
    answer = await browser.post("/api/v1/apps", content=body, headers=OWNER)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("0999-01-01T00:00:00Z", "2026-11-23T09:00:00Z", 200),
        ("2000-01-01T00:00:00Z", "0999-01-01T00:00:00Z", 200),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 200),
        ("2000-01-01T00:00:00", "2026-11-23T09:00:00", 400),
    ],
    ids=["long ago", "backwards", "for ever", "without a zone"],
)
async def test_a_span_of_any_length_is_answered(
    world: World, browser: AsyncTestClient[Litestar], first: str, last: str, status: int
) -> None:
    """Also one whose ends the engine cannot hold."""
    path = f"/api/v1/apps/{world.add_app().id}/known-calls"
    body = {"call_ids": ["a"], "from": first, "to": last}
    answer = await browser.post(path, json=body, headers=OWNER)
    assert answer.status_code == status, answer.text
