"""Batches fit, answers are understood, settings are checked before anything is saved."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.egress import Reply
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.extensions import GALLERY, find_extension
from headwater.extensions.contract import Verdict
from headwater.extensions.packet import cut
from headwater.extensions.segment.client import LIMITS, read_reply
from headwater.extensions.segment.endpoints import clean_endpoint
from headwater.extensions.segment.settings import clean_partner_key
from headwater.extensions.segment.trim import MOST_BYTES, ORDER, encode_within_limit


@given(st.lists(st.integers(1, MOST_BYTES), max_size=200))
def test_batches_hold_everything_in_order_and_fit(sizes: list[int]) -> None:
    """No batch exceeds the limit, none is empty, none could have taken the next message."""
    batches = [sizes[part] for part in cut(sizes, LIMITS)]
    assert [size for batch in batches for size in batch] == sizes
    assert all(batches)
    assert all(sum(batch) + len(batch) < LIMITS.size_bytes + 50 for batch in batches)


def test_batches_are_cut_by_count_too() -> None:
    """2,500 items at most."""
    parts = list(cut([2] * 5_001, LIMITS))
    assert [part.stop - part.start for part in parts] == [2_500, 2_500, 1]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.ACCEPTED), (201, Verdict.ACCEPTED), (204, Verdict.ACCEPTED),
        (301, Verdict.HALTED), (302, Verdict.HALTED), (304, Verdict.HALTED), (307, Verdict.HALTED),
        (400, Verdict.REFUSED), (413, Verdict.REFUSED), (422, Verdict.REFUSED),
        (401, Verdict.HALTED), (403, Verdict.HALTED), (404, Verdict.HALTED), (410, Verdict.HALTED),
        (408, Verdict.LATER), (425, Verdict.LATER), (429, Verdict.LATER),
        (500, Verdict.LATER), (502, Verdict.LATER), (503, Verdict.LATER), (599, Verdict.LATER),
    ],
)  # fmt: skip
def test_each_status_has_its_fate(status: int, verdict: Verdict) -> None:
    """Only 2xx is success; what passes is tried again; what a person must mend waits."""
    outcome = read_reply(Reply(status=status, headers={}, body=b"a word\x1b[31m"))
    assert outcome.verdict is verdict
    if verdict is not Verdict.ACCEPTED:
        assert f"answered {status}: a word" in outcome.reason
        assert outcome.reason.isprintable()


def test_retry_after_is_obeyed_in_seconds() -> None:
    """A date is not understood, as in the real clients."""
    asked = read_reply(Reply(status=429, headers={"retry-after": "7"}, body=b""))
    dated = read_reply(Reply(status=429, headers={"retry-after": "Wed, 21 Oct"}, body=b""))
    assert (asked.wait_s, dated.wait_s) == (7.0, None)


@pytest.mark.parametrize("body", [b"", b"ok", b"{", b"\xff", b"[]", b'{"success": true}', b"{}"])
def test_any_body_of_a_success_will_do(body: bytes) -> None:
    """Receivers differ."""
    assert read_reply(Reply(status=200, headers={}, body=body)).verdict is Verdict.ACCEPTED


def test_rejected_items_are_named_by_place() -> None:
    """A partly bad batch is accepted but for them."""
    body = msgspec.json.encode({"success": True, "rejected": [{"index": 3, "code": "no_id"}]})
    outcome = read_reply(Reply(status=200, headers={}, body=body))
    assert (outcome.verdict, outcome.rejected) == (Verdict.ACCEPTED, {3: "no_id"})


def a_message(**sizes: int) -> dict[str, Any]:
    numbers = {
        name: [{"route": "x" * sizes.get(name, 0)}]
        for name in ("topErrors", "clients", "topEndpoints")
    }
    return {
        "context": {"library": {"name": "headwater"}},
        "traits": {
            "id": "x" * sizes.get("id", 0),
            "dailyAggregation": {"totalCalls": 1, **numbers},
            "metadata": {"note": "x" * sizes.get("metadata", 0)},
        },
    }


def test_a_message_that_fits_is_not_touched() -> None:
    """Byte by byte."""
    message = a_message()
    assert encode_within_limit(message) == msgspec.json.encode(message)


@pytest.mark.parametrize(
    ("sizes", "trimmed"),
    [
        ({"topErrors": 40_000}, ["dailyAggregation.topErrors"]),
        (
            {"topEndpoints": 40_000},
            [f"dailyAggregation.{name}" for name in ("topErrors", "clients", "topEndpoints")],
        ),
        (
            {"metadata": 40_000},
            [
                *(f"dailyAggregation.{name}" for name in ("topErrors", "clients", "topEndpoints")),
                "metadata",
            ],
        ),
    ],
)
def test_what_helps_least_goes_first(sizes: dict[str, int], trimmed: list[str]) -> None:
    """And the message says what is missing; its plain counts stay."""
    encoded = encode_within_limit(a_message(**sizes))
    assert encoded is not None
    assert len(encoded) <= MOST_BYTES
    message = msgspec.json.decode(encoded)
    assert message["context"]["trimmed"] == trimmed
    assert message["traits"]["dailyAggregation"]["totalCalls"] == 1


def test_who_it_is_never_goes() -> None:
    """A message that only an id makes too large cannot be sent."""
    assert encode_within_limit(a_message(id=40_000)) is None
    assert not {("traits", "id"), ("traits", "email"), ("traits", "createdAt")} & set(ORDER)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("https://api.segment.io", "https://api.segment.io"),
        (" https://api.segment.io/v1/ ", "https://api.segment.io"),
        ("https://events.eu1.segmentapis.com/v1/batch", "https://events.eu1.segmentapis.com"),
        ("http://[::1]:8000/base/", "http://[::1]:8000/base"),
        ("built-in", ""),
        ("Segment", "https://api.segment.io"),
        ("segment-eu", "https://events.eu1.segmentapis.com"),
        ("rudderstack=https://a.example.com/v1", "https://a.example.com"),
        ("jitsu = https://a.example.com:8080/", "https://a.example.com:8080"),
    ],
)
def test_an_endpoint_is_kept_as_a_base(typed: str, kept: str) -> None:
    """With or without `/v1`, or by its name."""
    assert clean_endpoint(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "api.segment.io",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x?y=1",
        "https://x#y",
        "https://x:99999",
        "https://a b",
        "rudderstack",
        "jitsu=",
        "mystack=https://a.example.com",
    ],
)
def test_what_is_no_base_url_is_refused(typed: str) -> None:
    """With the field that is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        clean_endpoint(typed)
    assert caught.value.field == "endpoint"


@pytest.mark.parametrize("typed", ["", "  ", "a b", "ké", "a\nb", "a:"])
def test_what_is_no_key_is_refused(typed: str) -> None:
    """Before it is saved, and without repeating it."""
    with pytest.raises(InvalidInputError) as caught:
        clean_partner_key(typed)
    assert caught.value.field == "partner_key"


def test_the_gallery_names_its_entries() -> None:
    """Unknown ones are errors that list the known."""
    assert find_extension("segment").declaration is GALLERY[0]
    with pytest.raises(NotFoundError) as caught:
        find_extension("fax")
    assert "segment" in caught.value.hint
