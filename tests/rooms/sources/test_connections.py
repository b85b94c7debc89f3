"""Sources in a real configuration database."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.base.clock import SetClock
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.configdb import ConfigDb
from headwater.sources import (
    add_source,
    find_by_write_key,
    get_source,
    list_sources,
    rotate_write_key,
    set_source_enabled,
)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


def test_a_new_source_is_live_at_once(configdb: ConfigDb, clock: SetClock) -> None:
    """Adding gives a slug from the name and a write key of 32 characters that finds the source."""
    with configdb.transaction() as connection:
        source = add_source(connection, clock, "api-analytics", "Headwater API Analytics")
        assert source.slug == "headwater-api-analytics"
        assert source.payload_version == "current"
        assert source.enabled
        assert len(source.write_key) == 32
        assert source.write_key.isalnum()
        assert find_by_write_key(connection, source.write_key) == source
        assert list_sources(connection) == [source]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Site", "my-site"),
        ("  Überblick: Größe!  ", "uberblick-groe"),
        ("事件", "website"),
        ("--", "website"),
    ],
)
def test_every_name_has_a_slug(configdb: ConfigDb, clock: SetClock, name: str, slug: str) -> None:
    """A slug has small letters, digits and hyphens; a name without any takes the type's."""
    with configdb.transaction() as connection:
        assert add_source(connection, clock, "website", name).slug == slug


def test_equal_names_get_different_slugs(configdb: ConfigDb, clock: SetClock) -> None:
    """The second source of a name is numbered."""
    with configdb.transaction() as connection:
        slugs = [add_source(connection, clock, "python", "Shop").slug for _ in range(3)]
    assert slugs == ["shop", "shop-2", "shop-3"]


def test_only_api_analytics_has_an_older_payload(configdb: ConfigDb, clock: SetClock) -> None:
    """The version is chosen once, from those that the type has."""
    with configdb.transaction() as connection:
        old = add_source(connection, clock, "api-analytics", "Old", "2019")
        assert old.payload_version == "2019"
        with pytest.raises(InvalidInputError, match="2019"):
            add_source(connection, clock, "python", "Shop", "2019")


@pytest.mark.parametrize(
    ("kind", "name"), [("no-such-type", "A"), ("python", "  "), ("go", "x" * 101)]
)
def test_a_wrong_source_is_refused(
    configdb: ConfigDb, clock: SetClock, kind: str, name: str
) -> None:
    """Unknown types and empty or endless names are errors of the one who asks."""
    with configdb.transaction() as connection, pytest.raises(InvalidInputError):
        add_source(connection, clock, kind, name)


def test_two_write_keys_live_side_by_side(configdb: ConfigDb, clock: SetClock) -> None:
    """Rotation keeps the newest earlier key alive and ends the ones before it."""
    with configdb.transaction() as connection:
        first = add_source(connection, clock, "python", "Shop").write_key
        clock.move(timedelta(seconds=1))
        second = rotate_write_key(connection, clock, "shop").write_key
        assert find_by_write_key(connection, first) is not None
        clock.move(timedelta(seconds=1))
        source = rotate_write_key(connection, clock, "shop")
        assert source.write_keys == (source.write_key, second)
        assert find_by_write_key(connection, first) is None
        assert find_by_write_key(connection, second) == source


def test_a_source_can_be_switched_off_and_on(configdb: ConfigDb, clock: SetClock) -> None:
    """A disabled source is still found by its key, so that the refusal can say why."""
    with configdb.transaction() as connection:
        source = add_source(connection, clock, "python", "Shop")
        set_source_enabled(connection, source.slug, enabled=False)
        found = find_by_write_key(connection, source.write_key)
        assert found is not None
        assert not found.enabled
        assert set_source_enabled(connection, source.id, enabled=True).enabled


def test_an_unknown_source_is_not_found(configdb: ConfigDb) -> None:
    """Neither slug nor id: the error tells where to look."""
    with configdb.transaction() as connection, pytest.raises(NotFoundError):
        get_source(connection, "nobody")
