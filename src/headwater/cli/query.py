"""`headwater query`: ask about API calls from the command line.

In: a kind of question and its JSON. Out: the query API's answer, whole with `--json`, else as a
small table.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from headwater.base.errors import InvalidInputError
from headwater.cli.common import Cli, options, remote, table

KINDS = (
    *("events", "count", "timeseries", "users", "companies", "user_timeline"),
    *("company_timeline", "actions", "subscriptions", "rejects"),
)


@click.command("query")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.option("--app", "app_id", required=True, help="Id of the app; see `headwater apps list`.")
@click.option("--spec", required=True, help="File with the question in JSON; - reads stdin.")
@options
def query(cli: Cli, kind: str, app_id: str, spec: str) -> None:
    """Answer one question about the calls of an app.

    KIND is events, count, timeseries, users, companies, user_timeline, company_timeline, actions,
    subscriptions or rejects.

    Example: echo '{"interval": "day"}' | headwater query timeseries --app APP_ID --spec -
    """
    question = _read_question(spec)
    with remote(cli) as api:
        answer = api.post(f"/api/v1/apps/{quote(app_id, safe='')}/query/{kind}", question)
    cli.show(answer, lambda: _shown(kind, answer))


def _read_question(spec: str) -> object:
    try:
        text = sys.stdin.read() if spec == "-" else Path(spec).read_text("utf-8")
        return json.loads(text or "{}")
    except (OSError, ValueError) as err:
        raise InvalidInputError(f"The question cannot be read: {err}", field="--spec") from err


_LISTS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "users": (
        "users",
        ("user_id", "name", "company_id", "last_seen_at", "calls", "errors"),
        "No users in this range.",
    ),
    "companies": (
        "companies",
        ("company_id", "name", "last_seen_at", "users", "calls", "errors"),
        "No companies in this range.",
    ),
    "subscriptions": (
        "subscriptions",
        ("subscription_id", "company_id", "status", "modified_at"),
        "No subscription changed in this range.",
    ),
    "rejects": (
        "reasons",
        ("count", "kind", "field", "reason", "last_at"),
        "Nothing was rejected in this range.",
    ),
}
"""Lists that are shown as they come: where they are in the answer, columns, words for none."""


def _shown(kind: str, answer: dict[str, Any]) -> Table | str:
    if kind in _LISTS:
        name, columns, empty = _LISTS[kind]
        return table(
            columns, [[item[column] for column in columns] for item in answer[name]], empty
        )
    match kind:
        case "count":
            return str(answer["count"])
        case "timeseries":
            return _series(answer)
        case "events":
            lines = [_call(event) for event in answer["events"]]
            return table(CALL_COLUMNS, lines, "No calls found.")
        case "actions":
            lines = [_action(action) for action in answer["actions"]]
            return table(("time", "action", "user", "page"), lines, "No actions in this range.")
        case _:
            lines = [describe_item(item) for item in answer["items"]]
            return table(CALL_COLUMNS, lines, "Nothing happened in this range.")


CALL_COLUMNS = ("time", "verb", "route", "status", "ms", "user")


def _call(event: dict[str, Any]) -> list[object]:
    request, response = event["request"], event["response"]
    return [
        request["time"],
        request["verb"],
        request["route"],
        response["status"] or "none",
        round(event["duration_ms"]),
        event["user_id"],
    ]


def _action(action: dict[str, Any]) -> list[object]:
    request = action["request"]
    return [request["time"], action["action_name"], action["user_id"], request["uri"]]


def describe_item(item: dict[str, Any]) -> list[object]:
    """Return one thing of a timeline as a row of `CALL_COLUMNS`."""
    if item["event"]:
        return _call(item["event"])
    if item["action"]:
        action = item["action"]
        return [item["time"], "action", action["action_name"], "", "", action["user_id"]]
    if item["link"]:
        link = item["link"]
        told = f"{link['kind']} {link['key']} {link['verdict']}".strip()
        return [item["time"], "link", told, "", "", link["user_id"]]
    return [item["time"], "profile", ", ".join(item["fields"]), "", "", item["said_of"]]


def _series(answer: dict[str, Any]) -> Table | str:
    names = [
        " / ".join(key or "(none)" for key in line["key"]) or "all" for line in answer["series"]
    ]
    rows = [
        [bucket, *(line["values"][n] for line in answer["series"])]
        for n, bucket in enumerate(answer["buckets"])
    ]
    total = ["total", *(line["total"] for line in answer["series"])]
    return table(("", *names), [*rows, total], "No calls in this range.")


def _name(key: list[str]) -> str:
    """Return what a group is called: it may be that of calls without a value."""
    return " / ".join(part or "(none)" for part in key) or "all"
