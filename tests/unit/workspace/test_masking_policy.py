"""A masking policy is one that masks at least what must be masked."""

import pytest

from headwater.base.errors import InvalidInputError
from headwater.workspace import MaskingPolicy, read_masking


def test_a_policy_is_read() -> None:
    """What is left out has its default: nothing more and nothing less is masked."""
    assert read_masking({}) == MaskingPolicy()
    assert read_masking({"mask": ["ssn"], "keep": ["next_page_token"], "emails": True}) == (
        MaskingPolicy(mask=("ssn",), keep=("next_page_token",), emails=True)
    )


WRONG = [
    ([], "$"),
    ({"masks": ["a"]}, "$"),
    ({"mask": "a"}, "$.mask"),
    ({"mask": ["a", ""]}, "$.mask[1]"),
    ({"mask": ["a", 5]}, "$.mask[1]"),
    ({"mask": ["--"]}, "$.mask[0]"),
    ({"mask": ["a" * 101]}, "$.mask[0]"),
    ({"mask": ["año"]}, "$.mask[0]"),
    ({"mask": ["a"] * 201}, "$.mask"),
    ({"emails": "yes"}, "$.emails"),
    ({"keep": ["page", "Pass_Word"]}, "$.keep[1]"),
    ({"keep": ["x-authorization"]}, "$.keep[0]"),
    ({"keep": ["cookieConsent"]}, "$.keep[0]"),
    ({"mask": ["api_key"], "fingerprint": ["API-Key"]}, "$.fingerprint[0]"),
]


@pytest.mark.parametrize(("document", "place"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_policy_is_refused_with_its_place(document: object, place: str) -> None:
    """Also one that would show authorization, cookies or passwords."""
    with pytest.raises(InvalidInputError) as error:
        read_masking(document)
    assert error.value.field == place
