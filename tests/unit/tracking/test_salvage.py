"""Reading what a strict parser refuses."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.tracking.salvage import TooDeepError, read_leniently, split_batch, tidy

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(values, max_size=5), st.dictionaries(st.text(), values, max_size=3))
def test_a_batch_is_cut_where_its_items_end(items: list[object], rest: dict[str, object]) -> None:
    """Whatever the items hold, brackets and quotes in strings included, each comes out whole."""
    body = json.dumps({**rest, "batch": items})
    parts = split_batch(body)
    assert parts is not None
    head, texts = parts
    assert [repr(json.loads(text)) for text in texts] == [repr(item) for item in items]
    assert repr(json.loads(head)) == repr({**rest, "batch": []})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a": {"batch": [1]}}',
        '{"a": "batch"}',
        '{"batch": {"a": 1}}',
        '{"batch": [1, 2',
        '{"batch": [1}',
        '{"batch": ["open',
        '{"batch": ["open\\',
    ],
)
def test_without_a_whole_batch_at_the_top_there_is_no_cut(text: str) -> None:
    """Only a closed array named `batch` at the top level is a batch."""
    assert split_batch(text) is None


@pytest.mark.parametrize("piece", ['"', '\\"', '"\\', "[", "{", '{"batch":['])
def test_cutting_takes_time_in_proportion_to_the_text(piece: str) -> None:
    """No text of the largest size allowed can keep the server busy."""
    begin = time.process_time()
    split_batch('{"batch":[' + piece * (500_000 // len(piece)))
    assert time.process_time() - begin < 5


@given(values)
def test_tidy_values_can_be_written_by_every_writer(value: object) -> None:
    """After tidying there is no lone surrogate, no NaN and no number beyond 64 bits."""
    text = json.dumps(tidy(value), allow_nan=False)
    json.dumps(tidy(value), ensure_ascii=False).encode()
    assert tidy(json.loads(text)) == json.loads(text)


def test_odd_values_are_mended_and_not_lost() -> None:
    """A lone surrogate becomes U+FFFD; NaN and endless numbers become text."""
    odd = read_leniently('{"a": "x\\ud800y", "b": NaN, "c": 1e999, "d": ' + "9" * 5000 + "}")
    assert tidy(odd) == {"a": "x\ufffdy", "b": "NaN", "c": "Infinity", "d": "9" * 5000}
    assert tidy({"pair": "\ud83d\ude00"}) == {"pair": "\U0001f600"}
    assert tidy([2**64 - 1, 2**64, -(2**63), -(2**63) - 1]) == [
        2**64 - 1,
        str(2**64),
        -(2**63),
        str(-(2**63) - 1),
    ]


def test_a_hundred_levels_are_enough() -> None:
    """The hundredth level is kept, one more is refused, and an abyss does not crash us."""
    assert tidy(json.loads("[" * 100 + "]" * 100))
    with pytest.raises(TooDeepError):
        tidy(json.loads("[" * 101 + "]" * 101))
    with pytest.raises(TooDeepError):
        read_leniently("[" * 200_000 + "]" * 200_000)
