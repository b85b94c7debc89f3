"""`headwater users create` and `headwater tokens`: who may look, and which programs may ask.

In: arguments, passwords on standard input. Out: logins and tokens; a token is shown once.
"""

import sys

import click
import msgspec

from headwater.cli.common import Cli, options, table
from headwater.cli.people import show_timeline, show_user
from headwater.cli.suppressed import allow, suppress, suppressed
from headwater.workspace import create_login, create_token


@click.group()
def users() -> None:
    """Users of the API, and logins of those who look."""


users.add_command(show_user)
users.add_command(show_timeline)


for _command in (suppress, allow, suppressed):
    users.add_command(_command)


@users.command("create")
@click.argument("email")
@click.option("--role", default="owner", show_default=True, help="viewer, admin or owner.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@options
def create_user(cli: Cli, email: str, role: str, password_stdin: bool) -> None:
    """Add a login for EMAIL."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with cli.configuration() as connection:
        login = create_login(connection, cli.clock, email, password, role)
    cli.show(login, lambda: table(("", ""), list(msgspec.structs.asdict(login).items()), ""))


@click.group()
def tokens() -> None:
    """API tokens of programs."""


@tokens.command("create")
@click.argument("name")
@click.option(
    "--scope", default="read", show_default=True, help="Comma-separated: read,write,admin."
)
@options
def create_api_token(cli: Cli, name: str, scope: str) -> None:
    """Make an API token; it is shown only now."""
    with cli.configuration() as connection:
        scopes = [part.strip() for part in scope.split(",") if part.strip()]
        token = create_token(connection, cli.vault, cli.clock, name, scopes)
    cli.show({"token": token}, lambda: token)
