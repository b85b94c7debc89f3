"""A webhook of the version before goes on: it gets every message, signed with its secret."""

from pathlib import Path

import alembic.command
import msgspec
import pytest
import sqlalchemy as sa

from headwater.base.settings import ConfigDbSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.configdb.migrate import alembic_config
from headwater.destinations import get_destination, open_settings, plan_of, prepare
from tests.support.messages import a_message
from tests.support.postgres import fresh_database_url

AT = "2026-11-22 10:00:00.000000"
OLD = {"url": "https://hooks.example.com/in", "secret": "an old secret", "batch_size": "7"}


def before(db: ConfigDb, sealed: str) -> None:
    config = alembic_config()
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0004")
        connection.execute(
            sa.text(
                "INSERT INTO sources (id, slug, type, name, enabled, created_at, payload_version) "
                "VALUES ('src_1', 'shop', 'http-api', 'Shop', true, :at, '')"
            ),
            {"at": AT},
        )
        connection.execute(
            sa.text(
                "INSERT INTO destinations "
                "(id, source_id, type, name, enabled, enabled_at, settings_sealed, created_at) "
                "VALUES ('dst_1', 'src_1', 'webhook', 'Hook', true, :at, :sealed, :at)"
            ),
            {"at": AT, "sealed": sealed},
        )
        connection.commit()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_webhook_of_before_goes_on(tmp_path: Path, kind: str) -> None:
    """Settings that came since have their defaults; one mapping sends all there is."""
    url = fresh_database_url() if kind == "postgresql" else ""
    db, vault = ConfigDb.open(ConfigDbSettings(url=url), tmp_path), Vault(b"k" * 32)
    before(db, vault.encrypt(msgspec.json.encode(OLD).decode(), "dst_1"))
    migrate(db)
    with db.transaction() as connection:
        instance = get_destination(connection, "dst_1")
    assert open_settings(vault, instance) == {
        **OLD, "previous_secret": "", "previous_until": "",
    }  # fmt: skip
    message = a_message()
    (item,) = prepare(plan_of(instance), message)  # type: ignore[misc]  # not dropped
    assert item.fields == {"body": message.body}
    db.close()
