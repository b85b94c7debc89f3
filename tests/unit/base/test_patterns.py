"""Patterns of operators against texts of anybody."""

import time

import pytest

from headwater.base.errors import InvalidInputError
from headwater.base.patterns import LONGEST_PATTERN, Pattern


def test_a_pattern_is_found_anywhere() -> None:
    """Unless it is anchored."""
    assert Pattern("/health").is_in("/v1/health/live")
    assert not Pattern("^/health").is_in("/v1/health/live")
    assert Pattern("^(GET|HEAD)$").is_in("HEAD")
    assert Pattern("caf.$").is_in("café")


REFUSED = (
    *("(", "a{2,1}", "(?=a)", r"(a)\1", r"\pN", r"\Z"),
    *("[[:alpha:]]", "[a--b]", "x" * (LONGEST_PATTERN + 1)),
)


@pytest.mark.parametrize("text", REFUSED)
def test_what_not_every_reader_takes_is_refused(text: str) -> None:
    """With the place where it was written."""
    with pytest.raises(InvalidInputError) as caught:
        Pattern(text, "$.value")
    assert caught.value.field == "$.value"


def test_no_text_can_make_a_pattern_slow() -> None:
    """This pair keeps a backtracking engine busy for longer than the world will stand."""
    began_s = time.perf_counter()
    assert not Pattern("^(a+)+$").is_in("a" * 100_000 + "!")
    assert time.perf_counter() - began_s < 5
