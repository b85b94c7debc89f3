"""`headwater destinations show, change, rotate-secret, remove, test, test-mapping`.

In: arguments, filters and mappings as files of JSON. Out: destinations as they are now, and what
they answer. Asks the server, which checks everything.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from headwater.base.errors import InvalidInputError
from headwater.cli.common import Cli, options, read_pairs, remote, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("show")
@click.argument("destination_id")
@options
def show(cli: Cli, destination_id: str) -> None:
    """Show one destination with its settings, filters and mappings."""
    with remote(cli) as api:
        found = api.get(_path(destination_id))
    _show(cli, found)


@click.command("change")
@click.argument("destination_id")
@click.option("--name", help="Another nickname.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting; repeatable.")
@click.option("--filters", type=_FILE, help="File with all filters, a list in JSON.")
@click.option("--mappings", type=_FILE, help="File with all mappings, a list in JSON.")
@click.option("--keep-order/--any-order", default=None, help="Of each user's messages.")
@options
def change(
    cli: Cli,
    destination_id: str,
    name: str | None,
    pairs: tuple[str, ...],
    filters: Path | None,
    mappings: Path | None,
    keep_order: bool | None,
) -> None:
    """Change a destination; what is not named stays, and so do its secrets.

    Example: headwater destinations change DESTINATION_ID --set batch_size=100 --filters f.json
    """
    changes: dict[str, Any] = {"name": name, "keeps_order": keep_order}
    changes |= {"filters": _read(filters), "mappings": _read(mappings)}
    with remote(cli) as api:
        if pairs:
            before = api.get(_path(destination_id))
            changes["settings"] = _settings(before["settings"]) | read_pairs(pairs)
        given = {key: value for key, value in changes.items() if value is not None}
        found = api.ask("PATCH", _path(destination_id), given)
    _show(cli, found)


@click.command("rotate-secret")
@click.argument("destination_id")
@click.option("--keep-hours", default=24, show_default=True, help="The old one works so long.")
@options
def rotate_secret(cli: Cli, destination_id: str, keep_hours: int) -> None:
    """Make a new secret, shown only now; the old one works beside it for a while."""
    with remote(cli) as api:
        found = api.post(f"{_path(destination_id)}/rotate-secret", {"keep_hours": keep_hours})
    cli.show(found["secrets"], lambda: table(("", ""), list(found["secrets"].items()), ""))


@click.command("remove")
@click.argument("destination_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options
def remove(cli: Cli, destination_id: str, yes: bool) -> None:
    """Remove a destination with all that waits for it; nothing brings it back."""
    if not yes:
        click.confirm("Remove it, and what waits for it?", abort=True, err=True)
    with remote(cli) as api:
        api.ask("DELETE", _path(destination_id))
    cli.show({"id": destination_id, "removed": True}, lambda: "Removed.")


@click.command("test")
@click.argument("destination_id")
@click.option("--type", "kind", default="identify", show_default=True, help="Of the sample.")
@click.option("--message", type=_FILE, help="File with a message in JSON, instead of a sample.")
@options
def test(cli: Cli, destination_id: str, kind: str, message: Path | None) -> None:
    """Send one message for real, past the filters, and show what the destination answers."""
    body = {"type": kind, "message": _read(message)}
    with remote(cli) as api:
        result = api.post(f"{_path(destination_id)}/test", body)
    cli.show(result, lambda: _sentence(result))
    if not result["delivered"]:
        raise click.exceptions.Exit(1)


@click.command("test-mapping")
@click.argument("destination_id")
@click.argument("mapping", type=_FILE)
@click.option("--type", "kind", default="identify", show_default=True, help="Of the sample.")
@click.option("--message", type=_FILE, help="File with a message in JSON, instead of a sample.")
@options
def test_mapping(
    cli: Cli, destination_id: str, mapping: Path, kind: str, message: Path | None
) -> None:
    """Show what a MAPPING, a file of JSON, makes of a message; nothing is sent."""
    body = {"mapping": _read(mapping), "type": kind, "message": _read(message)}
    with remote(cli) as api:
        result = api.post(f"{_path(destination_id)}/mappings/test", body)
    rows = [(name, msgspec.json.encode(value).decode()) for name, value in result["fields"].items()]
    head = "its trigger holds" if result["triggered"] else "its trigger does not hold"
    cli.show(result, lambda: table(("field", head), rows, result["error"] or "No field."))


COMMANDS = (show, change, rotate_secret, remove, test, test_mapping)


def _path(destination_id: str) -> str:
    return f"/api/v1/destinations/{quote(destination_id, safe='')}"


def _read(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as err:
        raise InvalidInputError(f"{path} is not JSON: {err}.") from err


def _settings(shown: Mapping[str, str]) -> dict[str, str]:
    """Leave masked secrets empty: so they stay as they are."""
    return {name: "" if value.startswith("••••") else value for name, value in shown.items()}


def _show(cli: Cli, found: Mapping[str, Any]) -> None:
    rows = [(name, _cell(value)) for name, value in found.items()]
    cli.show(found, lambda: table(("", ""), rows, ""))


def _cell(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _sentence(result: Mapping[str, Any]) -> str:
    if result["delivered"]:
        statuses = [str(one["status"] or one["fate"]) for one in result["tried"]]
        return f"Delivered: the destination answered {', '.join(statuses)}."
    errors = [one["error"] for one in result["tried"] if one["error"]]
    return f"Not delivered: {'; '.join(errors) or result['reason']}"
