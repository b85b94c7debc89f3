"""Report: what people did beside calling the API, newest first.

In: filters, a limit, a cursor. Out: actions, in the names of the filter list, and the next cursor.
A filter about something that only calls have is a fault in the question.
"""

from typing import Any

import msgspec

from headwater.analytics.cursor import NewestFirst
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import ActionsSpec
from headwater.base.errors import InvalidInputError

_FIELDS = frozenset(
    {
        *(
            "action_name",
            "transaction_id",
            "user_id",
            "company_id",
            "anonymous_id",
            "session_token",
            "sdk",
        ),
        *("request.uri", "request.ip_address", "request.country"),
        *("client.name", "client.version", "client.kind"),
    }
)
_DOCUMENTS = ("metadata.", "user.", "company.")
_COLUMNS = (
    *("action_id", "time", "received_at", "action_name", "user_id", "company_id", "anonymous_id"),
    *("session_key", "uri", "client_kind", "client_name", "client_version", "sdk", "country"),
    *("ip_address", "user_agent", "flags", "metadata", "extra"),
)
_SELECTED = ", ".join(f"c.{name} AS {name}" for name in _COLUMNS)
_PLAIN = ("action_name", "user_id", "company_id", "anonymous_id", "sdk", "flags", "received_at")
_ORDER = NewestFirst("time", "action_id", "c.")
_NOTHING = msgspec.Raw(b"null")


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """One page; `next_cursor` is null on the last."""

    actions: list[dict[str, Any]]
    next_cursor: str | None
    meta: Meta


async def list_actions(asking: Asking, question: Question, spec: ActionsSpec) -> Actions:
    """Answer `actions`."""
    strange = sorted(name for name in question.fields if not _is_known(name))
    if strange:
        raise InvalidInputError(
            f"An action has no {', '.join(strange)}.",
            field="$.filters",
            hint=f"It has {', '.join(sorted(_FIELDS))} and {'…, '.join(_DOCUMENTS)}….",
        )
    rows, following = await page_of_actions(asking, question, spec.limit, spec.cursor)
    return Actions(
        actions=[to_action(row) for row in rows],
        next_cursor=following,
        meta=await asking.meta(question),
    )


def can_be_asked(question: Question) -> bool:
    """Tell whether the filters say anything about actions: not when they are about calls alone."""
    return all(_is_known(name) for name in question.fields)


def _is_known(name: str) -> bool:
    return name in _FIELDS or name.startswith(_DOCUMENTS)


async def page_of_actions(
    asking: Asking, question: Question, limit: int, cursor: str, also: str = "true"
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the rows of one page, and where the next begins."""
    after = _ORDER.behind(cursor, question.bound)
    sql = (
        f"SELECT {_SELECTED} FROM {question.actions()} WHERE {question.where} AND ({also})"
        f" AND {after}{_ORDER.order(limit)}"
    )
    return _ORDER.cut(await asking.ask(sql, question), limit)


def to_action(row: dict[str, Any]) -> dict[str, Any]:
    """Return one action in the names of the filter list, nested."""
    return {
        "transaction_id": row["action_id"],
        "request": {name: row[name] for name in ("time", "uri", "ip_address", "country")}
        | {"user_agent_string": row["user_agent"]},
        "client": {part: row[f"client_{part}"] for part in ("name", "version", "kind")},
        **{name: row[name] for name in _PLAIN},
        "session_token": row["session_key"],
        "metadata": _json(row["metadata"]),
        "extra": _json(row["extra"]),
    }


def _json(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode()) if text else _NOTHING
