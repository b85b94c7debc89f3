"""Bring one connection's endpoint up to date: once, from its watermark to the present.

In: an app and its opened connection. Out: messages in the outbox, and from there on the wire. The
last page of a run and the watermark enter in one transaction, so a run that dies leaves nothing out
and repeats nothing. Who calls sees to it that runs of one connection exclude each other.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from headwater.base.crash import crash_point
from headwater.base.errors import HeadwaterError
from headwater.base.ids import new_id
from headwater.base.telemetry import get_logger
from headwater.extensions import outbox, runs
from headwater.extensions.audience import also_wanted, choose_people, choose_users
from headwater.extensions.connections import Opened, check_unchanged, move_watermark
from headwater.extensions.contract import Item
from headwater.extensions.delivery import Delivery
from headwater.extensions.outbox import Lot, Put
from headwater.extensions.parts import Parts
from headwater.extensions.people import gather_people
from headwater.extensions.runs import RunResult, Tally
from headwater.extensions.windows import Page, Window, read_due_users, subject_of
from headwater.profiles import Person, last_complete_day
from headwater.workspace import App, suppressed_among

_REMEMBERED = timedelta(days=7)
_logger = get_logger("extensions")


async def sync(parts: Parts, app: App, opened: Opened, *, full: bool = False) -> RunResult:
    """Send every user's window that is new; return how it went."""
    begun_s = parts.clock.monotonic_s()
    window = await open_window(parts, app, opened, full=full)
    run = _Run(parts, opened, window)
    await run.go()
    _logger.info("extension_synced", app_id=app.id, run_id=run.id, **run.tally.as_row())
    seconds = round(parts.clock.monotonic_s() - begun_s, 3)
    return RunResult(run_id=run.id, seconds=seconds, **run.tally.as_row())


async def open_window(parts: Parts, app: App, opened: Opened, *, full: bool = False) -> Window:
    """Return what a run that begins now is about."""
    upto = await parts.stored_offset()  # first: what is read later holds at least this much
    now = parts.clock.now()
    wanted = also_wanted(opened.connection.audience, opened.extension.wanted(opened.settings))
    return Window(
        app=app,
        connection_id=opened.connection.id,
        target=opened.fingerprint,
        now=now,
        upto=upto,
        day=last_complete_day(now, app.timezone),
        after=opened.connection.watermark,
        after_day=opened.connection.watermark_day,
        full=full,
        watches_lifecycle=wanted.lifecycle,
        watches_companies=wanted.companies,
        standing=wanted.standing,
    )


async def make_new_items(
    parts: Parts, opened: Opened, window: Window, user_ids: Sequence[str]
) -> list[Item]:
    """Return the messages of those of the audience whose window never entered the outbox."""
    people = await read_audience(parts, opened, window, user_ids)
    subjects = [subject_of(person.id) for person in people]
    known = await parts.configdb.run(outbox.known_messages, window.connection_id, subjects)
    fresh = [
        person for person in people if known.get(subject_of(person.id)) != window.id_of(person)
    ]
    return await make_items(parts, opened, window, fresh)


async def read_users(parts: Parts, window: Window, user_ids: Sequence[str]) -> dict[str, Person]:
    """Return those who are known; where companies are told, their changes are the users' own."""
    if window.profile == "then":
        return await parts.profiles.people_as_of(window.app.id, user_ids, window.now)
    people = await parts.profiles.people(window.app.id, user_ids, standing=window.standing)
    if not window.watches_companies:
        return people
    ids = sorted({person.company_id for person in people.values()} - {""})
    offsets = await parts.profiles.company_offsets(window.app.id, ids) if ids else {}
    return {
        id_: msgspec.structs.replace(person, changed_offset=newest)
        if (newest := offsets.get(person.company_id, 0)) > person.changed_offset
        else person
        for id_, person in people.items()
    }


async def read_audience(
    parts: Parts, opened: Opened, window: Window, user_ids: Sequence[str]
) -> list[Person]:
    """Return those whose profile meets the connection's conditions, and who may be sent at all."""
    people = await read_users(parts, window, user_ids)
    never = await parts.configdb.run(suppressed_among, parts.vault, window.app.id, list(people))
    allowed = [person for id_, person in people.items() if id_ not in never]
    return choose_users(opened.connection.audience, allowed, window.now)


async def make_items(
    parts: Parts, opened: Opened, window: Window, users: Sequence[Person]
) -> list[Item]:
    """Return the messages of those of these users whose activity meets the conditions too."""
    if not users:
        return []
    audience = opened.connection.audience
    wanted = also_wanted(audience, opened.extension.wanted(opened.settings))
    people = choose_people(audience, await gather_people(parts.profiles, window, users, wanted))
    return list(await asyncio.to_thread(opened.extension.compose, opened.settings, people))


def put_allowed(
    connection: sa.Connection, parts: Parts, opened: Opened, lot: Lot, items: Sequence[Item]
) -> Put:
    """Put messages in the outbox, but for those about users who must never be sent."""
    ids = {item.user_id for item in items}
    never = suppressed_among(connection, parts.vault, opened.connection.app_id, ids)
    allowed = [item for item in items if item.user_id not in never]
    return outbox.put_due(connection, lot, allowed, opened.extension.limits)


class _Run:
    """One run, with its tally."""

    def __init__(self, parts: Parts, opened: Opened, window: Window) -> None:
        self._parts = parts
        self._opened = opened
        self._window = window
        self.id = new_id("run")
        self.tally = Tally()
        sender = opened.extension.open(opened.settings, opened.secret, parts.outside)
        self._delivery = Delivery(opened.connection, sender, parts, self.tally)

    async def go(self) -> None:
        await self._parts.configdb.run(self._begin)
        try:
            async with aclosing(self._make_ahead()) as pages:
                async for page, items in pages:
                    await self._fill_outbox(page, items)
                    items.clear()  # in the outbox: else they stay until the next page is made
                    await self._delivery.send_waiting()
                    await self._parts.configdb.run(runs.note_run, self.id, self.tally)
        except (HeadwaterError, asyncio.CancelledError) as err:
            self.tally.error = str(err) or "cancelled: the server stopped or the caller left"
            raise
        finally:
            at = self._parts.clock.now()
            await self._parts.configdb.run(runs.end_run, self.id, self.tally, at)

    @property
    def _lot(self) -> Lot:
        return Lot(connection_id=self._window.connection_id, name=self.id, at=self._window.now)

    def _begin(self, connection: sa.Connection) -> None:
        id_, now = self._window.connection_id, self._window.now
        kind: runs.RunKind = "full" if self._window.full else "sync"
        runs.begin_run(connection, id_, self.id, kind, now)
        outbox.forget_delivered(connection, id_, now - _REMEMBERED)
        if self._window.full:
            outbox.revive_dead(connection, self._lot, self._opened.extension.limits)

    async def _make_ahead(self) -> AsyncGenerator[tuple[Page, list[Item]]]:
        """Yield the pages with their messages; the next one is made while one is on its way.

        One at a time: its questions keep two cores busy, and each page takes its memory.
        """
        making: asyncio.Task[tuple[Page, list[Item]]] | None = None
        try:
            async with aclosing(read_due_users(self._parts.profiles, self._window)) as pages:
                async for page in pages:
                    made = await making if making is not None else None
                    making = asyncio.create_task(self._make(page))
                    if made is not None:
                        yield made
            if making is not None:
                yield await making
        finally:
            if making is not None:
                making.cancel()
                await asyncio.gather(making, return_exceptions=True)

    async def _make(self, page: Page) -> tuple[Page, list[Item]]:
        return page, await make_new_items(self._parts, self._opened, self._window, page.user_ids)

    async def _fill_outbox(self, page: Page, items: Sequence[Item]) -> None:
        await self._parts.configdb.run(self._save, items, is_last=page.is_last)
        self.tally.users_considered += len(page.user_ids)
        crash_point("extensions.outbox")

    def _save(self, connection: sa.Connection, items: Sequence[Item], *, is_last: bool) -> None:
        """Put a page, and with the last one the watermark."""
        check_unchanged(connection, self._parts.vault, self._opened)
        if is_last:
            window = self._window
            move_watermark(connection, window.connection_id, window.upto, window.day)
            crash_point("extensions.watermark")
        put = put_allowed(connection, self._parts, self._opened, self._lot, items)
        self.tally.too_large += put.too_large
