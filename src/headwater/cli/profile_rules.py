"""`headwater apps profiles`: what an app counts as a success, and when somebody is new or dormant.

In: arguments. Out: the rules. Works on the configuration database; the next question is answered by
them.
"""

from typing import Any

import click
import msgspec

from headwater.cli.common import Cli, options, table
from headwater.workspace import get_app, read_profile_rules, set_profile_rules

_SUCCESS = {"success_status": "statuses", "success_verb": "verb", "success_route": "route"}
_LIFECYCLE = ("new_days", "dormant_days")


@click.command("profiles")
@click.argument("app_id")
@click.option("--success-status", multiple=True, metavar="STATUS", help="Such as 2xx or 201.")
@click.option("--success-verb", help="Only calls with this verb; empty: any.")
@click.option("--success-route", help="Only calls of this route, such as /items/:id; empty: any.")
@click.option("--new-days", type=int, help="So long after being seen first somebody is new.")
@click.option("--dormant-days", type=int, help="So long after the last call somebody is dormant.")
@click.option("--reset", is_flag=True, help="Begin with the default rules.")
@options
def profiles(cli: Cli, app_id: str, *, reset: bool, **wanted: Any) -> None:
    """Show or change what APP_ID counts as a success, and the days of its lifecycle.

    Example: headwater apps profiles APP_ID --success-status 201 --success-route /orders
    """
    with cli.configuration() as connection:
        app = get_app(connection, app_id)
        given = {name: value for name, value in wanted.items() if value not in (None, ())}
        if given or reset:
            now = {} if reset else msgspec.to_builtins(app.profiles)
            app = set_profile_rules(connection, app_id, read_profile_rules(_merge(now, given)))
    cli.show(
        {"app_id": app.id, **msgspec.to_builtins(app.profiles)},
        lambda: table(("what", "set to"), _rows(msgspec.to_builtins(app.profiles)), ""),
    )


def _merge(now: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    success = {inner: given[name] for name, inner in _SUCCESS.items() if name in given}
    lifecycle = {name: given[name] for name in _LIFECYCLE if name in given}
    return {
        "success": {**now.get("success", {}), **success},
        "lifecycle": {**now.get("lifecycle", {}), **lifecycle},
    }


def _rows(rules: dict[str, Any]) -> list[tuple[str, str]]:
    success = rules["success"]
    return [
        ("success: statuses", ", ".join(success["statuses"])),
        ("success: verb", success["verb"] or "any"),
        ("success: route", success["route"] or "any"),
        *((name, str(rules["lifecycle"][name])) for name in _LIFECYCLE),
    ]
