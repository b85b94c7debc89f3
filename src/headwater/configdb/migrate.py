"""Bring the configuration database to this version's shape.

In: an open database. Out: the revision it is at. Refuses a database that a newer version wrote.
"""

from pathlib import Path

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from headwater.base.errors import MisconfiguredError
from headwater.configdb.engine import ConfigDb
from headwater.configdb.positions import why_not_to_migrate

_MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Return Alembic's settings; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def migrate(db: ConfigDb) -> str:
    """Run what is missing; return the revision. Running it again does nothing.

    Not while a batch is half stored: its retry is recognised only by tables as they were.
    """
    config = alembic_config()
    if not is_current(db):
        with db.engine.connect() as connection:
            if (reason := why_not_to_migrate(connection)) is not None:
                raise reason
    try:
        with db.engine.connect() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
            connection.commit()
            return MigrationContext.configure(connection).get_current_revision() or ""
    except CommandError as err:
        raise MisconfiguredError(
            f"The configuration database is from a newer Headwater: {err}",
            hint="Install that version again, or restore a backup made with this one.",
        ) from err


def is_current(db: ConfigDb) -> bool:
    """Tell whether the database is at this version's revision."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        return MigrationContext.configure(connection).get_current_revision() == head
