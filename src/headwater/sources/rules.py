"""Decide what a source does not let in: events, properties of an event, traits.

In: names. Out: rules, and for the door all of them at once. What a rule keeps out never reaches the
log, so nobody can bring it back.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.configdb.tables import source_rules as rules

RuleType = Literal["track", "page", "screen", "identify", "group", "alias"]
_WITH_EVENTS = ("track", "page", "screen")
_LONGEST = 200
_MOST_RULES = 1_000


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a source does not let in."""

    type: RuleType
    event: str = ""
    """The name of the event, page or screen; empty for the others."""
    name: str = ""
    """The property or trait to leave out; empty: the message itself is blocked."""


class Kept(NamedTuple):
    """What the door keeps out for one source."""

    blocked: frozenset[tuple[str, str]] = frozenset()
    """By type and event."""
    left_out: Mapping[tuple[str, str], frozenset[str]] = {}
    """Properties or traits by type and event."""


def read_rule(type_: str, event: str, name: str) -> Rule:
    """Return a rule of its parts, or raise `InvalidInputError` that names the wrong one."""
    try:
        rule = msgspec.convert({"type": type_, "event": event, "name": name}, Rule)
    except msgspec.ValidationError as err:
        hint = f"Types are {', '.join(get_args(RuleType))}."
        raise InvalidInputError(f"There is no type {type_!r}.", field="type", hint=hint) from err
    _check(rule)
    return rule


def add_rule(connection: sa.Connection, clock: Clock, source_id: str, rule: Rule) -> None:
    """Keep something out from now on; safe to repeat."""
    _check(rule)
    there = list_rules(connection, source_id)
    if rule in there:
        return
    if len(there) >= _MOST_RULES:
        raise InvalidInputError(f"A source has {_MOST_RULES} rules at most.", field="name")
    row = {"source_id": source_id, "created_at": clock.now(), **msgspec.structs.asdict(rule)}
    connection.execute(rules.insert().values(row))


def remove_rule(connection: sa.Connection, source_id: str, rule: Rule) -> None:
    """Let something in again, from now on; raise `NotFoundError` if nothing kept it out."""
    gone = connection.execute(
        rules.delete().where(
            rules.c.source_id == source_id,
            rules.c.type == rule.type,
            rules.c.event == rule.event,
            rules.c.name == rule.name,
        )
    )
    if not gone.rowcount:
        raise NotFoundError("There is no such rule.", field="name")


def list_rules(connection: sa.Connection, source_id: str) -> list[Rule]:
    """Return what a source does not let in."""
    columns = [rules.c[name] for name in Rule.__struct_fields__]
    question = sa.select(*columns).where(rules.c.source_id == source_id)
    rows = connection.execute(question.order_by(*columns)).mappings()
    return [Rule(**row) for row in rows]


def all_rules(connection: sa.Connection) -> dict[str, Kept]:
    """Return what each source that has rules keeps out."""
    blocked: dict[str, set[tuple[str, str]]] = {}
    left_out: dict[str, dict[tuple[str, str], frozenset[str]]] = {}
    columns = (rules.c.source_id, rules.c.type, rules.c.event, rules.c.name)
    for source_id, type_, event, name in connection.execute(sa.select(*columns)):
        whole = blocked.setdefault(source_id, set())
        parts = left_out.setdefault(source_id, {})
        if name:
            parts[type_, event] = parts.get((type_, event), frozenset()) | {name}
        else:
            whole.add((type_, event))
    return {id_: Kept(frozenset(blocked[id_]), left_out[id_]) for id_ in blocked}


def _check(rule: Rule) -> None:
    if rule.event and rule.type not in _WITH_EVENTS:
        raise InvalidInputError(f"A message of type {rule.type} has no event.", field="event")
    if rule.type == "track" and not rule.event:
        raise InvalidInputError("A track message has an event: name it.", field="event")
    if rule.name and rule.type == "alias":
        raise InvalidInputError("An alias has neither properties nor traits.", field="name")
    for field, value in (("event", rule.event), ("name", rule.name)):
        if len(value) > _LONGEST:
            raise InvalidInputError(f"A name has {_LONGEST} characters at most.", field=field)
