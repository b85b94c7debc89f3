"""Bodies are split and healed so that no item costs another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.collector.decode import read_events, read_objects
from headwater.collector.json_text import check_depth, heal, read_json, split_items
from headwater.collector.wire import NotUnderstood, Understood

GOOD = {"request": {"time": "2026-11-23T02:23:57.019", "uri": "/a", "verb": "GET"}}


def errors_of(body: bytes) -> list[str]:
    return [
        item.error.field if isinstance(item, NotUnderstood) else "" for item in read_events(body)
    ]


HEALED = [
    (b"\xef\xbb\xbf{}", b"{}"),
    (b'"\xff"', '"\ufffd"'.encode()),
    (b'"a\\ud800b"', b'"a\\ufffdb"'),
    (b'"\\udc00"', b'"\\ufffd"'),
    (b'"\\uD83D\\ud83d\\ude00"', b'"\\ufffd\\ud83d\\ude00"'),
    (b'"\\\\ud800"', b'"\\\\ud800"'),
    (b'"\xed\xa0\x80"', '"\ufffd\ufffd\ufffd"'.encode()),
]


@pytest.mark.parametrize(("sent", "healed"), HEALED)
def test_what_is_no_unicode_is_replaced_and_nothing_else(sent: bytes, healed: bytes) -> None:
    """Byte order marks, broken UTF-8 and lone surrogates; pairs and escaped backslashes stay."""
    assert heal(sent) == healed
    json.dumps(json.loads(heal(sent)), ensure_ascii=False).encode()


@pytest.mark.parametrize("before", range(65_530, 65_542))
def test_a_lone_surrogate_is_found_wherever_it_stands(before: int) -> None:
    """Large bodies are looked at in pieces; none is lost between two."""
    sent = b'"%b\\uD800"' % (b"a" * before)
    assert heal(sent) == sent.replace(b"uD800", b"ufffd")


@given(
    st.binary(max_size=60),
    st.lists(st.sampled_from(["\\ud83d", "\\ude00", "\\\\", "x", "\\uD800"])),
)
def test_healed_text_is_always_utf8_without_lone_surrogates(junk: bytes, parts: list[str]) -> None:
    """Law: after healing every string can be encoded again."""
    heal(junk).decode()
    body = '"' + "".join(parts) + '"'
    json.loads(heal(body.encode())).encode()


SPLIT = [
    (b" [1, 2 ,3] ", [b"1", b"2", b"3"]),
    (b"[]", []),
    (b"[ ]", []),
    (b'[{"a":"],[\\""},[1,[2]]]', [b'{"a":"],[\\""}', b"[1,[2]]"]),
    (b'{"a":1}', [b'{"a":1}']),
    (b"[nonsense, 1]", [b"nonsense", b"1"]),
]


@pytest.mark.parametrize(("body", "items"), SPLIT)
def test_an_array_is_split_without_reading_its_members(body: bytes, items: list[bytes]) -> None:
    """Brackets and commas inside strings and members do not count."""
    assert split_items(body) == items


@pytest.mark.parametrize("body", [b"[1,2", b"[1,,2]", b"[1,]", b"[1] [2]", b'[{"a":"x]', b"[1]]"])
def test_a_broken_array_is_refused(body: bytes) -> None:
    """What was cut short on the way must be sent again, so it is not taken in part."""
    with pytest.raises(InvalidInputError):
        split_items(body)


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"[oops, {]", b"{", b'{"a":1,}', b"<xml/>", b"[nope]"]
)
def test_a_body_that_is_not_json_at_all_is_refused(body: bytes) -> None:
    """The caller answers 400."""
    with pytest.raises(InvalidInputError):
        read_events(body)


def test_only_the_bad_members_of_a_batch_are_not_understood() -> None:
    """Broken JSON, a wrong type, a missing field and too deep nesting cost only themselves."""
    deep = b'{"request":{"uri":"/","verb":"GET","body":' + b"[" * 500_000 + b"]" * 500_000 + b"}}"
    good = json.dumps(GOOD).encode()
    body = (
        b"["
        + b",".join([good, b'{"request": tru}', b"7", b'{"request":{"uri":"/"}}', deep, good])
        + b"]"
    )
    assert errors_of(body) == ["", "$", "$", "$.request.verb", "$", ""]


def test_numbers_that_json_cannot_hold_become_text() -> None:
    """NaN, infinity, too large and too long numbers."""
    sent = b"[NaN, -Infinity, 1e999, 18446744073709551616, 18446744073709551615, -0.5]"
    assert read_json(sent) == [
        "NaN", "-Infinity", "1e999", "18446744073709551616", 18446744073709551615, -0.5,
    ]  # fmt: skip
    assert read_json(b"9" * 5000) == "9" * 5000


def test_unknown_fields_are_kept_apart() -> None:
    """At the top, in the request and in the response; null ones are not given."""
    sent = {
        "request": {**GOOD["request"], "tls": "1.3"},
        "response": {"status": "201", "cache": ["hit"]},
        "novel": {"a": 1},
        "nothing": None,
    }
    (item,) = read_events(json.dumps(sent).encode())
    assert isinstance(item, Understood)
    assert item.unknown == {
        "novel": {"a": 1}, "request": {"tls": "1.3"}, "response": {"cache": ["hit"]},
    }  # fmt: skip
    assert item.event.response is not None
    assert item.event.response.status == 201


def test_scalars_of_the_wrong_type_are_read_as_what_they_mean() -> None:
    """Numbers as ids, text as numbers, lists as header values."""
    headers = {"A": 1, "B": None, "C": ["x", "y"], "D": {"e": 1}}
    sent = {
        "request": {"uri": "/", "verb": "GET", "headers": headers},
        "user_id": 42, "company_id": 4.5, "session_token": True, "weight": "4",
    }  # fmt: skip
    (item,) = read_events(json.dumps(sent).encode())
    assert isinstance(item, Understood)
    event = item.event
    assert event.request.headers == {"A": "1", "C": "x, y", "D": '{"e":1}'}
    assert (event.user_id, event.company_id, event.session_token, event.weight) == (
        "42",
        "4.5",
        "true",
        4,
    )


def test_depth_is_counted_without_the_brackets_in_strings() -> None:
    """A hundred levels pass, one more does not; a long flat list and text full of brackets do."""
    check_depth(b"[" * 100 + b"]" * 100, "$")
    check_depth(b"[" + b"[]," * 500 + b"[]]", "$")
    check_depth(b'["' + b"[" * 500 + b'"]', "$")
    with pytest.raises(InvalidInputError, match="deeper than 100"):
        check_depth(b"[" * 101 + b"]" * 101, "$")


ITEMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(ITEMS, max_size=6), st.integers(0, 6))
def test_a_good_event_is_never_lost_among_odd_ones(odd: list[object], place: int) -> None:
    """Law: as many results as items, in order, and the good one is understood."""
    items = [*odd[:place], GOOD, *odd[place:]]
    results = read_events(json.dumps(items).encode())
    assert len(results) == len(items)
    assert isinstance(results[min(place, len(odd))], Understood)


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_body_makes_reading_fail_otherwise(body: bytes) -> None:
    """Law: any bytes give results, or the one error that is answered with 400."""
    for read in (read_events, read_objects):
        try:
            read(body)
        except InvalidInputError as err:
            assert err.facts.get("not_json")  # noqa: PT017 - anything else is raised
