"""Say how an app reads its profiles: what a success is, and when somebody is new or dormant.

In: a JSON document from an operator. Out: `ProfileRules`, or an error with the path of the fault.
"""

import msgspec
import sqlalchemy as sa

from headwater.base.errors import InvalidInputError
from headwater.configdb.tables import apps
from headwater.model import ProfileRules
from headwater.workspace.apps import App, get_app


def read_profile_rules(document: object) -> ProfileRules:
    """Return the rules that a JSON document describes; what it leaves out has its default."""
    try:
        rules = msgspec.convert(document, ProfileRules)
    except msgspec.ValidationError as err:
        message, _, path = str(err).partition(" - at `")
        raise InvalidInputError(f"{message}.", field=path.rstrip("`") or "$") from err
    if rules.lifecycle.new_days > rules.lifecycle.dormant_days:
        raise InvalidInputError(
            "Somebody cannot be new for longer than it takes to be dormant.",
            field="$.lifecycle.new_days",
        )
    return rules


def set_profile_rules(connection: sa.Connection, app_id: str, rules: ProfileRules) -> App:
    """Replace how the app reads its profiles; the next question is answered by these rules."""
    changed = msgspec.structs.replace(get_app(connection, app_id), profiles=rules)
    connection.execute(
        apps.update().where(apps.c.id == app_id).values(profiles=msgspec.to_builtins(rules))
    )
    return changed


def profile_rules_of(connection: sa.Connection, app_id: str) -> ProfileRules:
    """Return the rules of an app; the usual ones when it has none."""
    found = connection.execute(sa.select(apps.c.profiles).where(apps.c.id == app_id)).scalar()
    return ProfileRules() if found is None else msgspec.convert(found, ProfileRules)
