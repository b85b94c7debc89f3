"""`headwater users show|timeline`, `companies list|show|timeline`: what is known of whom.

In: ids. Out: the management API's answer, whole with `--json`, else as a small table.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import click

from headwater.cli.common import Cli, options, remote, table
from headwater.cli.query import CALL_COLUMNS, describe_item

_APP = click.option("--app", "app_id", required=True, help="Id of the app; see `apps list`.")
_AT = click.option(
    "--at", default="", help="As it was at this moment, such as 2026-11-22T09:00:00Z."
)
_KIND = click.option(
    "--kind",
    type=click.Choice(("", "call", "action", "profile", "link")),
    default="",
    show_default="all",
    help="Only what is of this kind.",
)
_WHO = ("id", "name", "email", "username", "phone", "photo_url", "domain", "lifecycle")
_WHEN = ("created_at", "modified_at", "first_seen_at", "last_seen_at", "first_success_at")
_WHERE = ("company_id", "company_since", "last_ip", "location", "locale", "last_user_agent")
_TOUCH = ("first_touch", "last_touch")
_COMPANY = ("company_id", "name", "last_seen_at", "users", "calls", "errors")
_SHOWN = (*_WHO, *_WHEN, *_WHERE, *_TOUCH)


@click.command("show")
@click.argument("user_id")
@_APP
@_AT
@options
def show_user(cli: Cli, user_id: str, app_id: str, at: str) -> None:
    """Show who USER_ID is: profile, first and last seen, companies, links.

    Example: headwater users show ann --app APP_ID
    """
    found = _get(cli, app_id, f"user?{_query(id=user_id, at=at)}")
    cli.show(found, lambda: table(("", ""), _user_rows(found), ""))


@click.command("timeline")
@click.argument("user_id")
@_APP
@click.option("--days", default=90, show_default=True, help="How far to look back.")
@_KIND
@click.option("--limit", default=50, show_default=True, help="How many things to show.")
@options
def show_timeline(cli: Cli, user_id: str, app_id: str, days: int, kind: str, limit: int) -> None:
    """Show what USER_ID did and how the profile changed, newest first."""
    _show_timeline(cli, app_id, "user", id=user_id, days=days, kind=kind, limit=limit)


@click.group()
def companies() -> None:
    """The companies whose people call the API."""


@companies.command("list")
@_APP
@click.option("--search", default="", help="A part of an id or a name.")
@click.option("--days", default=30, show_default=True, help="Which calls to count.")
@click.option("--limit", default=50, show_default=True, help="How many companies to show.")
@click.option("--cursor", default="", help="Where the page before ended: its `next_cursor`.")
@options
def list_companies(cli: Cli, app_id: str, search: str, days: int, limit: int, cursor: str) -> None:
    """Show the companies, those that were seen last first."""
    asked = _query(search=search, days=days, limit=limit, cursor=cursor)
    found = _get(cli, app_id, f"companies?{asked}")
    rows = [[_shown(one[name] or "") for name in _COMPANY] for one in found["companies"]]
    cli.show(found, lambda: table(_COMPANY, rows, "No company is known."))


@companies.command("show")
@click.argument("company_id")
@_APP
@_AT
@options
def show_company(cli: Cli, company_id: str, app_id: str, at: str) -> None:
    """Show what is known of COMPANY_ID."""
    found = _get(cli, app_id, f"company?{_query(id=company_id, at=at)}")
    rows = [*_rows(found["company"]), *_rows(found, ("ttfhw_s",))]
    cli.show(found, lambda: table(("", ""), rows, ""))


@companies.command("timeline")
@click.argument("company_id")
@_APP
@click.option("--days", default=90, show_default=True, help="How far to look back.")
@_KIND
@click.option("--limit", default=50, show_default=True, help="How many things to show.")
@options
def show_company_timeline(
    cli: Cli, company_id: str, app_id: str, days: int, kind: str, limit: int
) -> None:
    """Show what the people of COMPANY_ID did and how it changed, newest first."""
    _show_timeline(cli, app_id, "company", id=company_id, days=days, kind=kind, limit=limit)


def _show_timeline(cli: Cli, app_id: str, whose: str, **asked: object) -> None:
    found = _get(cli, app_id, f"{whose}/timeline?{_query(**asked)}")
    lines = [describe_item(item) for item in found["items"]]
    cli.show(found, lambda: table(CALL_COLUMNS, lines, "Nothing happened in this time."))


def _get(cli: Cli, app_id: str, path: str) -> dict[str, Any]:
    with remote(cli) as api:
        found: dict[str, Any] = api.get(f"/api/v1/apps/{quote(app_id, safe='')}/{path}")
    return found


def _query(**values: object) -> str:
    return urlencode(values)


def _user_rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        *_rows(found["user"]),
        *_rows(found, ("ttfhw_s",)),
        *(("company", f"{one['company_id']} since {one['since']}") for one in found["companies"]),
        *((f"{link['kind']} link", _link(link)) for link in found["links"]),
    ]


def _link(link: Mapping[str, Any]) -> str:
    said = f"{link['key']} said by {link['said_by'] or 'a ruling'} at {link['first_at'] or '-'}"
    return said if link["counts"] else f"{said}; ruled wrong by {link['rulings'][-1]['said_by']}"


def _rows(facts: Mapping[str, Any], names: tuple[str, ...] = _SHOWN) -> list[tuple[str, str]]:
    return [(name, _shown(facts[name])) for name in names if facts.get(name) not in (None, "", {})]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={inner}" for name, inner in value.items())
    return str(value)
