"""A connection of the version before goes on: its key, its progress, what waits, what is dead."""

from pathlib import Path
from typing import Any

import alembic.command
import pytest
import sqlalchemy as sa

from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.configdb.migrate import alembic_config
from headwater.extensions import outbox
from headwater.extensions.connections import open_connection
from tests.support.postgres import fresh_database_url

KEY = "wk0123456789abcdef0123456789abcdef"
AT = "2026-11-22 10:00:00.000000"
LATER = "2026-11-22 11:00:00.000000"


def before(db: ConfigDb) -> None:
    config = alembic_config()
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0002")
        connection.commit()


def insert(connection: sa.Connection, table: str, **row: Any) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def fill(connection: sa.Connection, vault: Vault) -> None:
    insert(connection, "apps", id="app_1", name="one", timezone="UTC", created_at=AT)
    insert(
        connection, "extension_connections", id="ext_1", app_id="app_1", type="segment",
        endpoint="https://api.segment.io", payload_version="2019", enabled=True, created_at=AT,
        partner_key_sealed=vault.encrypt(KEY, "ext_1"), watermark=42, watermark_day="2026-11-21",
        failures=2, retry_at=LATER, last_error="busy",
    )  # fmt: skip
    rows: list[tuple[str, str, str, bytes | None, str]] = [
        ("hw-old", "ann", "delivered", None, AT),
        ("hw-new", "ann", "due", b'{"messageId":"hw-new","userId":"ann"}', LATER),
        ("hw-bo", "bo", "sent", b'{"messageId":"hw-bo","userId":"bo"}', AT),
        ("hw-cy", "cy", "dead", b'{"messageId":"hw-cy","userId":"cy"}', AT),
        ("hw-di", "di", "delivered", None, AT),
    ]
    for id_, user_id, state, payload, at in rows:
        insert(
            connection, "outbox", connection_id="ext_1", message_id=id_, user_id=user_id,
            run_id=f"run_{at[11:13]}", state=state, payload=payload, attempts=1, error="no",
            created_at=at, delivered_at=None,
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_connection_of_before_goes_on(tmp_path: Path, kind: str) -> None:
    """Nobody is sent twice, nobody is forgotten, and the key still opens."""
    url = fresh_database_url() if kind == "postgresql" else ""
    db, vault = ConfigDb.open(ConfigDbSettings(url=url), tmp_path), Vault(b"k" * 32)
    before(db)
    with db.transaction() as connection:
        fill(connection, vault)
    migrate(db)
    with db.transaction() as connection:
        opened = open_connection(connection, vault, "app_1", "segment")
        was = vault.fingerprint(f"https://api.segment.io\n2019\n{KEY}")
        assert (opened.secret, opened.fingerprint) == (KEY, was)
        of = opened.connection
        assert (of.watermark, of.watermark_day, of.failures) == (42, "2026-11-21", 2)
        assert outbox.count_states(connection, "ext_1") == {
            "due": 2, "sent": 0, "delivered": 0, "dead": 1,
        }  # fmt: skip
        waiting = outbox.read_payloads(connection, "ext_1", 10)
        assert [b"hw-bo" in waiting[0], b"hw-new" in waiting[1]] == [True, True]
        subjects = [f"user:{name}" for name in ("ann", "bo", "cy", "di", "el")]
        assert outbox.known_messages(connection, "ext_1", subjects) == {
            "user:ann": "hw-new", "user:bo": "hw-bo", "user:cy": "hw-cy", "user:di": "hw-di",
        }  # fmt: skip
    db.close()
