"""An identify message says what is known, in the words of the reference, and nothing else."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from headwater import __version__
from headwater.extensions.segment.identify import Activity, compose, describe_company
from headwater.extensions.windows import message_id
from headwater.profiles import Company, Person
from tests.support.people import person_of
from tests.support.rollups import make_rollup

AT = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)
CREATED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST = datetime(2024, 1, 2, 3, 9, 11, tzinfo=UTC)
LAST = datetime(2026, 11, 23, 1, 59, 58, 120_456, tzinfo=UTC)

ADA = person_of(
    id="12345",
    doc={
        "metadata": {
            "email": "ada@acme.example",
            "name": "Ada Byron",
            "username": "adab",
            "seats": 4,
        },
        "campaign": {
            "utm_source": "newsletter",
            "utm_campaign": "spring",
            "referring_domain": "x.example",
        },
        "initial_campaign": {"utm_source": "ads"},
    },
    created_at=CREATED,
    modified_at=FIRST,
    first_seen_at=FIRST,
    last_seen_at=LAST,
    first_success_at=FIRST,
    last_ip="203.0.113.7",
    last_user_agent="acme-sdk/2.1",
    company_id="67890",
    changed_offset=7,
)
ACME = Company(
    id="67890",
    doc={"company_domain": "acme.example", "metadata": {"plan": "scale"}},
    created_at=CREATED,
    modified_at=CREATED,
    first_seen_at=FIRST,
    last_seen_at=LAST,
    first_success_at=FIRST,
    last_ip="203.0.113.9",
    domain="acme.example",
)
BARE = Person(id="bo", doc={}, created_at=CREATED, modified_at=CREATED)
NUMBERS = Activity(
    day=make_rollup(date="2026-11-22", total_calls=3), last_24_hours=make_rollup(from_="a", to="b")
)


def composed(person: Person, company: Company | None, version: str) -> dict[str, Any]:
    activity = NUMBERS if version == "current" else Activity(day=NUMBERS.day)
    described = describe_company(company) if company else {}
    message = compose(person, described, activity, version, "hw-1", AT)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(message))
    return decoded


def test_the_generation_of_2019_has_exactly_its_ten_traits() -> None:
    """The company is its id; nothing of the later page is there."""
    traits = composed(ADA, ACME, "2019")["traits"]
    numbers = traits.pop("dailyAggregation")
    assert (numbers["date"], numbers["totalCalls"]) == ("2026-11-22", 3)
    assert traits == {
        "id": "12345",
        "name": "Ada Byron",
        "email": "ada@acme.example",
        "username": "adab",
        "createdAt": "2024-01-02T03:04:05.000Z",
        "firstSeenTime": "2024-01-02T03:09:11.000Z",
        "lastSeenTime": "2026-11-23T01:59:58.120Z",
        "modifiedTime": "2024-01-02T03:09:11.000Z",
        "company": "67890",
    }


def test_the_current_generation_describes_company_campaign_and_metadata() -> None:
    """And carries the numbers of the last 24 hours beside those of the day."""
    traits = composed(ADA, ACME, "current")["traits"]
    assert traits["company"] == {
        "id": "67890",
        "created": "2024-01-02T03:04:05.000Z",
        "modifiedTime": "2024-01-02T03:04:05.000Z",
        "firstSeenTime": "2024-01-02T03:09:11.000Z",
        "lastSeenTime": "2026-11-23T01:59:58.120Z",
        "ipAddress": "203.0.113.9",
        "companyDomain": "acme.example",
        "ttfhw_s": 306,
        "metadata": {"plan": "scale"},
    }
    assert traits["campaign"] == {
        "utmSource": "newsletter",
        "utmCampaign": "spring",
        "referringDomain": "x.example",
    }
    assert traits["metadata"] == ADA.doc["metadata"]
    assert traits["userAgent"] == "acme-sdk/2.1"
    assert (traits["last24HourAggResults"]["from"], traits["last24HourAggResults"]["to"]) == (
        "a",
        "b",
    )


def test_the_context_is_the_latest_one() -> None:
    """Address, user agent, library, campaign in Segment's words."""
    assert composed(ADA, ACME, "current")["context"] == {
        "ip": "203.0.113.7",
        "userAgent": "acme-sdk/2.1",
        "campaign": {"name": "spring", "source": "newsletter"},
        "library": {"name": "headwater", "version": __version__},
    }


def test_locale_and_location_come_from_the_profile() -> None:
    """When it has them."""
    where = {"country": "DE", "city": "Berlin"}
    doc = {"metadata": {"locale": "de-DE", "location": where}}
    person = person_of(doc, id="ann", created_at=CREATED, modified_at=CREATED)
    context = composed(person, None, "current")["context"]
    assert (context["locale"], context["location"]) == ("de-DE", where)


@pytest.mark.parametrize("version", ["2019", "current"])
def test_what_is_not_known_is_left_out(version: str) -> None:
    """No nulls, no empty strings, no empty objects, and never `integrations`."""
    message = composed(BARE, None, version)
    assert "integrations" not in message
    assert set(message["context"]) == {"library"}
    numbers = (
        {"dailyAggregation", "last24HourAggResults"}
        if version == "current"
        else {"dailyAggregation"}
    )
    assert set(message["traits"]) == {"id", "createdAt", "modifiedTime"} | numbers
    assert_no_absent_values(message)


def assert_no_absent_values(value: Any) -> None:
    assert value is not None
    assert value != {}
    for inner in value.values() if isinstance(value, dict) else ():
        assert_no_absent_values(inner)


def test_a_company_known_by_its_id_only_is_still_an_object() -> None:
    """The column type in a warehouse must not flip."""
    person = Person(id="a", doc={}, created_at=CREATED, modified_at=CREATED, company_id="c")
    assert composed(person, None, "current")["traits"]["company"] == {"id": "c"}
    assert composed(person, None, "2019")["traits"]["company"] == "c"


def test_a_name_is_made_of_its_parts() -> None:
    """When only they are known; numbers become text; other types are no names."""
    doc = {"metadata": {"first_name": "Ada", "last_name": "Byron", "username": 7, "email": ["x"]}}
    traits = composed(
        person_of(doc, id="a", created_at=CREATED, modified_at=CREATED), None, "2019"
    )["traits"]
    assert (traits["name"], traits["username"], "email" in traits) == ("Ada Byron", "7", False)


def test_a_window_has_one_id_for_ever() -> None:
    """Each part of the window counts, and the id is short enough for every receiver."""
    parts = ("ext_1", "target", "ann", "2026-11-22", 7)
    others = [
        ("ext_2", "target", "ann", "2026-11-22", 7),
        ("ext_1", "other", "ann", "2026-11-22", 7),
        ("ext_1", "target", "bo", "2026-11-22", 7),
        ("ext_1", "target", "ann", "2026-11-23", 7),
        ("ext_1", "target", "ann", "2026-11-22", 8),
    ]
    assert message_id(*parts) == "hw-8dd191d615279df890192103e5be1601"
    assert len({message_id(*parts), *(message_id(*other) for other in others)}) == 6
    assert len(message_id(*parts)) <= 100
