"""Rubbish in a body is answered as such: it is no fault of ours."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.web import LOCAL_TOKEN

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
