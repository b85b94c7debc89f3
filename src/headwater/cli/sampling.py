"""`headwater apps sampling`: which share of an app's calls its clients are asked to report.

In: arguments, or a policy in JSON. Out: the policy, and warnings about rates that cost accuracy.
Works on the configuration database; a running server notices within seconds.
"""

from typing import Any

import click
import msgspec

from headwater.base.errors import InvalidInputError
from headwater.cli.common import Cli, options, read_object, table
from headwater.workspace import SamplingPolicy, get_app, read_sampling, set_sampling, warn_of


@click.command("sampling")
@click.argument("app_id")
@click.option("--rate", type=int, help="Per cent of all calls that clients report.")
@click.option("--user", "users", multiple=True, metavar="ID=RATE", help="Rate of one user.")
@click.option(
    "--company", "companies", multiple=True, metavar="ID=RATE", help="Rate of one company."
)
@click.option(
    "--drop-route", "routes", multiple=True, metavar="PATTERN", help="Leave such paths out."
)
@click.option("--spec", help="File with a whole policy in JSON; - reads stdin.")
@click.option("--reset", is_flag=True, help="Begin with a policy that asks for all calls.")
@options
def sampling(cli: Cli, app_id: str, **wanted: Any) -> None:
    """Show or change the sampling policy of APP_ID.

    Example: headwater apps sampling APP_ID --rate 25 --user u-81=100 --drop-route '^/health'
    """
    with cli.configuration() as connection:
        app = get_app(connection, app_id)
        if any(wanted.values()) or wanted["rate"] is not None:
            policy = read_sampling(_merge(_first(app.sampling, wanted), wanted))
            app = set_sampling(connection, app_id, policy)
    warnings = warn_of(app.sampling)
    for warning in warnings:
        cli.err.print(f"Warning: {warning}", highlight=False)
    shown = {"app_id": app.id, **msgspec.to_builtins(app.sampling), "warnings": warnings}
    cli.show(shown, lambda: table(("what", "per cent"), _rows(app.sampling), ""))


def _first(policy: SamplingPolicy, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted["spec"]:
        return read_object(wanted["spec"])
    if wanted["reset"]:
        return {}
    found: dict[str, Any] = msgspec.to_builtins(policy)
    return found


def _merge(document: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    if wanted["rate"] is not None:
        merged["sample_rate"] = wanted["rate"]
    for name, option in (("user_sample_rate", "users"), ("company_sample_rate", "companies")):
        merged[name] = {**merged.get(name, {}), **dict(map(_read_rate, wanted[option]))}
    dropped = [
        {"conditions": [{"path": "request.route", "value": pattern}], "sample_rate": 0}
        for pattern in wanted["routes"]
    ]
    merged["regex_config"] = [*merged.get("regex_config", ()), *dropped]
    return merged


def _read_rate(pair: str) -> tuple[str, int]:
    name, _, rate = pair.rpartition("=")
    if not name or not rate.isdecimal():
        raise InvalidInputError(f"{pair!r} is no rate.", hint="Write ID=RATE, such as u-81=50.")
    return name, int(rate)


def _rows(policy: SamplingPolicy) -> list[tuple[str, int]]:
    rules = [
        (" and ".join(f"{one.path} ~ {one.value}" for one in rule.conditions), rule.sample_rate)
        for rule in policy.regex_config
    ]
    return [
        ("all calls", policy.sample_rate),
        *((f"user {id_}", rate) for id_, rate in policy.user_sample_rate.items()),
        *((f"company {id_}", rate) for id_, rate in policy.company_sample_rate.items()),
        *rules,
    ]
