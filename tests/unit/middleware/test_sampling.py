"""The collector's rates are respected, and weights make up for what is left out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.middleware.sampling import Sampling, read_sampling


def test_rates_are_read_from_the_collectors_document() -> None:
    """Other parts of it are for others."""
    document = (
        b'{"org_id": "o", "sample_rate": 25, "user_sample_rate": {"u": 0}, "user_rules": {},'
        b' "company_sample_rate": {"c": 50}, "regex_config": [{"sample_rate": 0}]}'
    )
    assert read_sampling(document) == Sampling(25, {"u": 0}, {"c": 50})


@pytest.mark.parametrize("document", [b"", b"[]", b'{"sample_rate": "all"}', b"\xff"])
def test_an_unreadable_document_is_told(document: bytes) -> None:
    """So that the rates before it stay."""
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        read_sampling(document)


def test_the_user_comes_before_the_company_and_the_company_before_the_app() -> None:
    """As the documentation of the protocol has it."""
    sampling = Sampling(0, {"always": 100, "never": 0}, {"always": 100, "never": 0})
    assert sampling.draw("always", "never") == 1
    assert sampling.draw("never", "always") == 0
    assert sampling.draw("other", "always") == 1
    assert sampling.draw(None, None) == 0


@given(st.sampled_from([1, 2, 4, 5, 10, 20, 25, 50, 100]))
def test_weights_add_up_to_what_came(rate: int) -> None:
    """Within chance: six standard deviations."""
    drawn = [Sampling(rate).draw(None, None) for _ in range(2_000)]
    assert set(drawn) <= {0, 100 // rate}
    spread = (2_000 * (100 / rate) * (1 - rate / 100)) ** 0.5
    assert abs(sum(drawn) - 2_000) <= 6 * spread
