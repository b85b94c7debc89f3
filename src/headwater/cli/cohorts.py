"""`headwater cohorts`: conditions on users under a name, and who meets them.

In: an app, a cohort by id or name, conditions as they are typed. Out: cohorts and their members.
Asks the running server.
"""

from typing import Any
from urllib.parse import quote, urlencode

import click
import msgspec

from headwater.cli.common import Cli, options, remote, table
from headwater.cli.extensions_shown import app_option
from headwater.extensions import read_condition

_WHERE = click.option("--where", multiple=True, help="A condition; repeat it, all must hold.")
_HEAD = ("id", "name", "conditions", "sent by")
_MEMBER = ("user_id", "name", "email", "company_id", "last_seen_at")


@click.group()
def cohorts() -> None:
    """Sets of users, to look at and to send."""


@cohorts.command("list")
@app_option
@options
def list_(cli: Cli, app_id: str) -> None:
    """Show the cohorts of an app."""
    with remote(cli) as api:
        found = api.get(f"{_path(app_id)}?limit=1000")["items"]
    cli.show(found, lambda: table(_HEAD, [_row(one) for one in found], "There is no cohort."))


@cohorts.command("create")
@click.argument("name")
@_WHERE
@app_option
@options
def create(cli: Cli, app_id: str, name: str, where: tuple[str, ...]) -> None:
    """Keep conditions as the cohort NAME; extensions can send it (`choose --cohort`).

    Example: headwater cohorts create "Paying" --app APP_ID --where "metadata.plan is pro"
    """
    with remote(cli) as api:
        _show(cli, api.post(_path(app_id), {"name": name, "conditions": _read(where)}))


@cohorts.command("change")
@click.argument("cohort")
@click.option("--name", help="Another name.")
@_WHERE
@app_option
@options
def change(cli: Cli, app_id: str, cohort: str, name: str | None, where: tuple[str, ...]) -> None:
    """Give COHORT another name, or other conditions in place of all that it has."""
    with remote(cli) as api:
        known = api.get(_path(app_id, cohort))
        wanted = {
            "name": known["name"] if name is None else name,
            "conditions": _read(where) or known["conditions"],
        }
        _show(cli, api.put(_path(app_id, known["id"]), wanted))


@cohorts.command("delete")
@click.argument("cohort")
@app_option
@options
def delete(cli: Cli, app_id: str, cohort: str) -> None:
    """Forget COHORT; refused while an extension sends it."""
    with remote(cli) as api:
        api.ask("DELETE", _path(app_id, cohort))
    cli.show({"deleted": cohort}, lambda: f"{cohort} is forgotten.")


@cohorts.command("members")
@click.argument("cohort")
@click.option("--limit", default=50, show_default=True, help="How many to show.")
@click.option("--cursor", default="", help="Where the page before ended: its `next_cursor`.")
@click.option("--count", is_flag=True, help="Only how many they are.")
@app_option
@options
def members(cli: Cli, app_id: str, cohort: str, limit: int, cursor: str, count: bool) -> None:
    """Show who is in COHORT now, by id."""
    path = _path(app_id, cohort)
    with remote(cli) as api:
        if count:
            number = api.get(f"{path}/count")
            cli.show(number, lambda: str(number["members"]))
            return
        asked = urlencode({"limit": limit, "cursor": cursor})
        found = api.get(f"{path}/members?{asked}")
    rows = [[str(one[name] or "") for name in _MEMBER] for one in found["items"]]
    following = found["next_cursor"]
    nobody = f"Nobody so far: go on with --cursor {following}" if following else "Nobody is in it."
    cli.show(found, lambda: table(_MEMBER, rows, nobody))


def _path(app_id: str, cohort: str = "") -> str:
    inner = f"/{quote(cohort, safe='')}" if cohort else ""
    return f"/api/v1/apps/{quote(app_id, safe='')}/cohorts{inner}"


def _read(where: tuple[str, ...]) -> Any:
    return msgspec.to_builtins([read_condition(text) for text in where])


def _show(cli: Cli, found: dict[str, Any]) -> None:
    cli.show(found, lambda: table(_HEAD, [_row(found)], ""))


def _row(of: dict[str, Any]) -> list[str]:
    conditions = [f"{c['field']} {c['op']} {c['value']}".strip() for c in of["conditions"]]
    return [of["id"], of["name"], ", ".join(conditions), ", ".join(of["used_by"]) or "nobody"]
