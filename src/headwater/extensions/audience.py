"""Choose whom a connection sends: users who meet every one of its conditions.

In: conditions over profile and activity, typed, no code; a page of people. Out: those who meet
them all. Pure. What is asked of the profile alone is asked first, so that nobody's activity is
counted in vain.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.extensions.people import People, Wanted
from headwater.profiles import Lifecycle, Person

Op = Literal[
    "is", "is_not", "contains", "starts_with", "ends_with", "exists", "missing",
    "at_least", "at_most", "within_days", "not_within_days",
]  # fmt: skip
Value = str | int | float | bool

_LIFECYCLES = tuple(filter(None, get_args(Lifecycle)))
_OPS: tuple[str, ...] = get_args(Op)
_ALONE = ("exists", "missing")
_OF_NUMBERS = ("at_least", "at_most")
_OF_TIMES = ("within_days", "not_within_days")
_TIMES: Mapping[str, Callable[[Person], datetime | None]] = {
    "created": lambda user: user.created_at,
    "modified": lambda user: user.modified_at,
    "first_seen": lambda user: user.first_seen_at,
    "last_seen": lambda user: user.last_seen_at,
    "first_success": lambda user: user.first_success_at,
}
_TEXTS: Mapping[str, Callable[[Person], Any]] = {
    "id": lambda user: user.id,
    "email": lambda user: user.email,
    "username": lambda user: user.username,
    "company": lambda user: user.company_id,
    "locale": lambda user: user.locale,
    "lifecycle": lambda user: user.lifecycle,
}
_NUMBERS = ("calls", "errors", "error_rate")
_DEEP = ("metadata.", "company.")
_USED = "used."
_MOST_DAYS = 36_600
_HINT = (
    f"Fields: {', '.join((*_TEXTS, *_TIMES, *_NUMBERS))}, metadata.NAME, company.NAME, "
    f"company.metadata.NAME and used.ROUTE. Tests: {', '.join(_OPS)}."
)


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that must hold of a user."""

    field: str
    op: Op
    value: Value = ""
    """Days for `within_days` and `not_within_days`."""


def read_condition(text: str) -> Condition:
    """Read `field test value`, as it is typed on a command line."""
    parts = text.split(maxsplit=2)
    try:
        field, op, value = (*parts, "") if len(parts) == 2 else parts  # noqa: PLR2004 - no value
        typed = msgspec.convert({"field": field, "op": op, "value": value}, Condition)
    except (ValueError, msgspec.ValidationError) as err:
        raise _refuse(f"{text!r} is no condition.") from err
    return check_condition(typed)


def check_condition(of: Condition) -> Condition:
    """Return the condition with its value as its test needs it, or refuse it."""
    if not (of.field in {*_TEXTS, *_TIMES, *_NUMBERS} or of.field.startswith((*_DEEP, _USED))):
        raise _refuse(f"There is no field {of.field!r}.")
    _check_op(of)
    if of.op in _ALONE:
        return msgspec.structs.replace(of, value="")
    if of.op in _OF_TIMES and not 0 <= (_number(of.value) or 0) <= _MOST_DAYS:
        raise _refuse(f"{of.op} needs 0 to {_MOST_DAYS} days, not {of.value!r}.")
    if of.op in {*_OF_NUMBERS, *_OF_TIMES} or of.field in _NUMBERS:
        try:
            return msgspec.structs.replace(of, value=float(of.value))
        except ValueError as err:
            raise _refuse(f"{of.op} needs a number, not {of.value!r}.") from err
    return of


def _check_op(of: Condition) -> None:
    used = of.field.startswith(_USED)
    of_time = used or of.field in _TIMES
    if of_time != (of.op in _OF_TIMES) and (used or of.op not in _ALONE):
        raise _refuse(f"{of.op} cannot be asked of {of.field}.")
    if of.field == "lifecycle" and of.op in {"is", "is_not"} and of.value not in _LIFECYCLES:
        raise _refuse(f"A lifecycle is one of {', '.join(_LIFECYCLES)}, not {of.value!r}.")


def choose_users(
    conditions: Sequence[Condition], users: Sequence[Person], now: datetime
) -> list[Person]:
    """Return the users whose profile meets the conditions; activity is not asked yet."""
    asked = [one for one in conditions if not _is_of_page(one)]
    return [
        user for user in users if all(_holds(one, _of_profile(one, user), now) for one in asked)
    ]


def choose_people(conditions: Sequence[Condition], people: People) -> People:
    """Return the page with those users only whose company and activity meet the conditions."""
    asked = [one for one in conditions if _is_of_page(one)]
    if not asked:
        return people
    now = people.window.now
    users = [
        user
        for user in people.users
        if all(_holds(one, _of_page(one, user, people), now) for one in asked)
    ]
    return msgspec.structs.replace(people, users=users)


def ask_of_profiles_alone(conditions: Sequence[Condition]) -> bool:
    """Tell whether `choose_users` has asked everything: no company, no activity."""
    return not any(map(_is_of_page, conditions))


def also_wanted(conditions: Sequence[Condition], wanted: Wanted) -> Wanted:
    """Return what an extension wants, and what the conditions need besides."""
    fields = {one.field for one in conditions}
    used: dict[str, float] = {}
    for one in conditions:
        if one.field.startswith(_USED):
            route = one.field.removeprefix(_USED)
            used[route] = max(used.get(route, 0), float(one.value))
    return msgspec.structs.replace(
        wanted,
        day=wanted.day or not fields.isdisjoint(_NUMBERS),
        lifecycle=wanted.lifecycle or "lifecycle" in fields,
        standing=wanted.standing or "lifecycle" in fields,
        companies=wanted.companies or any(field.startswith("company.") for field in fields),
        used=used,
    )


def _is_of_page(of: Condition) -> bool:
    return of.field in _NUMBERS or of.field.startswith(("company.", _USED))


def _of_profile(of: Condition, user: Person) -> Any:
    read = _TEXTS.get(of.field) or _TIMES.get(of.field)
    return read(user) if read is not None else _dig(user.doc, of.field)


def _of_page(of: Condition, user: Person, people: People) -> Any:
    if of.field.startswith(_USED):
        return people.used[of.field.removeprefix(_USED)].get(user.id)
    if of.field.startswith("company."):
        company = people.companies.get(user.company_id)
        return None if company is None else _dig(company.doc, of.field.removeprefix("company."))
    day = people.days.get(user.id)
    if day is None:
        return 0
    if of.field == "calls":
        return day.total_calls
    return day.error_rate if of.field == "error_rate" else day.client_errors + day.server_errors


def _dig(doc: Mapping[str, Any], path: str) -> Any:
    found: Any = doc
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _holds(of: Condition, found: Any, now: datetime) -> bool:
    known = found not in (None, "", [], {})
    match of.op:
        case "exists":
            return known
        case "missing":
            return not known
        case "is_not":
            return not _any_text(found, str(of.value), str.__eq__)
        case "within_days":
            return known and now - found <= timedelta(days=float(of.value))
        case "not_within_days":
            return not known or now - found > timedelta(days=float(of.value))
        case "at_least":
            return _is_number(found) and found >= of.value
        case "at_most":
            return _is_number(found) and found <= of.value
        case _:
            return _compare(of, found)


def _compare(of: Condition, found: Any) -> bool:
    if of.op == "is" and _is_number(found):
        return str(found) == str(of.value) or float(found) == _number(of.value)
    tests: Mapping[str, Callable[[str, str], bool]] = {
        "is": str.__eq__,
        "contains": str.__contains__,
        "starts_with": str.startswith,
        "ends_with": str.endswith,
    }
    return _any_text(found, str(of.value), tests[of.op])


def _any_text(found: Any, wanted: str, test: Callable[[str, str], bool]) -> bool:
    """Try a text, or each of a list; `true` and `false` are texts too."""
    each = found if isinstance(found, list) else [found]
    return any(
        test(str(one).lower() if isinstance(one, bool) else str(one), wanted)
        for one in each
        if isinstance(one, str | int | float)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Value) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _refuse(message: str) -> InvalidInputError:
    return InvalidInputError(message, field="audience", hint=_HINT)
