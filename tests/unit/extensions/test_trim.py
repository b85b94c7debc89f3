"""A message too large for receivers loses whole parts in the stated order, and says which.

The laws hold of every message of the extension, identify, group and track, however large each of
its parts is, and in whatever script: receivers count bytes.
"""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.extensions.packet import cut, pack
from headwater.extensions.segment.choice import choice_of
from headwater.extensions.segment.client import LIMITS
from headwater.extensions.segment.trim import MOST_BYTES, ORDER, encode_within_limit

Json = dict[str, Any]

MOST_OF_A_BATCH = 500_000
TAIL = b'],"sentAt":"2026-11-23T10:00:00.000Z"}'
LETTERS = ("x", "é", "本", "🌍", '"', "\\", "\u2028", "\n")
KEPT: Json = {"id": "ann", "email": "ann@example.com", "createdAt": "2026-11-23T10:00:00.000Z"}
SIZES = st.one_of(st.integers(0, 60), st.integers(3_000, 9_000), st.integers(15_900, 33_000))
TEXTS = st.builds(lambda letter, size: letter * size, st.sampled_from(LETTERS), SIZES)
OF_KIND = {"identify": "traits", "group": "traits", "track": "properties"}


def name_of(path: tuple[str, ...]) -> str:
    return ".".join(path[1:] if path[0] == "traits" else path)


def put(message: Json, path: tuple[str, ...], value: Any) -> Json:
    """Return the message with something at a path."""
    name, *rest = path
    inner = put(message.get(name, {}), tuple(rest), value) if rest else value
    return {**message, name: inner}


def take(message: Json, path: tuple[str, ...]) -> Json:
    """Return the message without what stands at a path."""
    name, *rest = path
    if rest:
        return {**message, name: take(message[name], tuple(rest))}
    return {key: value for key, value in message.items() if key != name}


def has(message: Json, path: tuple[str, ...]) -> bool:
    name, *rest = path
    return name in message and (not rest or has(message[name], tuple(rest)))


@st.composite
def messages(draw: st.DrawFn) -> Json:
    """Return a message of some kind with parts of any size, none of them nameless."""
    kind = draw(st.sampled_from(sorted(OF_KIND)))
    body: Json = {**KEPT, "note": draw(st.text(max_size=30))}
    message: Json = {"type": kind, "context": {"library": {"name": "us"}}, OF_KIND[kind]: body}
    for path in draw(st.lists(st.sampled_from(ORDER), unique=True, max_size=6)):
        if path[0] in message:
            message = put(message, path, draw(TEXTS))
    return message


def size_of(message: Json) -> int:
    return len(msgspec.json.encode(message))


@settings(max_examples=60)
@given(messages())
def test_parts_go_whole_in_the_stated_order_and_no_more_than_needed(message: Json) -> None:
    """What is left stands byte for byte; the message names what went; one part less did not do."""
    encoded = encode_within_limit(message)
    assert encoded is not None
    assert len(encoded) <= MOST_BYTES
    sent = msgspec.json.decode(encoded)
    trimmed = sent["context"].pop("trimmed", [])
    gone = [path for path in ORDER if has(message, path)][: len(trimmed)]
    assert [name_of(path) for path in gone] == trimmed
    expected = [message]
    for path in gone:
        expected.append(take(expected[-1], path))
    assert sent == expected[-1]
    assert all(size_of(one) > size_of(next_) for one, next_ in pairwise(expected))
    if gone:
        marks = {"trimmed": trimmed[:-1]} if trimmed[:-1] else {}
        before = expected[-2]
        assert size_of({**before, "context": {**before["context"], **marks}}) > MOST_BYTES
    else:
        assert encoded == msgspec.json.encode(message)


@pytest.mark.parametrize("path", ORDER, ids=name_of)
@pytest.mark.parametrize("letter", ["x", "🌍"])
def test_each_part_alone_can_be_too_large(path: tuple[str, ...], letter: str) -> None:
    """It goes, with all that the order names before it; who the user is stays."""
    message: Json = {"type": "identify", "context": {}, "traits": KEPT}
    for other in ORDER:
        message = put(message, other, "small")
    message = put(message, path, letter * MOST_BYTES)
    encoded = encode_within_limit(message)
    assert encoded is not None
    sent = msgspec.json.decode(encoded)
    gone = ORDER[: ORDER.index(path) + 1]
    assert sent["context"]["trimmed"] == [name_of(one) for one in gone]
    assert KEPT.items() <= sent["traits"].items()
    assert all(has(sent, later) for later in ORDER[len(gone) :])


@pytest.mark.parametrize("letter", ["x", "é", "本", "🌍"])
def test_bytes_count_not_letters(letter: str) -> None:
    """A message of exactly the limit goes as it is, one of a byte more loses a part."""
    width = len(letter.encode())
    empty: Json = {"type": "identify", "context": {}, "traits": {**KEPT, "metadata": "", "pad": ""}}
    room = MOST_BYTES - size_of(empty)
    exact = put(empty, ("traits", "metadata"), letter * (room // width))
    exact = put(exact, ("traits", "pad"), "x" * (room % width))
    assert encode_within_limit(exact) == msgspec.json.encode(exact)
    above = put(exact, ("traits", "pad"), "x" * (room % width + 1))
    sent = msgspec.json.decode(encode_within_limit(above) or b"")
    assert sent["context"]["trimmed"] == ["metadata"]


@given(messages(), st.sampled_from(["m", "metadata_of_the_user_and_more"]))
def test_another_name_changes_nothing_of_what_goes(message: Json, new: str) -> None:
    """The size is that of what is sent, and what is missing goes by the names of the reference."""
    renamed = choice_of((), (f"metadata={new}", "userAgent=metadata"))
    encoded = encode_within_limit(message, renamed.rename)
    assert encoded is not None
    assert len(encoded) <= MOST_BYTES
    trimmed = msgspec.json.decode(encoded)["context"].get("trimmed", [])
    assert set(trimmed) <= {name_of(path) for path in ORDER}


@settings(max_examples=30)
@given(st.lists(messages(), min_size=1, max_size=40))
def test_a_batch_of_the_largest_messages_is_within_what_receivers_take(many: list[Json]) -> None:
    """The whole request, its end included, and none of them is missing."""
    payloads = [payload for one in many if (payload := encode_within_limit(one))]
    parts = [payloads[part] for part in cut([len(payload) for payload in payloads], LIMITS)]
    assert [payload for part in parts for payload in part] == payloads
    assert all(len(pack(part).plain(TAIL)) <= MOST_OF_A_BATCH for part in parts)
