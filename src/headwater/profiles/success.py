"""Find the first call that an app counts as a success: the end of the way to hello world.

In: an app's rule. Out: the moment for each user or company. With the usual rule, 2xx and 3xx, the
store knows it beforehand; any other is found among the calls of those asked about.
"""

from collections.abc import Sequence
from typing import Any, Literal

from headwater.eventstore import MANY_IDS, EventStore, many_ids
from headwater.model import SuccessRule

_USUAL = SuccessRule()
_FIRST = """
SELECT {who} AS id, min(time) AS first_success_at FROM calls
WHERE app_id = {{app_id:String}} AND {who} IN {many_ids} AND {success}
GROUP BY id
"""


async def first_success(
    store: EventStore,
    app_id: str,
    kind: Literal["user", "company"],
    ids: Sequence[str],
    rule: SuccessRule,
) -> dict[str, dict[str, Any]]:
    """Return `first_success_at` of each id, when the rule is not the usual one."""
    if rule == _USUAL:
        return {}
    condition, values = success_sql(rule)
    sql = _FIRST.format(who=f"{kind}_id", success=condition, many_ids=MANY_IDS)
    rows = await store.select(sql, {"app_id": app_id, "ids": many_ids(ids), **values})
    found: dict[str, dict[str, Any]] = {id_: {"first_success_at": None} for id_ in ids}
    return found | {row["id"]: {"first_success_at": row["first_success_at"]} for row in rows}


def success_sql(rule: SuccessRule) -> tuple[str, dict[str, Any]]:
    """Return the condition on a call, and its values."""
    classes = [int(status[0]) for status in rule.statuses if status.endswith("xx")]
    codes = [int(status) for status in rule.statuses if not status.endswith("xx")]
    conditions = [
        "(intDiv(status, 100) IN {classes:Array(UInt16)} OR status IN {codes:Array(UInt16)})"
    ]
    values: dict[str, Any] = {"classes": classes, "codes": codes}
    for name, value in (("verb", rule.verb), ("route", rule.route)):
        if value:
            conditions.append(f"{name} = {{success_{name}:String}}")
            values[f"success_{name}"] = value
    return f"({' AND '.join(conditions)})", values
