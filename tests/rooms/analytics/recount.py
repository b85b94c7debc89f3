"""What filters mean, told a second time in plain Python: the measure for the SQL.

In: a call and a tree of filters. Out: whether the tree is true of the call. Slow and obvious.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headwater.model import ApiCall

TEXTS = ("user_id", "company_id", "request.verb", "request.headers.x-plan", "request.body.k")
NUMBERS = ("response.status", "duration_ms")
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
PARTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "not_contains": lambda text, part: part not in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}


def is_true(tree: Mapping[str, Any], call: ApiCall) -> bool:
    """Tell whether `tree` is true of `call`."""
    if "all" in tree:
        return all(is_true(part, call) for part in tree["all"])
    if "any" in tree:
        return any(is_true(part, call) for part in tree["any"])
    if "not" in tree:
        return not is_true(tree["not"], call)
    return _leaf(tree["field"], tree["op"], tree.get("value"), call)


def _leaf(field: str, op: str, value: Any, call: ApiCall) -> bool:
    found = _read(field, call)
    if op in {"exists", "not_exists"}:
        return _is_there(field, found, call) == (op == "exists")
    if op in {"in", "not_in"}:
        return bool(found in value) == (op == "in")
    if op in {"eq", "ne"}:
        return bool(found == value) == (op == "eq")
    if op in PARTS:
        return PARTS[op](str(found), value)
    return _order(ORDERS[op], found, value)


def _is_there(field: str, found: str | float, call: ApiCall) -> bool:
    if field == "request.headers.x-plan":
        return "x-plan" in call.request_headers  # an empty header is one
    return found not in {"", "null"} and (field != "response.status" or found != 0)


def _order(is_so: Callable[[Any, Any], bool], found: str | float, value: str | float) -> bool:
    if isinstance(value, str):
        return is_so(str(found).encode(), value.encode())
    try:
        return is_so(float(found), value)
    except ValueError:
        return False


def _read(field: str, call: ApiCall) -> str | float:
    match field:
        case "user_id":
            return call.user_id
        case "company_id":
            return call.company_id
        case "request.verb":
            return call.verb
        case "response.status":
            return call.status
        case "duration_ms":
            return call.duration_ms
        case "request.headers.x-plan":
            return call.request_headers.get("x-plan", "")
        case _:
            return _member(call)


def _member(call: ApiCall) -> str:
    member = msgspec.json.decode(bytes(call.request_body) or b"{}").get("k", "")
    return member if isinstance(member, str) else msgspec.json.encode(member).decode()
