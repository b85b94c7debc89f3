"""Destinations in a real configuration database."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from headwater.base.clock import SetClock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError, MisconfiguredError, NotFoundError
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.configdb.tables import destinations
from headwater.destinations import (
    Changes,
    Instance,
    add_destination,
    change_destination,
    get_destination,
    list_destinations,
    open_settings,
    remove_destination,
    rotate_secret,
    set_destination_enabled,
    show_settings,
)
from headwater.sources import add_source
from tests.support.messages import NOON

URL = "https://hooks.example.com/in"


def add(
    connection: sa.Connection, vault: Vault, clock: SetClock, **values: str
) -> tuple[Instance, dict[str, str]]:
    source = add_source(connection, clock, "http-api", "Shop")
    return add_destination(
        connection,
        vault,
        clock,
        Egress(),
        source_id=source.id,
        kind="webhook",
        values={"url": URL, **values},
    )


def test_a_secret_made_here_is_shown_once(configdb: ConfigDb, vault: Vault) -> None:
    """On adding, in the clear; afterwards only its last four characters."""
    with configdb.transaction() as connection:
        instance, made = add(connection, vault, SetClock(NOON))
        secret = made["secret"]
        assert open_settings(vault, instance)["secret"] == secret
        assert show_settings(vault, instance)["secret"] == f"••••{secret[-4:]}"
        assert add(connection, vault, SetClock(NOON), secret="given by me")[1] == {}


def test_settings_rest_sealed(configdb: ConfigDb, vault: Vault) -> None:
    """Neither the secret nor the URL stands in the database; another row's seal does not open."""
    with configdb.transaction() as connection:
        one, made = add(connection, vault, SetClock(NOON))
        other, _ = add(connection, vault, SetClock(NOON))
        sealed = connection.execute(sa.select(destinations.c.settings_sealed)).scalars().all()
        assert not any(made["secret"] in text or "hooks.example" in text for text in sealed)
        connection.execute(
            destinations.update()
            .where(destinations.c.id == one.id)
            .values(settings_sealed=other.settings_sealed)
        )
        with pytest.raises(MisconfiguredError):
            open_settings(vault, get_destination(connection, one.id))


def test_switching_off_lets_go_of_the_log(configdb: ConfigDb, vault: Vault) -> None:
    """A disabled destination holds nothing back, and is enabled from that moment on."""
    clock = SetClock(NOON)
    with configdb.transaction() as connection:
        instance, _ = add(connection, vault, clock)
        write_position(connection, clock, instance.reader, "messages", Position(7))
        clock.move(timedelta(hours=1))
        off = set_destination_enabled(connection, clock, instance.id, enabled=False)
        assert (off.enabled, off.enabled_at) == (False, NOON)
        assert read_position(connection, instance.reader) is None
        clock.move(timedelta(hours=1))
        on = set_destination_enabled(connection, clock, instance.id, enabled=True)
        assert (on.enabled, on.enabled_at) == (True, NOON + timedelta(hours=2))
        again = set_destination_enabled(connection, clock, instance.id, enabled=True)
        assert again == on
        assert list_destinations(connection) == [on]


def test_changes_are_whole_or_not_at_all(configdb: ConfigDb, vault: Vault) -> None:
    """A secret left empty stays; one wrong field, and nothing at all is changed."""
    with configdb.transaction() as connection:
        before, made = add(connection, vault, SetClock(NOON))
        drop = {"kind": "drop", "when": {"field": "type", "op": "is", "value": "track"}}
        changes = Changes(
            name="Renamed",
            settings={"url": f"{URL}/2", "secret": "", "batch_size": "5"},
            filters=[drop],
            mappings=[{"action": "send", "name": "Everything"}],
            keeps_order=True,
        )
        after = change_destination(connection, vault, Egress(), before.id, changes)
        assert get_destination(connection, before.id) == after
        assert (after.name, after.keeps_order, len(after.filters)) == ("Renamed", True, 1)
        assert after.mappings[0].name == "Everything"
        values = open_settings(vault, after)
        assert (values["url"], values["secret"]) == (f"{URL}/2", made["secret"])
        for wrong, field in (
            (Changes(name="Again", filters=[{**drop, "kind": "cut"}]), "filters[0].kind"),
            (Changes(name="Again", mappings=[{"action": "fly"}]), "mappings[0].action"),
            (Changes(name="Again", settings={"url": ""}), "url"),
            (Changes(name=" "), "name"),
        ):
            with pytest.raises(InvalidInputError) as caught:
                change_destination(connection, vault, Egress(), before.id, wrong)
            assert caught.value.field == field
        assert get_destination(connection, before.id) == after


def test_a_rotated_secret_is_shown_once_and_the_old_one_kept(
    configdb: ConfigDb, vault: Vault
) -> None:
    """The new one comes out in the clear now, and never again."""
    with configdb.transaction() as connection:
        before, made = add(connection, vault, SetClock(NOON))
        after, new = rotate_secret(
            connection, vault, SetClock(NOON), before.id, timedelta(hours=24)
        )
        values = open_settings(vault, get_destination(connection, after.id))
        assert values["secret"] == new["secret"] != made["secret"]
        assert values["previous_secret"] == made["secret"]
        assert values["previous_until"] == "2026-11-24T12:00:00.000Z"
        assert list(new) == ["secret"]


def test_a_removed_destination_leaves_nothing(configdb: ConfigDb, vault: Vault) -> None:
    """Neither a row nor a reader that would hold the log back; others stay."""
    clock = SetClock(NOON)
    with configdb.transaction() as connection:
        instance, _ = add(connection, vault, clock)
        other, _ = add(connection, vault, clock)
        write_position(connection, clock, instance.reader, "messages", Position(7))
        remove_destination(connection, instance.id)
        assert list_destinations(connection) == [other]
        assert read_position(connection, instance.reader) is None
        with pytest.raises(NotFoundError):
            remove_destination(connection, instance.id)


def test_what_is_unknown_is_refused(configdb: ConfigDb, vault: Vault) -> None:
    """Unknown types and ids are errors of the one who asks."""
    with configdb.transaction() as connection:
        with pytest.raises(NotFoundError):
            get_destination(connection, "dst_nobody")
        with pytest.raises(InvalidInputError):
            add_destination(
                connection,
                vault,
                SetClock(NOON),
                Egress(),
                source_id="src",
                kind="pigeon",
                values={},
            )
