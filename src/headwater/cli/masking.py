"""`headwater apps masking`: what an app masks beyond what always is, and what it does not.

In: arguments, or a policy in JSON. Out: the policy. Works on the configuration database; a running
server notices within seconds.
"""

from typing import Any

import click
import msgspec

from headwater.cli.common import Cli, options, read_object, table
from headwater.workspace import MaskingPolicy, get_app, read_masking, set_masking

_LISTS = ("mask", "keep", "fingerprint")
_SWITCHES = ("emails", "ip_addresses")


@click.command("masking")
@click.argument("app_id")
@click.option("--mask", multiple=True, metavar="NAME", help="Mask values of this name too.")
@click.option("--keep", multiple=True, metavar="NAME", help="This name looks secret, but is not.")
@click.option(
    "--fingerprint", multiple=True, metavar="NAME", help="Keep a keyed fingerprint of its values."
)
@click.option("--emails/--no-emails", default=None, help="Mask e-mail addresses in traffic.")
@click.option(
    "--ip-addresses/--no-ip-addresses", default=None, help="Cut addresses to /24 and /48."
)
@click.option("--spec", help="File with a whole policy in JSON; - reads stdin.")
@click.option("--reset", is_flag=True, help="Begin with the default policy.")
@options
def masking(cli: Cli, app_id: str, **wanted: Any) -> None:
    """Show or change the masking policy of APP_ID.

    Example: headwater apps masking APP_ID --mask date-of-birth --keep next_page_token --emails
    """
    with cli.configuration() as connection:
        app = get_app(connection, app_id)
        if any(wanted.values()) or any(wanted[name] is not None for name in _SWITCHES):
            policy = read_masking(_merge(_first(app.masking, wanted), wanted))
            app = set_masking(connection, app_id, policy)
    cli.show(
        {"app_id": app.id, **msgspec.structs.asdict(app.masking)},
        lambda: table(("what", "set to"), _rows(app.masking), ""),
    )


def _first(policy: MaskingPolicy, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted["spec"]:
        return read_object(wanted["spec"])
    return {} if wanted["reset"] else msgspec.structs.asdict(policy)


def _merge(document: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    names = {table: (*document.get(table, ()), *wanted[table]) for table in _LISTS if wanted[table]}
    switches = {name: wanted[name] for name in _SWITCHES if wanted[name] is not None}
    return {**document, **names, **switches}


def _rows(policy: MaskingPolicy) -> list[tuple[str, str]]:
    return [
        *((name, ", ".join(getattr(policy, name)) or "-") for name in _LISTS),
        *((name, "yes" if getattr(policy, name) else "no") for name in _SWITCHES),
    ]
