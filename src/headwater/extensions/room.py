"""Do what people and pages ask of extensions: connect, look, send, watch.

In: an app, the name of a type, what was filled in. Out: connections, messages, runs, status. The
schedule runs beside it (`worker`); both take turns on each connection.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from headwater.base.egress import UnreachableError
from headwater.base.errors import ConflictError, InvalidInputError, UnavailableError
from headwater.base.ids import new_id
from headwater.extensions.audience import Condition, check_condition
from headwater.extensions.backfill import (
    Backfill,
    begin_backfill,
    cancel_backfill,
    list_backfills,
)
from headwater.extensions.begun import Begun
from headwater.extensions.cohorts import get_cohort
from headwater.extensions.connections import (
    Connection,
    Opened,
    find_connection,
    get_connection,
    list_connections,
    open_connection,
    save_connection,
    set_audience,
    set_enabled,
    set_schedule,
)
from headwater.extensions.contract import KeyCheck, Sender
from headwater.extensions.dead import DeadItem, page_dead
from headwater.extensions.gallery import find_extension
from headwater.extensions.locks import Locks
from headwater.extensions.members import Members, count_members, page_members
from headwater.extensions.outbox import Lot, drop_user, revive_dead
from headwater.extensions.parts import Parts
from headwater.extensions.preview import MOST_PREVIEWED, Json, preview_all, preview_user
from headwater.extensions.runs import Run, RunResult, read_runs
from headwater.extensions.status import Status, read_status
from headwater.extensions.sync import open_window, sync
from headwater.extensions.trial import Trial, send_test
from headwater.extensions.windows import ProfileOf
from headwater.extensions.worker import Worker
from headwater.workspace import App, suppress_user

T = TypeVar("T")


class Extensions:
    """Everything that the room does, for every extension in the same way."""

    name = "extensions"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._locks = Locks()
        self._worker = Worker(parts, self._locks)
        self._begun = Begun()

    async def run(self) -> None:
        """Keep every connection up to date; for ever."""
        try:
            await self._worker.run()
        finally:
            await self._begun.stop()

    async def step(self) -> int:
        """Do once what is due; return for how many connections there was something to do."""
        return await self._worker.step()

    async def connections(self) -> list[Connection]:
        """Return all connections, oldest first."""
        return await self._parts.configdb.run(list_connections)

    async def connect(
        self, app: App, type_: str, values: Mapping[str, object], *, check: bool = True
    ) -> Status:
        """Connect an app, or change how it is connected; a pause ends.

        The secret is tried at the endpoint first, unless `check` is false. Left out, it stays what
        it was, and so does every setting that is left out with it; but not for another endpoint.
        """
        extension = find_extension(type_)
        given = dict(values)
        secret = given.pop(extension.declaration.secret.name, "")
        if not secret:
            secret, given = await self._keep_secret(app, type_, given)
        if not isinstance(secret, str):
            raise InvalidInputError("It is a text.", field=extension.declaration.secret.name)
        secret = extension.read_secret(secret)
        settings = extension.read_settings(given)
        url = extension.target(settings).url
        if url:
            self._parts.egress.check_url(url)
        said = KeyCheck(checked=False, word="not checked: that was asked for")
        if check:
            said = await _try_key(
                extension.open(settings, secret, self._parts.outside), self._parts.clock.now()
            )
        await self._parts.configdb.run(
            save_connection,
            self._parts.vault,
            self._parts.clock,
            app.id,
            type_,
            settings,
            secret,
            said.word,
        )
        return await self.status(app, type_)

    async def _keep_secret(
        self, app: App, type_: str, given: dict[str, object]
    ) -> tuple[str, dict[str, object]]:
        """Return the known secret, and the known settings with what is given over them."""
        declaration = find_extension(type_).declaration
        known = await self._parts.configdb.run(find_connection, app.id, type_)
        missing = InvalidInputError(
            f"The {declaration.secret.title.lower()} is missing.", field=declaration.secret.name
        )
        if known is None:
            raise missing
        opened = await self._open(app, type_)
        merged = {**known.settings, **given}
        extension = opened.extension
        if extension.target(extension.read_settings(merged)).url != opened.target.url:
            raise missing  # who may change the endpoint need not know the secret: never send it
        return opened.secret, merged

    async def schedule(self, app: App, type_: str, schedule: str) -> Status:
        """Change when it syncs by itself; see `schedule`."""
        await self._parts.configdb.run(set_schedule, app.id, type_, schedule)
        return await self.status(app, type_)

    async def choose(self, app: App, type_: str, audience: Sequence[Condition]) -> Status:
        """Change whom it sends; without conditions, everybody."""
        checked = [check_condition(one) for one in audience]
        await self._parts.configdb.run(set_audience, app.id, type_, checked)
        return await self.status(app, type_)

    async def choose_cohort(self, app: App, type_: str, cohort: str) -> Status:
        """Let it send those of a cohort, by id or name; whoever changes that changes whom."""
        await self._parts.configdb.run(_set_cohort, app.id, type_, cohort)
        return await self.status(app, type_)

    async def members(self, app: App, cohort: str, *, limit: int = 100, above: str = "") -> Members:
        """Return who is in a cohort now, by id, beyond an id."""
        found = await self._parts.configdb.run(get_cohort, app.id, cohort)
        return await page_members(self._parts, app, found.conditions, limit, above)

    async def count(self, app: App, conditions: Sequence[Condition]) -> int:
        """Return how many users meet all conditions now; looks at everybody."""
        checked = [check_condition(one) for one in conditions]
        return await count_members(self._parts, app, checked)

    async def pause(self, app: App, type_: str) -> Status:
        """Send nothing until resumed; what waits stays."""
        await self._parts.configdb.run(set_enabled, app.id, type_, enabled=False)
        return await self.status(app, type_)

    async def resume(self, app: App, type_: str) -> Status:
        """Send again."""
        await self._parts.configdb.run(set_enabled, app.id, type_, enabled=True)
        return await self.status(app, type_)

    async def sync(self, app: App, type_: str, *, full: bool = False) -> RunResult:
        """Send every user's window that is new; `full` looks at all users, not only changed ones.

        A full run also tries refused messages once more. What was delivered is never sent again.
        """
        opened = await self._open(app, type_)
        self._refuse_paused(opened)
        async with self._locks.hold(opened.connection.id):
            return await sync(self._parts, app, await self._open(app, type_), full=full)

    async def begin_sync(self, app: App, type_: str, *, full: bool = False) -> None:
        """Begin what `sync` does and do not wait for it; one that was begun goes on instead."""
        opened = await self._open(app, type_)
        self._refuse_paused(opened)
        self._begun.begin(opened.connection.id, lambda: self.sync(app, type_, full=full))

    def _refuse_paused(self, opened: Opened) -> None:
        if not opened.connection.enabled:
            title = opened.extension.declaration.title
            raise ConflictError(
                f"The {title} extension of this app is paused.",
                hint="Resume it first.",
            )

    async def preview(
        self, app: App, type_: str, user_id: str = "", *, limit: int = MOST_PREVIEWED
    ) -> list[Json]:
        """Return the messages that a sync would send now, of one user or of all who are due."""
        opened = await self._open(app, type_)
        window = await open_window(self._parts, app, opened)
        if user_id:
            return await preview_user(self._parts, opened, window, user_id)
        return await preview_all(self._parts, opened, window, limit)

    async def test(self, app: App, type_: str, user_id: str) -> Trial:
        """Send one user's message now; show the request and the answer."""
        opened = await self._open(app, type_)
        async with self._locks.hold(opened.connection.id):
            window = await open_window(self._parts, app, opened)
            return await send_test(self._parts, opened, window, user_id)

    async def runs(self, app: App, type_: str, *, limit: int = 100, cursor: str = "") -> list[Run]:
        """Return the history, newest first."""
        return await self._ask(read_runs, app, type_, limit, cursor)

    async def dead(
        self, app: App, type_: str, *, limit: int = 100, cursor: str = ""
    ) -> list[DeadItem]:
        """Return what was refused for good, with the answers; newest first."""
        return await self._ask(page_dead, app, type_, limit, cursor)

    async def resend(self, app: App, type_: str, message_ids: Sequence[str] = ()) -> int:
        """Make refused messages due again, these or all; the worker sends them. Return how many."""
        opened = await self._open(app, type_)
        lot = Lot(
            connection_id=opened.connection.id, name=new_id("again"), at=self._parts.clock.now()
        )
        return await self._parts.configdb.run(
            revive_dead, lot, opened.extension.limits, message_ids
        )

    async def backfill(
        self, app: App, type_: str, first_day: str, last_day: str, profile: ProfileOf = "now"
    ) -> Backfill:
        """Begin to send the past, from one day to another; the worker does it.

        Each day's numbers stand beside the profile as it is `now`, or as it was `then`.
        """
        id_ = (await self._open(app, type_)).connection.id
        return await self._parts.configdb.run(
            begin_backfill, self._parts.clock, id_, app, first_day, last_day, profile
        )

    async def backfills(self, app: App, type_: str, *, limit: int = 100) -> list[Backfill]:
        """Return the newest backfills and how far they are."""
        return await self._ask(list_backfills, app, type_, limit)

    async def cancel_backfill(self, app: App, type_: str) -> Backfill:
        """Make no more of the one on its way; what is in the outbox is still sent."""
        id_ = (await self._open(app, type_)).connection.id
        return await self._parts.configdb.run(cancel_backfill, self._parts.clock, id_)

    async def suppress(self, app: App, user_id: str) -> None:
        """Never send this user again, through any connection; what waits is dropped."""
        parts = self._parts
        await parts.configdb.run(suppress_user, parts.vault, parts.clock, app.id, user_id)
        for connection in await self.connections():
            if connection.app_id == app.id:
                await parts.configdb.run(drop_user, connection.id, user_id)

    async def status(self, app: App, type_: str) -> Status:
        """Return where the app's connection sends, how far it is and what went wrong."""
        return await self._parts.configdb.run(
            read_status,
            await self._open(app, type_),
            app=app,
            built_in_url=self._parts.built_in_url(),
            default=timedelta(seconds=self._parts.settings.sync_every_s),
            now=self._parts.clock.now(),
            entries_not_stored=await self._parts.entries_not_stored(),
        )

    async def _ask(self, question: Callable[..., T], app: App, type_: str, *args: object) -> T:
        found = await self._parts.configdb.run(get_connection, app.id, type_)
        return await self._parts.configdb.run(question, found.id, *args)

    async def _open(self, app: App, type_: str) -> Opened:
        return await self._parts.configdb.run(open_connection, self._parts.vault, app.id, type_)


def _set_cohort(connection: sa.Connection, app_id: str, type_: str, cohort: str) -> None:
    found = get_cohort(connection, app_id, cohort)
    set_audience(connection, app_id, type_, found.conditions, found.id)


async def _try_key(sender: Sender, at: datetime) -> KeyCheck:
    try:
        return await sender.check(at)
    except UnreachableError as err:
        raise UnavailableError(
            f"The secret could not be checked: {err.message}",
            hint="Mend the endpoint, or connect without the check (`--no-check`).",
        ) from err
