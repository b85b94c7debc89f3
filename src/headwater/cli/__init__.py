"""The command line: arguments only, one file for each group of commands.

In: `sys.argv`. Out: exit code 0 for success, 1 for failure, 2 for wrong usage. Groups are imported
when they are asked for, so that `headwater --help` answers at once.
"""

import importlib
import sys
from collections.abc import Mapping

import click

from headwater import __version__
from headwater.cli.common import CleanErrors

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "apps": ("apps:apps", "The APIs under observation."),
    "cohorts": ("cohorts:cohorts", "Sets of users, to look at and to send."),
    "companies": ("people:companies", "The companies whose people call the API."),
    "demo": ("demo:demo", "Run Headwater with the traffic of an invented payments API."),
    "destinations": ("destinations:destinations", "Where messages go."),
    "doctor": ("serve:doctor", "Check that log, store, configuration and disk are usable."),
    "extensions": ("extensions:extensions", "What is sent to other systems about each user."),
    "identity": ("identity:identity", "Who is behind session keys and browsers."),
    "import": (
        "imports:import_files",
        "Load access logs or event FILES (plain, .gz or .zst, - for standard input) into an app.",
    ),
    "migrate": (
        "serve:migrate_command",
        "Bring stored data to this version's shape; `serve` does it too.",
    ),
    "privacy": ("privacy:privacy", "Suppress and delete users everywhere."),
    "query": ("query:query", "Answer one question about the calls of an app."),
    "serve": ("serve:serve", "Run the server until SIGTERM or Ctrl-C."),
    "sources": ("sources:sources", "Where messages come from."),
    "status": (
        "serve:status",
        "Show how far everything has come, and which warehouses need somebody.",
    ),
    "tokens": ("access:tokens", "API tokens of programs."),
    "users": ("access:users", "Users of the API, and logins of those who look."),
    "warehouses": ("warehouses:warehouses", "Databases into which messages are loaded as tables."),
}
"""Where each is, and the first line of its help: nothing is imported to list them."""


class _Lazy(CleanErrors):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"headwater.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in sorted(_COMMANDS.items())])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="headwater")
def headwater() -> None:
    """Self-hosted API analytics that is also an event cloud source.

    Start with `headwater demo`, or with `headwater serve` and `headwater apps list`.
    """


def main() -> None:
    """Run the command line."""
    sys.exit(headwater())
