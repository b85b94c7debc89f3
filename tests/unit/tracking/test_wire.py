"""Finding the items of a request."""

import gzip
import json

import pytest

from headwater.base.errors import InvalidInputError
from headwater.tracking.keys import read_basic
from headwater.tracking.wire import Unreadable, read_envelope, read_item


def test_a_single_message_is_its_own_item() -> None:
    """Without `batch` the whole body is the item; its context is its own."""
    body = b'{"userId": "u", "writeKey": "k", "sentAt": "s", "context": {"a": 1}}'
    envelope = read_envelope(b"\xef\xbb\xbf" + body)
    assert (envelope.items, envelope.is_batch) == ([body], False)
    assert (envelope.write_key, envelope.sent_at, envelope.context) == ("k", "s", {})


@pytest.mark.parametrize(
    "odd",
    [
        '{"a": "\\ud800"}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": ' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": tru}',
        '"text"',
        "17",
    ],
)
def test_an_odd_item_leaves_its_neighbours_alone(odd: str) -> None:
    """Whatever one item holds, the ones before and after it are read as they were sent."""
    body = f'{{"batch": [{{"n": 1}}, {odd}, {{"n": 2}}], "sentAt": "s", "context": {{"c": 1}}}}'
    envelope = read_envelope(body.encode())
    items = [read_item(raw, 200_000) for raw in envelope.items]
    assert (items[0], items[2]) == ({"n": 1}, {"n": 2})
    assert (len(items), envelope.sent_at, envelope.context) == (3, "s", {"c": 1})


@pytest.mark.parametrize(
    ("raw", "item"),
    [
        (b'{"a": "\\ud800!"}', {"a": "\ufffd!"}),
        (b'{"a": "caf\xe9"}', {"a": "caf\ufffd"}),
        (b'{"a": NaN}', {"a": "NaN"}),
        (b'{"a": 36893488147419103232}', {"a": "36893488147419103232"}),
        (b'{"a": tru}', Unreadable("invalid_json")),
        (b"[1]", Unreadable("not_object")),
        (b"null", Unreadable("not_object")),
        (b'{"a":' + b"[" * 120 + b"]" * 120 + b"}", Unreadable("too_deep")),
        (b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}", Unreadable("too_deep")),
        (json.dumps({"a": "x" * 200_000}).encode(), Unreadable("too_large")),
    ],
)
def test_each_item_has_its_own_fate(raw: bytes, item: object) -> None:
    """Odd values are mended; only what is no message at all is refused."""
    assert read_item(raw, 200_000) == item


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"[]", b"5", b'{"batch": 5}', b'{"batch": [', gzip.compress(b"{}", mtime=0)],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """A body that is no JSON object, or whose batch is no array, has the code `invalid_json`."""
    with pytest.raises(InvalidInputError) as caught:
        read_envelope(body)
    assert caught.value.facts["reason"] == "invalid_json"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Basic a2V5Og==", "key"),
        ("basic a2V5", "key"),
        ("Basic a2V5OnB3", "key"),
        ("Basic a2V5Og", "key"),
        ("Bearer abc", ""),
        ("Basic", ""),
        ("Basic ü", ""),
        ("Basic /////w==", ""),
        ("", ""),
    ],
)
def test_the_write_key_is_the_user_name(header: str, key: str) -> None:
    """With or without a colon, a password or padding; anything else is no key."""
    assert read_basic(header) == key
