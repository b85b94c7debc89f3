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

_COMMANDS: Mapping[str, str] = {
    "apps": "headwater.cli.apps:apps",
    "cohorts": "headwater.cli.cohorts:cohorts",
    "companies": "headwater.cli.people:companies",
    "demo": "headwater.cli.demo:demo",
    "destinations": "headwater.cli.destinations:destinations",
    "doctor": "headwater.cli.serve:doctor",
    "extensions": "headwater.cli.extensions:extensions",
    "identity": "headwater.cli.identity:identity",
    "import": "headwater.cli.imports:import_files",
    "migrate": "headwater.cli.serve:migrate_command",
    "privacy": "headwater.cli.privacy:privacy",
    "query": "headwater.cli.query:query",
    "serve": "headwater.cli.serve:serve",
    "sources": "headwater.cli.sources:sources",
    "status": "headwater.cli.serve:status",
    "tokens": "headwater.cli.access:tokens",
    "users": "headwater.cli.access:users",
    "warehouses": "headwater.cli.warehouses:warehouses",
}


class _Lazy(CleanErrors):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        path = _COMMANDS.get(cmd_name)
        if path is None:
            return None
        module, _, name = path.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="headwater")
def headwater() -> None:
    """Self-hosted API analytics that is also an event cloud source.

    Start with `headwater demo`, or with `headwater serve` and `headwater apps list`.
    """


def main() -> None:
    """Run the command line."""
    sys.exit(headwater())
