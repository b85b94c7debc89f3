"""Who may use Headwater: apps, logins, sessions, tokens and the first link."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from headwater.base.clock import SetClock
from headwater.base.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.workspace import (
    App,
    CollectorKeys,
    check_password,
    check_setup_link,
    collector_key,
    collector_keys,
    create_app,
    create_login,
    create_setup_link,
    create_token,
    end_session,
    find_session,
    find_token,
    get_app,
    list_apps,
    rotate_collector_key,
    start_session,
    use_setup_link,
)
from headwater.workspace.apps import find_app_by_key

VAULT = Vault(bytes(32))
PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[ConfigDb]:
    opened = ConfigDb.open(ConfigDbSettings(), tmp_path)
    migrate(opened)
    yield opened
    opened.close()


async def test_a_key_leads_to_its_app(db: ConfigDb, clock: SetClock) -> None:
    """Each app's key is found again, and shown again; an unknown one leads nowhere."""
    with db.transaction() as connection:
        app, key = create_app(connection, VAULT, clock, "Parcel API", "Europe/Berlin")
        create_app(connection, VAULT, clock, "Other")
        assert key == collector_key(connection, VAULT, app.id)
    keys = CollectorKeys(db, VAULT, clock)

    assert app == await keys.app_for(key)
    assert await keys.app_for("unknown") is None


async def test_rotation_keeps_two_keys_alive(db: ConfigDb, clock: SetClock) -> None:
    """Clients can be changed one by one; the third key ends the first."""
    with db.transaction() as connection:
        app, first = create_app(connection, VAULT, clock, "Parcel API")
        clock.move(timedelta(days=1))
        second = rotate_collector_key(connection, VAULT, clock, app.id)
    keys = CollectorKeys(db, VAULT, clock)
    assert app == await keys.app_for(first) == await keys.app_for(second)

    clock.move(timedelta(days=1))
    with db.transaction() as connection:
        third = rotate_collector_key(connection, VAULT, clock, app.id)

    assert [None, app, app] == [await keys.app_for(key) for key in (first, second, third)]


async def test_one_asks_for_a_key_again_while_the_others_go_on(
    db: ConfigDb, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of requests a second use the same key: each would ask the database."""
    with db.transaction() as connection:
        app, key = create_app(connection, VAULT, clock, "Parcel API")
    keys = CollectorKeys(db, VAULT, clock)
    assert app == await keys.app_for(key)
    asked: list[str] = []

    def find(connection: sa.Connection, vault: Vault, wanted: str) -> App | None:
        asked.append(wanted)
        return find_app_by_key(connection, vault, wanted)

    monkeypatch.setattr(collector_keys, "find_app_by_key", find)
    clock.move(timedelta(minutes=5))
    assert await asyncio.gather(*(keys.app_for(key) for _ in range(20))) == [app] * 20
    assert asked == [key]


async def test_known_keys_work_while_the_database_is_away(db: ConfigDb, clock: SetClock) -> None:
    """Nobody new is let in meanwhile; what was revoked or changed is noticed when it is back."""
    with db.transaction() as connection:
        app, key = create_app(connection, VAULT, clock, "Parcel API")
    keys = CollectorKeys(db, VAULT, clock)
    assert app == await keys.app_for(key)
    with db.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE collector_keys RENAME TO away")
    clock.move(timedelta(minutes=5))
    assert app == await keys.app_for(key)
    with pytest.raises(UnavailableError):
        await keys.app_for("unknown")
    with db.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO collector_keys")
        connection.exec_driver_sql("UPDATE collector_keys SET revoked_at = created_at")
    clock.move(timedelta(minutes=5))
    assert await keys.app_for(key) is None


def test_apps_have_names_and_zones(db: ConfigDb, clock: SetClock) -> None:
    """Doubled names, unknown zones and unknown apps are refused, with the field."""
    with db.transaction() as connection:
        app, _ = create_app(connection, VAULT, clock, " Parcel API ")
        assert [one.name for one in list_apps(connection)] == ["Parcel API"]
        assert app == get_app(connection, app.id)
        with pytest.raises(ConflictError, match="already"):
            create_app(connection, VAULT, clock, "Parcel API")
        for wrong in ("Mars/Olympus", "", "../etc"):
            with pytest.raises(InvalidInputError) as caught:
                create_app(connection, VAULT, clock, "Other", wrong)
            assert caught.value.field == "timezone"
        with pytest.raises(InvalidInputError):
            create_app(connection, VAULT, clock, "  ")
        with pytest.raises(NotFoundError):
            get_app(connection, "app_none")


def test_passwords_open_sessions_that_end(db: ConfigDb, clock: SetClock) -> None:
    """A session lives until it is ended or too old; nothing on disk opens one."""
    with db.transaction() as connection:
        login = create_login(connection, clock, "Ana@Parcel.Example", PASSWORD)
    assert login == check_password(db, " ana@parcel.example", PASSWORD)
    assert check_password(db, "ana@parcel.example", "wrong") is None
    assert check_password(db, "bob@parcel.example", PASSWORD) is None
    with db.transaction() as connection:
        token, session = start_session(connection, VAULT, clock, login.id)
        other, _ = start_session(connection, VAULT, clock, login.id)

        assert session == find_session(connection, VAULT, clock, token)
        end_session(connection, VAULT, token)
        assert find_session(connection, VAULT, clock, token) is None
        clock.move(timedelta(days=8))
        assert find_session(connection, VAULT, clock, other) is None


@pytest.mark.parametrize(
    ("email", "password", "role", "field"),
    [
        ("nobody", PASSWORD, "owner", "email"),
        ("a@b.example", "short", "owner", "password"),
        ("a@b.example", PASSWORD, "king", "role"),
    ],
)
def test_wrong_logins_name_the_field(
    db: ConfigDb, clock: SetClock, email: str, password: str, role: str, field: str
) -> None:
    """The person who types learns what to change."""
    with db.transaction() as connection, pytest.raises(InvalidInputError) as caught:
        create_login(connection, clock, email, password, role)

    assert field == caught.value.field


def test_tokens_carry_their_scopes(db: ConfigDb, clock: SetClock) -> None:
    """A token may do what it was made for; an unknown scope makes none."""
    with db.transaction() as connection:
        token = create_token(connection, VAULT, clock, "ci", ["read", "write"])
        found = find_token(connection, VAULT, token)
        assert found is not None
        assert {"read", "write"} == found.scopes
        assert find_token(connection, VAULT, token + "x") is None
        with pytest.raises(InvalidInputError, match="everything"):
            create_token(connection, VAULT, clock, "ci", ["everything"])


def test_the_first_link_works_once_within_a_day(db: ConfigDb, clock: SetClock) -> None:
    """Looking does not use it up; using does; tomorrow it is too late."""
    with db.transaction() as connection:
        link = create_setup_link(connection, VAULT, clock)
        late = create_setup_link(connection, VAULT, clock)
        assert check_setup_link(connection, VAULT, clock, link)
        assert use_setup_link(connection, VAULT, clock, link)
        assert not use_setup_link(connection, VAULT, clock, link)
        clock.move(timedelta(hours=25))
        assert not use_setup_link(connection, VAULT, clock, late)
