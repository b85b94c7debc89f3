"""Tell by HTTP what a source received, refused and has seen, and decide what it does not let in.

In: a source, hours, rules. Out: JSON. Samples are the beginnings of refused messages, as they came.
"""

from datetime import datetime, timedelta

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.sources import (
    NO_SOURCE,
    Figures,
    Hour,
    Refused,
    Rule,
    Schema,
    add_hours,
    add_rule,
    get_source,
    list_refused,
    list_rules,
    read_hours,
    read_rule,
    read_schema,
    remove_rule,
)
from headwater.web.auth import needs
from headwater.web.services import Services

MOST_HOURS = 90 * 24


class SourceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was sent to a source."""

    since: datetime
    total: Figures
    hours: list[Hour]
    """Those in which something came, oldest first."""


class RefusedList(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of what was refused, the newest first, a few of each reason."""

    items: list[Refused]


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """What a source does not let in."""

    items: list[Rule]


class SourceFactsController(Controller):
    """`/api/v1/sources/{source}/…`."""

    path = "/api/v1/sources/{source:str}"
    tags = ("Sources",)
    guards = (needs("read"),)

    @get("/figures")
    async def figures(
        self,
        services: NamedDependency[Services],
        source: FromPath[str],
        hours: FromQuery[int] = 24,
    ) -> SourceFigures:
        """Count what was received, by the hour: what entered, and why the rest did not."""
        found = await services.configdb.look(get_source, source)
        return await figures_of(services, found.id, hours)

    @get("/refused")
    async def refused(
        self, services: NamedDependency[Services], source: FromPath[str]
    ) -> RefusedList:
        """Show samples of what was refused, with the reasons."""
        found = await services.configdb.look(get_source, source)
        return RefusedList(items=await services.configdb.look(list_refused, found.id))

    @get("/schema")
    async def schema(self, services: NamedDependency[Services], source: FromPath[str]) -> Schema:
        """Show which events, properties and traits a source sends: names, never values."""
        found = await services.configdb.look(get_source, source)
        return await services.configdb.look(read_schema, found.id)

    @get("/rules")
    async def rules(self, services: NamedDependency[Services], source: FromPath[str]) -> RuleList:
        """List what a source does not let in."""
        found = await services.configdb.look(get_source, source)
        return RuleList(items=await services.configdb.look(list_rules, found.id))

    @post("/rules", guards=[needs("admin")], status_code=200)
    async def add(
        self,
        services: NamedDependency[Services],
        source: FromPath[str],
        data: JSONBody[Rule],
    ) -> RuleList:
        """Keep an event, a property or a trait out from now on."""
        found = await services.configdb.look(get_source, source)
        await services.configdb.run(add_rule, services.clock, found.id, data)
        return RuleList(items=await services.configdb.look(list_rules, found.id))

    @delete("/rules", guards=[needs("admin")], status_code=200)
    async def remove(
        self,
        services: NamedDependency[Services],
        source: FromPath[str],
        type: FromQuery[str],  # noqa: A002 - the name in the address
        event: FromQuery[str] = "",
        name: FromQuery[str] = "",
    ) -> RuleList:
        """Let an event, a property or a trait in again."""
        found = await services.configdb.look(get_source, source)
        rule = read_rule(type, event, name)
        await services.configdb.run(remove_rule, found.id, rule)
        return RuleList(items=await services.configdb.look(list_rules, found.id))


class RefusedRequestsController(Controller):
    """`/api/v1/refused-requests`: what came with a write key that is nobody's."""

    path = "/api/v1/refused-requests"
    tags = ("Sources",)
    guards = (needs("read"),)

    @get()
    async def show(self, services: NamedDependency[Services]) -> RefusedList:
        """Show samples of requests whose write key belongs to no source."""
        return RefusedList(items=await services.configdb.look(list_refused, NO_SOURCE))

    @get("/figures")
    async def figures(
        self, services: NamedDependency[Services], hours: FromQuery[int] = 24
    ) -> SourceFigures:
        """Count requests whose write key belongs to no source, by the hour and the reason."""
        return await figures_of(services, NO_SOURCE, hours)


async def figures_of(services: Services, source_id: str, hours: int) -> SourceFigures:
    """Return the figures of the last hours; the present one counts as one."""
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidInputError(f"Hours are 1 to {MOST_HOURS}.", field="hours")
    until = services.clock.now() + timedelta(hours=1)
    this_hour = services.clock.now().replace(minute=0, second=0, microsecond=0)
    since = this_hour - timedelta(hours=hours - 1)
    found = await services.configdb.look(read_hours, source_id, since, until)
    return SourceFigures(since=since, total=add_hours(found), hours=found)
