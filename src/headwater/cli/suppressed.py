"""`headwater users suppress`, `allow` and `suppressed`: users of the API who are never sent.

In: an app and a user id. Out: how it is now. Asks the running server, which drops what waits.
"""

from urllib.parse import quote

import click

from headwater.cli.common import Cli, options, remote, table
from headwater.cli.extensions_shown import app_option


@click.command("suppress")
@click.argument("user_id")
@app_option
@options
def suppress(cli: Cli, app_id: str, user_id: str) -> None:
    """Never send USER_ID, a user of the API, to other systems again; what waits is dropped."""
    with remote(cli) as api:
        answer = api.post(_path(app_id), {"user_id": user_id})
    cli.show(answer, lambda: f"{user_id} is never sent.")


@click.command("allow")
@click.argument("user_id")
@app_option
@options
def allow(cli: Cli, app_id: str, user_id: str) -> None:
    """Send USER_ID, a user of the API, again from the next change on."""
    with remote(cli) as api:
        answer = api.post(f"{_path(app_id)}/allow", {"user_id": user_id})
    cli.show(answer, lambda: f"{user_id} is sent again.")


@click.command("suppressed")
@app_option
@options
def suppressed(cli: Cli, app_id: str) -> None:
    """List who is never sent; only fingerprints of their ids are kept."""
    with remote(cli) as api:
        found = api.get(f"{_path(app_id)}?limit=1000")["items"]
    rows = [(one["fingerprint"], one["reason"], one["created_at"]) for one in found]
    cli.show(found, lambda: table(("fingerprint", "reason", "since"), rows, "Nobody."))


def _path(app_id: str) -> str:
    return f"/api/v1/apps/{quote(app_id, safe='')}/suppressed"
