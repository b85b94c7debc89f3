"""`headwater identity`: who is behind a session key or browser, and what to do when that is wrong.

In: a user and a key. Out: the links with who said them; or a ruling, in force some seconds later.
"""

from typing import Any
from urllib.parse import quote

import click

from headwater.base.errors import InvalidInputError
from headwater.cli.common import Cli, options, remote, table

_APP = click.option("--app", "app_id", required=True, help="Id of the app; see `apps list`.")
_COLUMNS = ("kind", "key", "counts", "first_at", "said_by", "rulings")


@click.group()
def identity() -> None:
    """Who is behind session keys and browsers."""


@identity.command("links")
@click.argument("user_id")
@_APP
@options
def links(cli: Cli, user_id: str, app_id: str) -> None:
    """Show the session keys and browsers of USER_ID, and who said so."""
    path = f"/api/v1/apps/{quote(app_id, safe='')}/identity/links?user_id={quote(user_id, safe='')}"
    with remote(cli) as api:
        found = api.get(path)
    cli.show(found, lambda: table(_COLUMNS, [_row(one) for one in found["items"]], "No links."))


def _row(link: dict[str, Any]) -> list[object]:
    rulings = "; ".join(
        f"{one['verdict']} by {one['said_by']} at {one['said_at']} {one['reason']}".strip()
        for one in link["rulings"]
    )
    facts = [link[name] or "-" for name in ("first_at", "said_by")]
    return [link["kind"], link["key"], "yes" if link["counts"] else "no", *facts, rulings]


def _ruling(command: str, text: str) -> click.Command:
    """Return the command for one of the two rulings: they differ in one word."""

    @click.command(command, help=text)
    @click.argument("user_id")
    @_APP
    @click.option("--anonymous-id", default="", help="The browser.")
    @click.option("--session-key", default="", help="As `identity links` shows it.")
    @click.option("--reason", default="", help="Why; kept with the ruling.")
    @options
    def rule(
        cli: Cli, user_id: str, app_id: str, anonymous_id: str, session_key: str, reason: str
    ) -> None:
        if bool(anonymous_id) == bool(session_key):
            raise InvalidInputError("Give either --anonymous-id or --session-key.", field="key")
        body = {
            "user_id": user_id,
            "kind": "session" if session_key else "anonymous",
            "key": session_key or anonymous_id,
            "reason": reason,
        }
        with remote(cli) as api:
            made = api.post(f"/api/v1/apps/{quote(app_id, safe='')}/identity/{command}", body)
        cli.show(made, lambda: f"{made['ruling_id']}: in force within seconds.")

    return rule


identity.add_command(
    _ruling("unlink", "Rule that a session key or browser is not USER_ID's after all.")
)
identity.add_command(_ruling("link", "Take back that a link of USER_ID was wrong."))
