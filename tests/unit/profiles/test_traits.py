"""Who somebody is, and with what program, is read in one place."""

from typing import Any

import pytest

from headwater.profiles import Agent
from headwater.profiles.agent import parse_agent
from headwater.profiles.traits import UserTraits, company_domain, location, said, user_traits

CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("doc", "traits"),
    [
        ({}, UserTraits()),
        (
            {"metadata": {"first_name": "Ann", "last_name": "Lee", "phone_number": 4930}},
            UserTraits(name="Ann Lee", phone="4930"),
        ),
        (
            {"metadata": {"name": "A", "user_name": "al", "photo": "p"}, "email": "a@example.com"},
            UserTraits(name="A", username="al", photo_url="p", email="a@example.com"),
        ),
        ({"metadata": "text", "name": ["x"]}, UserTraits()),
    ],
)
def test_names_are_read_where_clients_put_them(doc: dict[str, Any], traits: UserTraits) -> None:
    """From the metadata first, then from the top; what is no text or number is nothing."""
    assert user_traits(doc) == traits


def test_places_and_domains_are_read_likewise() -> None:
    """A profile's own fields win over the metadata."""
    doc = {"company_domain": "a.example", "metadata": {"domain": "b.example", "locale": "de"}}
    assert (company_domain(doc), said(doc, "locale")) == ("a.example", "de")
    assert location({"metadata": {"location": {"city": "Oslo"}}}) == {"city": "Oslo"}


@pytest.mark.parametrize(
    ("user_agent", "agent"),
    [
        ("", Agent()),
        (
            CHROME,
            Agent(
                browser="Chrome",
                browser_version="131.0.0",
                os="Mac OS X",
                os_version="10.15.7",
                device="Mac",
            ),
        ),
        ("acme-sdk/1.2 python/3.14", Agent(library="acme-sdk", library_version="1.2")),
        ("curl", Agent(library="curl")),
    ],
)
def test_a_user_agent_has_parts(user_agent: str, agent: Agent) -> None:
    """A browser with its system, or the library that introduces itself first."""
    assert parse_agent(user_agent) == agent


def test_any_user_agent_is_read_quickly() -> None:
    """What anybody may send is cut first: a megabyte costs no more than a line."""
    assert parse_agent("Mozilla/5.0 (" + "A;" * 500_000 + ")") is not None
    assert len(parse_agent("x" * 1_000_000).library) == 80
